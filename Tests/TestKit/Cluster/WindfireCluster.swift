import Common
import Foundation
import Synchronization

/// Windfire as it runs in production: separate processes on a real ZooKeeper and a real Redis, all on loopback and gone
/// with this object. Timeouts are short, so that an expiry takes seconds.
package final class WindfireCluster: Sendable {
    /// How long a silent process stays registered. Longer than the stalls of a machine that many share.
    package static let sessionTimeout: Duration = .seconds(8)
    /// Grace before the routes of a node that is gone are removed.
    package static let buryAfter: Duration = .seconds(3)

    package let zookeeper: ZooKeeperServer
    package let redis: RedisServer
    package let auths: [WindfireProcess]
    package let nodes: [WindfireProcess]
    package let routes: [WindfireProcess]
    package let adminKey: String
    /// Where every process's log is.
    package let folder: TemporaryFolder
    private let nextRoute = Mutex(0)

    package var processes: [WindfireProcess] { auths + nodes + routes }

    /// Starts everything and waits until all are ready and all nodes are known.
    /// - Parameter further: configuration of all processes, as environment variables.
    package init(
        auths authCount: Int = 2, nodes nodeCount: Int = 3, routes routeCount: Int = 2,
        configuration further: [String: String] = [:]
    ) async throws {
        async let startedZooKeeper = ZooKeeperServer.start()
        var lasting = RedisServer.Options()
        lasting.appendOnly = true
        async let startedRedis = RedisServer(lasting)
        (zookeeper, redis) = try await (startedZooKeeper, startedRedis)
        folder = try TemporaryFolder("cluster")
        adminKey = Self.randomSecret()
        let environment = [
            "WINDFIRE_REGISTRY": "zk://\(zookeeper.address)/windfire",
            "WINDFIRE_ROUTES": redis.url,
            "WINDFIRE_CLUSTER_SECRET": Self.randomSecret(),
            "WINDFIRE_ADMIN_KEY": adminKey,
            "WINDFIRE_ZOOKEEPER_SESSION_TIMEOUT": DurationText.text(of: Self.sessionTimeout),
            // One file for all route servers of this machine.
            "WINDFIRE_ROUTE_JOBS": "sqlite:\(folder.path("jobs.sqlite"))",
            "WINDFIRE_ROUTE_BURY_AFTER": DurationText.text(of: Self.buryAfter),
            "WINDFIRE_LIMITS_HEARTBEAT": "4s",
            "WINDFIRE_LIMITS_HEARTBEAT_GRACE": "6s",
            "WINDFIRE_LIMITS_AUTHENTICATION_DEADLINE": "20s",
            "WINDFIRE_TOPICS_RULES": "kept/# history=20000",
        ].merging(further) { _, new in new }
        let keys = try await SigningKeyFolder.make(in: folder)
        let maker = ProcessMaker(folder: folder, keys: keys, environment: environment)
        auths = try (0..<authCount).map { try maker.auth("auth-\($0 + 1)") }
        let jwks = auths.first.map { "\($0.url)/.well-known/jwks.json" } ?? ""
        nodes = try (0..<nodeCount).map { try maker.pushServer("n\($0 + 1)", jwks: jwks) }
        routes = try (0..<routeCount).map { try maker.pushRoute("r\($0 + 1)") }
        try await heal()
    }

    /// Starts what does not run, and waits until everything is as it was in the beginning.
    package func heal() async throws {
        for process in processes { try process.start() }
        for process in processes { try await process.waitUntilReady() }
        try await eventually(within: .seconds(60), "all nodes are up, and online and routes agree") {
            let online = try await online()
            return online.up.count == nodes.count && online.difference == 0
        }
    }

    /// Ends everything, politely.
    package func stop() async {
        await withTaskGroup(of: Void.self) { group in
            for process in processes where process.isRunning { group.addTask { _ = try? await process.end() } }
        }
    }

    package func node(_ id: String) throws -> WindfireProcess {
        guard let node = nodes.first(where: { $0.name == id }) else {
            throw ChildProcessFailure("there is no node \(id)")
        }
        return node
    }

    /// The end of every process's log, for a test that failed.
    package func logTails(lines: Int = 25) -> String {
        processes.map { process in
            let tail = process.log.split(separator: "\n").suffix(lines).joined(separator: "\n")
            return "--- \(process.name) \(process.isRunning ? "" : "(not running) ")---\n\(tail)"
        }.joined(separator: "\n")
    }

    private static func randomSecret() -> String {
        (0..<4).map { _ in String(UInt64.random(in: .min ... .max), radix: 16) }.joined()
    }

    // MARK: The APIs, as others call them

    package var authURL: String { auths.first(where: \.isRunning)?.url ?? auths[0].url }
    /// One route server after the other.
    package var routeURL: String {
        let running = routes.filter(\.isRunning)
        let turn = nextRoute.withLock { turn in
            turn += 1
            return turn
        }
        return running.isEmpty ? routes[0].url : running[turn % running.count].url
    }

    /// The whole answer of `POST /v1/token`, as a back end asks on a client's behalf.
    package func tokenAnswer(_ client: String, device: String = "default") async throws -> HTTPCall.Answer {
        try await HTTPCall(
            "POST", url: "\(authURL)/v1/token", bearer: adminKey, json: ["client": client, "device": device]
        ).answer().expect(200)
    }

    package func token(_ client: String, device: String = "default") async throws -> TokenGrant {
        try await tokenAnswer(client, device: device).decoded()
    }

    package func revoke(_ client: String) async throws {
        _ = try await HTTPCall("POST", url: "\(authURL)/v1/revoke", bearer: adminKey, json: ["client": client])
            .answer().expect(200)
    }

    /// Pushes, and waits for the end of the job that a long list becomes.
    package func push(_ clients: [String], data: [String: String] = ["hello": "you"]) async throws -> PushReceipt {
        struct Body: Encodable { let to: [String: [String]], data: [String: String] }
        let answer = try await HTTPCall(
            "POST", url: "\(routeURL)/v1/push", bearer: adminKey, json: Body(to: ["clients": clients], data: data),
            timeout: .seconds(60)
        ).answer()
        guard answer.status == 202 else { return try answer.expect(200).decoded() }
        struct Accepted: Decodable { let job: String }
        return try await receipt(of: try (answer.decoded() as Accepted).job)
    }

    package func job(_ id: String) async throws -> JobAnswer {
        try await HTTPCall(url: "\(routeURL)/v1/jobs/\(id)", bearer: adminKey).answer().expect(200).decoded()
    }

    /// The receipt of a job, once it has finished.
    package func receipt(of id: String) async throws -> PushReceipt {
        let job = try await eventually(within: .seconds(60), "job \(id) has finished") {
            () async throws -> JobAnswer? in
            let job = try await self.job(id)
            return job.state == "finished" ? job : nil
        }
        let lines = try await HTTPCall(url: "\(routeURL)/v1/jobs/\(id)/undelivered", bearer: adminKey)
            .answer().expect(200).body
        struct Row: Decodable { let client: String, reason: String }
        let rows = try lines.split(separator: UInt8(ascii: "\n")).map { line in
            let row = try JSONDecoder().decode(Row.self, from: Data(line))
            return PushReceipt.Row(client: row.client, device: nil, status: row.reason, node: nil, reason: nil)
        }
        return PushReceipt(
            id: id, total: job.total, delivered: job.delivered, offline: job.offline, failed: job.failed, results: nil,
            undelivered: rows)
    }

    package func online() async throws -> OnlineAnswer {
        try await HTTPCall(url: "\(routeURL)/v1/online", bearer: adminKey).answer().expect(200).decoded()
    }

    package func client(_ id: String) async throws -> ClientAnswer {
        try await HTTPCall(url: "\(routeURL)/v1/clients/\(id)", bearer: adminKey).answer().expect(200).decoded()
    }
}

