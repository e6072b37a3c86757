// Which target may import what. Package.swift keeps the wrong arrow from compiling; here the same picture can be read,
// and the parts of it that the manifest cannot say are held: which files may touch sockets, and which C.

extension TidyRule {
    static let arrows: [TidyRule] = [ownModules, sockets, cLibraries]

    /// What of ours each target may import. The three services never meet; drivers know Common alone.
    private static let allowed: [String: Set<String>] = [
        "Common": [],
        "PushCore": ["Common"],
        "NodeRPC": ["Common"],
        "HTTPSupport": ["Common"],
        "Webhooks": ["Common", "HTTPSupport"],
        "RedisStore": ["Common", "CHiredis"],
        "ZooKeeperRegistry": ["Common", "CZooKeeper"],
        "SQLiteJobStore": ["Common"],
        "MySQLJobStore": ["Common", "CMariaDB"],
        "AuthService": ["Common", "HTTPSupport"],
        "PushServer": ["Common", "PushCore", "NodeRPC", "HTTPSupport", "Webhooks"],
        "PushRoute": ["Common", "NodeRPC", "HTTPSupport", "Webhooks"],
        "PushClient": ["Common"],
        "Windfire": [
            "Common", "PushCore", "NodeRPC", "HTTPSupport", "Webhooks", "RedisStore", "ZooKeeperRegistry",
            "SQLiteJobStore", "MySQLJobStore", "AuthService", "PushServer", "PushRoute", "PushClient",
        ],
    ]

    static let ownModules = TidyRule(
        "arrows between targets go one way",
        remedy: "move what both need to Common, or speak HTTP, gRPC, or one of Common's protocols",
        example: "Sources/AuthService/Example.swift", "import PushRoute\n"
    ) { file in
        guard let target = file.target, target.kind == "Sources", let mayImport = allowed[target.name] else {
            return []
        }
        return file.imports.filter { allowed[$0.module] != nil && !mayImport.contains($0.module) }.map(\.line)
    }

    /// Where sockets are opened, and so where NIOPosix is imported. Everything else is driven by embedded channels.
    private static let socketFiles: Set<String> = [
        "Sources/AuthService/Authenticators/StaticAuthenticator.swift",
        "Sources/HTTPSupport/Faces/HTTPServer.swift",
        "Sources/PushClient/PushClient.swift",
        "Sources/PushClient/TokenService.swift",
        "Sources/PushClient/Wire/Dialer.swift",
        "Sources/PushServer/EchoEndpoint.swift",
        "Sources/PushServer/Node/DeviceListener.swift",
        "Sources/PushServer/Node/NodeAddresses.swift",
        "Sources/PushServer/PushServerService.swift",
        "Sources/PushServer/Sessions/SliceBell.swift",
        "Sources/RedisStore/Connection/RedisConnection.swift",
        "Sources/Webhooks/Calls/NameResolver.swift",
        "Sources/Windfire/Bench/Janus/JanusBench.swift",
        "Sources/Windfire/Bench/Swarm/BenchSwarmCommand.swift",
        "Sources/Windfire/Bench/Swarm/SwarmLogin.swift",
        "Sources/Windfire/Roles/Engines.swift",
    ]

    static let sockets = TidyRule(
        "sockets are opened in few places",
        remedy: "import NIOCore and let the caller hand in the channel; a new place belongs in `socketFiles`",
        example: "Sources/PushCore/Example.swift", "import NIOPosix\n"
    ) { file in
        guard file.isIn("Sources"), !socketFiles.contains(file.path) else { return [] }
        return file.imports.filter { $0.module == "NIOPosix" }.map(\.line)
    }

    static let cLibraries = TidyRule(
        "C is touched by its driver only", remedy: "ask the driver's Swift interface",
        example: "Sources/Common/Example.swift", "import CHiredis\n"
    ) { file in
        file.imports.filter { imported in
            switch imported.module {
            case "CHiredis": !file.isIn("Sources/RedisStore")
            case "CMariaDB": !file.isIn("Sources/MySQLJobStore")
            case "CZooKeeper": !file.isIn("Sources/ZooKeeperRegistry")
            default: false
            }
        }.map(\.line)
    }
}
