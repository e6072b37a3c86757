import Foundation
import TestKit
import Testing

extension EndToEnd {
    @Test(.timeLimit(.minutes(3))) func aStoredMessageWaitsForWhoIsNotThere() async throws {
        try await onCluster { cluster in
            let device = StoredDevice("waiting", device: "phone", on: cluster)
            // A first visit makes the device known.
            await device.open()
            try await eventually(within: .seconds(20), "it is connected") { device.isConnected }
            await device.drop()
            try await eventually("it is gone") { try await cluster.client("waiting").sessions.isEmpty }
            for number in 1...150 {
                let receipt = try await cluster.store(number, for: "waiting")
                try #require(receipt.offline == 1 && receipt.stored == 1)
            }
            await device.open()
            try await eventually(within: .seconds(20), "all are there, in order") { device.shown == Array(1...150) }
            await device.drop()
        }
    }

    /// The push may see the device gone, on its way, or there: its message may come with the claim, by the node that
    /// was told, or both ways at once. `WINDFIRE_LONG=1` makes it 10,000 tries.
    @Test(.timeLimit(.minutes(10))) func whoComesAtTheMomentOfThePushIsShownItsMessageOnce() async throws {
        let isLong = ProcessInfo.processInfo.environment["WINDFIRE_LONG"] == "1"
        let rounds = isLong ? 200 : 20
        try await onCluster { cluster in
            var random = SplitMix.printed()
            let devices = (0..<50).map { StoredDevice("moment-\($0)", device: "phone", on: cluster) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for device in devices {
                    let seed = random.next()
                    group.addTask { try await Self.comeAndGo(device, rounds, on: cluster, seed: seed) }
                }
                try await group.waitForAll()
            }
            for device in devices { #expect(device.shown == Array(0...rounds), "\(device.name)") }
        }
    }

    /// Each time a message is pushed within the 40 ms that a login takes on a busy machine. The first makes it known.
    private static func comeAndGo(
        _ device: StoredDevice, _ rounds: Int, on cluster: WindfireCluster, seed: UInt64
    ) async throws {
        var random = SplitMix(seed: seed)
        for number in 0...rounds {
            await device.open()
            if number == 0 { try await eventually("it is connected") { device.isConnected } }
            try await rest(.microseconds(.random(in: 0...40_000, using: &random)))
            let receipt = try await cluster.store(number, for: device.client)
            try #require(receipt.failed == 0)
            try await eventually(within: .seconds(20), "\(number) is shown") { device.shown.last == number }
            await device.drop()
        }
    }

    /// After the manner of Jepsen's checkers: promises are noted, the system is hurt at random, and in the end what was
    /// promised is compared with what was shown. `WINDFIRE_LONG=1` makes it a minute with 500 clients.
    ///
    /// Redis syncs its append-only file every second, and is restarted in order; or always, and is killed. Killed while
    /// it syncs every second, it may lose what it had put off because the disk was slow.
    @Test(.timeLimit(.minutes(10)), arguments: ["everysec", "always"])
    func whateverFailsNoPromisedMessageIsLostRepeatedOrOutOfOrder(appendSync: String) async throws {
        let isLong = ProcessInfo.processInfo.environment["WINDFIRE_LONG"] == "1"
        try await onCluster { cluster in
            var random = SplitMix.printed()
            try await cluster.redis.setAppendSync(appendSync)
            let checker = StoredChecker()
            let clients = (0..<(isLong ? 500 : 40)).map { "stored-\(appendSync)-\($0)" }
            let devices = clients.enumerated().flatMap { index, client in
                (index % 4 == 0 ? ["phone", "pad"] : ["phone"]).map { StoredDevice(client, device: $0, on: cluster) }
            }
            for device in devices { await device.open() }
            try await eventually(within: .seconds(60), "all are connected") { devices.allSatisfy(\.isConnected) }

            let end = ContinuousClock.now + .seconds(isLong ? 60 : 20)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for part in 0..<4 {
                    let mine = clients.enumerated().filter { $0.offset % 4 == part }.map(\.element)
                    group.addTask { await Self.produce(for: mine, on: cluster, checker, until: end) }
                }
                let seed = random.next()
                group.addTask { await Self.dropAndReturn(devices, until: end, seed: seed) }
                try await Self.hurt(cluster, appendSync, until: end, &random)
                try await group.waitForAll()
            }

            try await cluster.heal()
            for device in devices where !device.isOpen { await device.open() }
            let number = try #require(checker.promiseCount > clients.count ? checker.promiseCount : nil)
            print("\(number) messages were promised to \(devices.count) devices")
            try? await eventually(within: .seconds(60), "every promise is kept") {
                devices.allSatisfy { checker.fault(of: $0) == nil }
            }
            let faults = devices.compactMap { checker.fault(of: $0) }
            #expect(faults == [])
            for device in devices { await device.drop() }
        }
    }

