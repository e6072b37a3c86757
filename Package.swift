// swift-tools-version: 6.2
// Arrows go one way: Windfire -> services -> PushCore, NodeRPC, Webhooks, HTTPSupport, drivers -> Common.
// The three services never import one another; `swift build` refuses the wrong arrow.

import PackageDescription

/// Every target of ours: warnings are errors, and `any` and member imports are spelled out.
let settings: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
]

let log = Target.Dependency.product(name: "Logging", package: "swift-log")
let nioCore = Target.Dependency.product(name: "NIOCore", package: "swift-nio")
let nioPosix = Target.Dependency.product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded = Target.Dependency.product(name: "NIOEmbedded", package: "swift-nio")
let nioConcurrency = Target.Dependency.product(name: "NIOConcurrencyHelpers", package: "swift-nio")
let nioHTTP1 = Target.Dependency.product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket = Target.Dependency.product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL = Target.Dependency.product(name: "NIOSSL", package: "swift-nio-ssl")
let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let metrics = Target.Dependency.product(name: "Metrics", package: "swift-metrics")
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let cryptoExtras = Target.Dependency.product(name: "CryptoExtras", package: "swift-crypto")
let httpClient = Target.Dependency.product(name: "AsyncHTTPClient", package: "async-http-client")

let package = Package(
    name: "windfire",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "windfire", targets: ["Windfire"]),
        .library(name: "PushClient", targets: ["PushClient"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(
            url: "https://github.com/apple/swift-configuration", from: "1.4.0",
            traits: ["YAML", "CommandLineArguments"]),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // C libraries from Debian: libhiredis-dev, libzookeeper-mt-dev, libmariadb-dev, zlib1g-dev.
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CZooKeeper", providers: [.apt(["libzookeeper-mt-dev"])]),
        .systemLibrary(name: "CMariaDB", providers: [.apt(["libmariadb-dev"])]),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"])]),

        .target(
            name: "Common",
            dependencies: [
                log, metrics, crypto,
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings),
        .target(
            name: "PushCore",
            dependencies: [
                "Common", nioCore,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        // The node's gRPC contract and its callers; both PushServer and PushRoute stand on it.
        .target(
            name: "NodeRPC",
            dependencies: [
                "Common", log, lifecycle, crypto, nioCore,
                .product(name: "GRPCCore", package: "grpc-swift-2"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
                .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf"),
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            exclude: ["node.proto"],
            swiftSettings: settings),
        // What every HTTP face shares: problem+json, API keys, health, metrics.
        .target(
            name: "HTTPSupport",
            dependencies: ["Common", hummingbird, httpClient, lifecycle, log, metrics, crypto, nioCore, nioPosix],
            swiftSettings: settings),
        // Events told to the owner's HTTP endpoint; PushServer and PushRoute both tell.
        .target(
            name: "Webhooks",
            dependencies: [
                "Common", "HTTPSupport", httpClient, lifecycle, log, crypto, nioCore, nioPosix,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "RedisStore",
            dependencies: [
                "Common", "CHiredis", nioCore, nioPosix, nioSSL, nioConcurrency, log, crypto,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            resources: [.embedInCode("Scripts")],
            swiftSettings: settings),
        .target(
            name: "ZooKeeperRegistry",
            dependencies: ["Common", "CZooKeeper", nioConcurrency, log],
            swiftSettings: settings),
        .target(
            name: "SQLiteJobStore",
            dependencies: ["Common", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings),
        .target(
            name: "MySQLJobStore",
            dependencies: ["Common", "CMariaDB", log, .product(name: "DequeModule", package: "swift-collections")],
            swiftSettings: settings),
        .target(
            name: "AuthService",
            dependencies: [
                "Common", "HTTPSupport", hummingbird, httpClient, lifecycle, log, metrics, crypto, cryptoExtras,
            ],
            swiftSettings: settings),
        .target(
            name: "PushServer",
            dependencies: [
                "Common", "PushCore", "NodeRPC", "HTTPSupport", "Webhooks", nioCore, nioPosix, nioSSL, nioConcurrency,
                lifecycle, log, metrics, hummingbird, httpClient,
                .product(name: "DequeModule", package: "swift-collections"),
            ],
            swiftSettings: settings),
        .target(
            name: "PushRoute",
            dependencies: [
                "Common", "NodeRPC", "HTTPSupport", "Webhooks", "CZlib", hummingbird, lifecycle, log, metrics, crypto,
            ],
            swiftSettings: settings),
        .target(
            name: "PushClient",
            dependencies: ["Common", nioCore, nioPosix, nioSSL, nioHTTP1, nioWebSocket, httpClient, log],
            swiftSettings: settings),
        .executableTarget(
            name: "Windfire",
            dependencies: [
                "Common", "AuthService", "PushServer", "PushRoute", "PushClient", "RedisStore", "ZooKeeperRegistry",
                "SQLiteJobStore", "MySQLJobStore", "NodeRPC", "HTTPSupport", "Webhooks", "PushCore", nioCore, nioPosix,
                nioSSL, lifecycle, log, metrics, crypto, httpClient,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
                .product(name: "Yams", package: "Yams"),
            ],
            swiftSettings: settings),

        // Contract suites, clocks, and the launcher of real processes.
        .target(
            name: "TestKit",
            dependencies: ["Common", log, nioCore, nioPosix, nioHTTP1, nioConcurrency, httpClient],
            path: "Tests/TestKit",
            swiftSettings: settings),
        .testTarget(
            name: "CommonTests",
            dependencies: ["Common", "TestKit", crypto, .product(name: "Yams", package: "Yams")],
            swiftSettings: settings),
        .testTarget(
            name: "PushCoreTests", dependencies: ["PushCore", "Common", "TestKit"], swiftSettings: settings),
        .testTarget(
            name: "PushServerTests",
            dependencies: [
                "PushServer", "PushCore", "NodeRPC", "Webhooks", "TestKit", "AuthService", "PushClient", nioEmbedded,
                nioPosix,
                nioSSL,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "PushRouteTests",
            dependencies: [
                "PushRoute", "TestKit", "NodeRPC", "RedisStore", "Webhooks", "CZlib",
                .product(name: "HummingbirdTesting", package: "hummingbird"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "AuthServiceTests",
            dependencies: ["AuthService", "TestKit", .product(name: "HummingbirdTesting", package: "hummingbird")],
            swiftSettings: settings),
        .testTarget(
            name: "NodeRPCTests",
            dependencies: ["NodeRPC", "TestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "HTTPSupportTests",
            dependencies: ["HTTPSupport", "TestKit", .product(name: "HummingbirdTesting", package: "hummingbird")],
            swiftSettings: settings),
        .testTarget(
            name: "WebhooksTests", dependencies: ["Webhooks", "HTTPSupport", "Common", "TestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "RedisStoreTests",
            dependencies: ["RedisStore", "TestKit", nioEmbedded, nioPosix],
            swiftSettings: settings),
        .testTarget(
            name: "ZooKeeperRegistryTests",
            dependencies: ["ZooKeeperRegistry", "TestKit"],
            swiftSettings: settings),
        .testTarget(
            name: "SQLiteJobStoreTests",
            dependencies: ["SQLiteJobStore", "TestKit", .product(name: "GRDB", package: "GRDB.swift")],
            swiftSettings: settings),
        .testTarget(
            name: "MySQLJobStoreTests", dependencies: ["MySQLJobStore", "TestKit", log], swiftSettings: settings),
        .testTarget(
            name: "PushClientTests",
            dependencies: ["PushClient", "Common", "TestKit", nioHTTP1, nioPosix, nioWebSocket],
            swiftSettings: settings),
        .testTarget(
            name: "WindfireTests",
            dependencies: [
                "Windfire", "Common", "PushClient", "TestKit", crypto, nioCore,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            swiftSettings: settings),
        .testTarget(
            name: "EndToEndTests",
            dependencies: ["TestKit", "PushClient", "Common", "Webhooks", "Windfire", nioCore, nioPosix],
            exclude: ["Clients"],
            swiftSettings: settings),
    ]
)
