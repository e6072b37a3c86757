import Dispatch
import Foundation

/// Ctrl-C and SIGTERM as an event, so that a command can end its work and exit with 0.
enum Interruption {
    /// Yields once for each signal.
    static func stream() -> AsyncStream<Void> {
        AsyncStream { continuation in
            // Dispatch sources may be cancelled from any thread (dispatch_source_cancel(3)); nothing else is done with
            // them.
            nonisolated(unsafe) let sources = [SIGINT, SIGTERM].map { number in
                signal(number, SIG_IGN)
                let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
                source.setEventHandler { continuation.yield() }
                source.resume()
                return source
            }
            continuation.onTermination = { _ in
                for source in sources { source.cancel() }
            }
        }
    }

    /// Returns at the first signal.
    static func wait() async {
        for await _ in stream() { return }
    }
}
