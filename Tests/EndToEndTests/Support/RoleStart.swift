import TestKit

/// One role by itself, with engines that may not be there.
struct RoleStart {
    let readyURL: String
    private let role: String
    private let port: Int
    private let ports: [Int]
    private let environment: [String: String]
    private let folder: TemporaryFolder
    private let keys: String
    private let authPort: Int

    /// - Parameter port: of its API, or of metrics and health for a push server; a free one when nil.
    init(
        _ role: String, zookeeper: String, redis: String, in folder: TemporaryFolder, port: Int? = nil
    ) async throws {
        self.role = role
        self.folder = folder
        keys = try await SigningKeyFolder.make(in: folder)
        self.port = try port ?? FreePorts.one()
        ports = try FreePorts.reserve(2)
        authPort = try FreePorts.one()
        readyURL = "http://127.0.0.1:\(self.port)/readyz"
        environment = [
            "WINDFIRE_REGISTRY": "zk://\(zookeeper)/windfire",
            "WINDFIRE_ROUTES": redis,
            "WINDFIRE_CLUSTER_SECRET": "a-secret-of-this-test-only",
            "WINDFIRE_ADMIN_KEY": "a-key-of-this-test-only",
            "WINDFIRE_ZOOKEEPER_SESSION_TIMEOUT": "4s",
        ]
    }

    func process() throws -> ChildProcess { try start(role, flags) }

    private var flags: [String] {
        switch role {
        case "auth": authFlags(port)
        case "push-server":
            [
                "--node-id", "alone", "--push-listen", "127.0.0.1:\(ports[0])",
                "--push-grpc-listen", "127.0.0.1:\(ports[1])", "--push-metrics-listen", "127.0.0.1:\(port)",
                "--push-jwks-url", "http://127.0.0.1:\(authPort)/.well-known/jwks.json",
            ]
        default:
            [
                "--node-id", "alone", "--route-listen", "127.0.0.1:\(port)",
                "--route-grpc-listen", "127.0.0.1:\(ports[0])",
                "--route-jobs", "sqlite:\(folder.path("jobs.sqlite"))",
            ]
        }
    }

    private func authFlags(_ port: Int) -> [String] {
        [
            "--auth-listen", "127.0.0.1:\(port)", "--auth-authenticator", "backend",
            "--auth-keys", keys,
        ]
    }

    private func start(_ role: String, _ flags: [String]) throws -> ChildProcess {
        try WindfireBinary.start(
            [role] + flags, name: role, environment: environment, logPath: folder.path("\(role).log"))
    }

    /// Runs the body while an auth server runs that a push server can take the public keys from.
    func withAuthServer(_ body: () async throws -> Void) async throws {
        let auth = try start("auth", authFlags(authPort))
        try await body()
        await auth.end()
    }

    func becomesReady() async throws {
        try await eventually(within: .seconds(60), "\(role) is ready") {
            try await HTTPCall(url: readyURL, timeout: .seconds(5)).answer().status == 200
        }
    }
}
