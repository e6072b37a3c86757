import Common
import Foundation
import Logging
import ServiceLifecycle

/// Runs services until the first of them fails or the process is told to stop (SIGTERM, SIGINT).
enum RoleRunner {
    /// How long a role may take to leave in order; then it ends as it is.
    static let shutdownMax: Duration = .seconds(20)

    static func run(_ services: [any Service], engines: Engines, logger: Logger) async throws {
        // A file that must not grow (setrlimit(2), RLIMIT_FSIZE) is an error of that write, not the end of everything.
        signal(SIGXFSZ, SIG_IGN)
        var configuration = ServiceGroupConfiguration(
            services: services.map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: quiet(logger))
        configuration.maximumGracefulShutdownDuration = shutdownMax
        do {
            try await ServiceGroup(configuration: configuration).run()
        } catch let error as WindfireError {
            await engines.close()
            throw CommandFailure(error)
        }
        await engines.close()
    }

    /// Where logs go, and how.
    static func logger(for role: String, _ configuration: Configuration, format: LineLogHandler.Format? = nil) -> Logger
    {
        let chosen: LineLogHandler.Format = format ?? (configuration.log.format == .json ? .json : .pretty)
        let level = configuration.log.level
        return Logger(label: role) { label in
            LineLogHandler(label: label, format: chosen, level: level, clock: WallClock.milliseconds) { line in
                // One write(2) for a line: lines of several threads do not mix.
                // Where logs go, a disk may be full: a line is lost then, and not the devices' connections.
                try? FileHandle.standardError.write(contentsOf: Data(line))
            }
        }
    }

    /// The lifecycle's own steps are told by the roles.
    private static func quiet(_ logger: Logger) -> Logger {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        return logger
    }
}