    private static func produce(
        for clients: [String], on cluster: WindfireCluster, _ checker: StoredChecker,
        until end: ContinuousClock.Instant
    ) async {
        while ContinuousClock.now < end {
            for client in clients where ContinuousClock.now < end {
                let number = checker.next(for: client)
                if let receipt = try? await cluster.store(number, for: client), receipt.failed == 0 {
                    checker.promise(number, to: client)
                }
            }
        }
    }

    private static func dropAndReturn(
        _ devices: [StoredDevice], until end: ContinuousClock.Instant, seed: UInt64
    ) async {
        var random = SplitMix(seed: seed)
        while ContinuousClock.now < end {
            guard let device = devices.randomElement(using: &random) else { return }
            if device.isOpen { await device.drop() } else { await device.open() }
            _ = try? await never(for: .milliseconds(100), "a pause between two devices") { false }
        }
    }

    /// One fault after the other, each mended before the next.
    private static func hurt(
        _ cluster: WindfireCluster, _ appendSync: String, until end: ContinuousClock.Instant,
        _ random: inout SplitMix
    ) async throws {
        while ContinuousClock.now < end {
            let node = cluster.nodes.randomElement(using: &random) ?? cluster.nodes[0]
            let route = cluster.routes.randomElement(using: &random) ?? cluster.routes[0]
            let pause = Duration.milliseconds(.random(in: 300...2_500, using: &random))
            switch Int.random(in: 0..<6, using: &random) {
            case 0:
                try await node.kill()
                try await rest(pause)
                try node.start()
            case 1:
                try node.pause()
                try await rest(pause * 3)
                try node.resume()
            case 2:
                try await route.kill()
                try await rest(pause)
                try route.start()
            case 3:
                await cluster.redis.pause()
                try await rest(pause)
                await cluster.redis.resume()
            case 4:
                if appendSync == "always" { await cluster.redis.kill() } else { await cluster.redis.end() }
                try await rest(pause)
                try await cluster.redis.restart()
            default:
                await cluster.zookeeper.kill()
                try await rest(pause)
                try await cluster.zookeeper.restart()
            }
            try await rest(.milliseconds(500))
        }
    }

    private static func rest(_ time: Duration) async throws {
        try await never(for: time, "a fault has its time") { false }
    }
}

/// What `POST /v1/push` answers to a stored push.
struct StoredReceipt: Decodable {
    let offline: Int
    let stored: Int
    let failed: Int
}

extension WindfireCluster {
    /// Pushes a number to one client, to be kept until it is acknowledged.
    fileprivate func store(_ number: Int, for client: String) async throws -> StoredReceipt {
        struct Body: Encodable {
            let to: [String: [String]]
            let data: Int
            let mode = "stored"
        }
        return try await HTTPCall(
            "POST", url: "\(routeURL)/v1/push", bearer: adminKey, json: Body(to: ["clients": [client]], data: number),
            timeout: .seconds(10)
        ).answer().expect(200).decoded()
    }
}
