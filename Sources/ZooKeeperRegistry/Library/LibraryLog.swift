import CZooKeeper
import Logging
import Synchronization

/// What libzookeeper has to say goes to our log, at `debug` and at most one line a second, with the number of those
/// left out. By itself it writes to stderr, several lines for each failed try.
enum LibraryLog {
    private struct State {
        var logger: Logger?
        var lastLine: ContinuousClock.Instant?
        var leftOut = 0
    }

    // The callback has no context argument, so this is the process's, not a registry's.
    private static let state = Mutex(State())

    /// Before each zookeeper_init2; the level is the library's global.
    static func route(to logger: Logger) {
        state.withLock { $0.logger = logger }
        zoo_set_debug_level(ZOO_LOG_LEVEL_WARN)
    }

    /// zookeeper.h, zoo_set_log_callback: "invoked by multiple threads", hence the lock.
    static let callback: log_callback_fn = { text in
        guard let text else { return }
        let line: (Logger, Int)? = state.withLock { state in
            guard let logger = state.logger, logger.logLevel <= .debug else { return nil }
            let now = ContinuousClock.now
            if let last = state.lastLine, last.duration(to: now) < .seconds(1) {
                state.leftOut += 1
                return nil
            }
            defer { state.leftOut = 0 }
            state.lastLine = now
            return (logger, state.leftOut)
        }
        guard let (logger, leftOut) = line else { return }
        logger.debug(
            "libzookeeper",
            metadata: [
                Logger.Metadata.Key.reason: "\(String(cString: text))", Logger.Metadata.Key.count: "\(leftOut)",
            ])
    }
}