/// Gives each process its ports, flags and log.
private struct ProcessMaker {
    let folder: TemporaryFolder
    let keys: String
    let environment: [String: String]

    func auth(_ name: String) throws -> WindfireProcess {
        let port = try FreePorts.one()
        return make(
            name, .auth, health: port,
            [
                "--auth-listen", "127.0.0.1:\(port)", "--auth-authenticator", "backend",
                "--auth-keys", keys,
            ])
    }

    func pushServer(_ name: String, jwks: String) throws -> WindfireProcess {
        let ports = try FreePorts.reserve(3)
        return make(
            name, .pushServer, health: ports[2],
            [
                "--node-id", name, "--push-listen", "127.0.0.1:\(ports[0])",
                "--push-grpc-listen", "127.0.0.1:\(ports[1])", "--push-metrics-listen", "127.0.0.1:\(ports[2])",
                "--push-jwks-url", jwks,
            ])
    }

    func pushRoute(_ name: String) throws -> WindfireProcess {
        let ports = try FreePorts.reserve(2)
        return make(
            name, .pushRoute, health: ports[0],
            [
                "--node-id", name, "--route-listen", "127.0.0.1:\(ports[0])",
                "--route-grpc-listen", "127.0.0.1:\(ports[1])",
            ])
    }

    private func make(_ name: String, _ role: ConfigurationRole, health: Int, _ flags: [String]) -> WindfireProcess {
        WindfireProcess(
            name: name, role: role, url: "http://127.0.0.1:\(health)", flags: flags, environment: environment,
            logPath: folder.path("\(name).log"))
    }
}
