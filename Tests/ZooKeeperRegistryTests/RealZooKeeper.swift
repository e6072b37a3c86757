import Common
import Foundation
import Logging
import Synchronization
import TestKit

@testable import ZooKeeperRegistry

/// One server for all tests that do it no harm, each with a base path of its own.
enum SharedZooKeeper {
    private static let starting = Task { try await ZooKeeperServer.start() }

    static func server() async throws -> ZooKeeperServer { try await starting.value }

    static func uniqueBasePath() -> String { "/windfire-\(UInt64.random(in: .min ... .max))" }
}

/// A registry and the task that runs it; both end with the object.
final class RunningRegistry: Sendable {
    let registry: ZooKeeperRegistry
    private let task: Task<Void, any Error>

    init(
        _ servers: [String], _ basePath: String, sessionTimeout: Duration = .seconds(3),
        holdBack: Duration = .milliseconds(50), credentials: ZooKeeperAddress.Credentials? = nil,
        logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    ) {
        let registry = ZooKeeperRegistry(
            .init(
                address: ZooKeeperAddress(servers: servers, basePath: basePath, credentials: credentials),
                sessionTimeout: sessionTimeout, holdBack: holdBack, selfCheck: .seconds(2)),
            logger: logger)
        self.registry = registry
        task = Task { try await registry.run() }
    }

    deinit { task.cancel() }

    /// Ends it in order, entries withdrawn.
    func stop() async throws {
        task.cancel()
        try await task.value
    }
}

/// A bare handle, to look at ZooKeeper with other eyes than the registry's.
final class Inspector: Sendable {
    let handle: ZooKeeperHandle

    init(_ servers: [String]) async throws {
        let isConnected = LatestValue(false)
        handle = try await ZooKeeperHandle.open(
            ZooKeeperAddress(servers: servers), sessionTimeout: .seconds(10), watches: [],
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { event in
            if case .connected = event { isConnected.set(true) }
        }
        do {
            try await eventually("the inspector is connected") { isConnected.value }
        } catch {
            await handle.close()
            throw error
        }
    }

    /// Looks, and closes the handle whatever comes of it.
    static func look<Value: Sendable>(
        _ servers: [String], _ body: (ZooKeeperHandle) async throws -> Value
    ) async throws -> Value {
        let inspector = try await Inspector(servers)
        do {
            let value = try await body(inspector.handle)
            await inspector.handle.close()
            return value
        } catch {
            await inspector.handle.close()
            throw error
        }
    }
}

/// Counts lines at `notice` and above, and keeps their messages.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])
    var all: [String] { lines.withLock { $0 } }

    var logger: Logger { Logger(label: "test") { _ in Handler(lines: self) } }

    private struct Handler: LogHandler {
        let lines: LogLines
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level = .debug
        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }
        func log(event: LogEvent) {
            lines.lines.withLock { $0.append("\(event.level) \(event.message) \(event.metadata ?? [:])") }
        }
    }
}

/// Processor time of this whole process so far, user and system.
func processorTime() -> Duration {
    var usage = rusage()
    getrusage(RUSAGE_SELF.rawValue, &usage)
    return .seconds(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
}
