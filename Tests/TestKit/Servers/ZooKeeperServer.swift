import Foundation
import Synchronization

/// A real ZooKeeper server: Debian's `zookeeper` package, on loopback, with its own port and data folder. Its tick is
/// 500 ms, so sessions of 1 s to 40 s are granted and expiry tests take seconds. Alone, or one of a
/// `ZooKeeperEnsemble`.
///
/// When java or the jar is missing, `start` throws and says what to install: a test that needs ZooKeeper fails, it does
/// not skip.
package final class ZooKeeperServer: Sendable {
    /// `127.0.0.1:port`, as a connect string takes it.
    package let address: String
    private let port: Int
    private let number: Int
    private let folder: TemporaryFolder
    private let process: Mutex<ChildProcess?>

    static let jar = "/usr/share/java/zookeeper.jar"

    /// - Parameter peers: `server.N=…` lines of the ensemble; empty for a server of its own.
    init(number: Int = 1, port: Int, peers: [String] = []) throws {
        guard access(Self.jar, R_OK) == 0 else {
            throw ChildProcessFailure("\(Self.jar) is missing: install Debian's `zookeeper`; scripts/bootstrap does")
        }
        _ = try ChildProcess.find("java")
        self.number = number
        self.port = port
        address = "127.0.0.1:\(port)"
        folder = try TemporaryFolder("zookeeper")
        process = Mutex(nil)
        let settings =
            [
                "tickTime=500", "initLimit=20", "syncLimit=10", "dataDir=\(folder.path("data"))",
                "clientPort=\(port)", "clientPortAddress=127.0.0.1", "minSessionTimeout=1000",
                "maxSessionTimeout=40000", "maxClientCnxns=0", "4lw.commands.whitelist=*",
                "admin.enableServer=false", "autopurge.purgeInterval=0",
            ] + peers
        try folder.write(settings.joined(separator: "\n") + "\n", to: "zoo.cfg")
        try folder.write(
            """
            log4j.rootLogger=WARN, C
            log4j.appender.C=org.apache.log4j.ConsoleAppender
            log4j.appender.C.layout=org.apache.log4j.PatternLayout
            log4j.appender.C.layout.ConversionPattern=%d %p %c{1} %m%n

            """, to: "log4j.properties")
        try launch()
    }

    /// One server, ready to serve.
    package static func start() async throws -> ZooKeeperServer {
        let server = try ZooKeeperServer(port: FreePorts.one())
        try await server.untilServing()
        return server
    }

    private func launch() throws {
        try folder.write("\(number)\n", to: "data/myid")
        let child = try ChildProcess(
            "java",
            [
                // Small and quick to start; each write is not worth an fsync here.
                "-Xmx192m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
                "-Dzookeeper.log.dir=\(folder.path)", "-Dzookeeper.snapshot.trust.empty=true",
                "-Dzookeeper.forceSync=no", "-cp", "\(folder.path):\(Self.jar)",
                "org.apache.zookeeper.server.quorum.QuorumPeerMain", folder.path("zoo.cfg"),
            ], name: "zookeeper-\(number)", logPath: folder.path("out.log"))
        process.withLock { $0 = child }
    }

    func untilServing() async throws {
        do {
            try await eventually(within: .seconds(60), "ZooKeeper serves at \(address)", poll: .milliseconds(100)) {
                await self.mode() != nil
            }
        } catch {
            throw ChildProcessFailure("\(error)\n\(output)")
        }
    }

    // MARK: Faults

    /// Frozen: connections stay open and nothing answers.
    package func pause() { process.withLock { $0?.pause() } }
    package func resume() { process.withLock { $0?.resume() } }

    /// Dead at once, as by power loss. Its data stays.
    package func kill() async {
        let child = process.withLock { $0 }
        child?.kill()
        _ = await child?.waitForExit()
    }

    /// Starts a killed server again, and waits until it serves.
    /// - Parameter wipe: without anything it knew.
    package func restart(wipe: Bool = false) async throws {
        try relaunch(wipe: wipe)
        try await untilServing()
    }

    func relaunch(wipe: Bool) throws {
        if wipe { try FileManager.default.removeItem(atPath: folder.path("data")) }
        try launch()
    }

    /// Ends it in order.
    package func stop() async {
        let child = process.withLock { $0 }
        _ = await child?.end()
    }

    // MARK: Asking

    /// `standalone`, `leader` or `follower`; nil when it does not serve.
    package func mode() async -> String? {
        guard let answer = await ask("srvr") else { return nil }
        for line in answer.split(separator: "\n") where line.hasPrefix("Mode: ") { return String(line.dropFirst(6)) }
        return nil
    }

    /// A four-letter word of ZooKeeper's administration, and the answer; nil when none comes within a second.
    package func ask(_ word: String) async -> String? {
        let port = port
        // The socket blocks, so not on the cooperative pool.
        return await withCheckedContinuation { continuation in
            Thread { continuation.resume(returning: fourLetterWord(word, port: port)) }.start()
        }
    }

    package var output: String { process.withLock { $0?.output ?? "" } }
}

/// Three servers that elect a leader; two are a quorum.
package final class ZooKeeperEnsemble: Sendable {
    package let servers: [ZooKeeperServer]

    /// Servers, connect-string form.
    package var addresses: [String] { servers.map(\.address) }

    package static func start(_ count: Int = 3) async throws -> ZooKeeperEnsemble {
        let ports = try FreePorts.reserve(count * 3)
        let peers = (0..<count).map { "server.\($0 + 1)=127.0.0.1:\(ports[count + $0]):\(ports[2 * count + $0])" }
        let servers = try (0..<count).map { try ZooKeeperServer(number: $0 + 1, port: ports[$0], peers: peers) }
        let ensemble = ZooKeeperEnsemble(servers)
        for server in servers { try await server.untilServing() }
        return ensemble
    }

    private init(_ servers: [ZooKeeperServer]) { self.servers = servers }

    /// The leader now; nil during an election.
    package func leader() async -> ZooKeeperServer? {
        for server in servers where await server.mode() == "leader" { return server }
        return nil
    }
}

private func fourLetterWord(_ word: String, port: Int) -> String? {
    let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    guard connection >= 0 else { return nil }
    defer { close(connection) }
    var limit = timeval(tv_sec: 1, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        setsockopt(connection, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
    }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let isConnected = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
    guard isConnected, send(connection, word, word.utf8.count, Int32(MSG_NOSIGNAL)) == word.utf8.count else {
        return nil
    }
    var answer: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 4096)
    while true {
        let count = recv(connection, &part, part.count, 0)
        guard count >= 0 else { return nil }
        guard count > 0 else { break }
        answer += part[..<count]
    }
    return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
}
