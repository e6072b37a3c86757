import Dispatch
import Foundation
import Synchronization

/// Keeps a client's cursor while the application does not run: one short text for each client and device. With it every
/// stored message is shown once, also across restarts; without it those are shown again whose acknowledgement was lost.
public protocol CursorStore: Sendable {
    /// What was saved last; nil when nothing was.
    func load() -> String?
    /// Called after acknowledgements, on the client's event loop: must not block.
    func save(_ cursor: String)
}

/// A cursor in a file. Written by renaming, so that a crash leaves the old or the new one; when acknowledgements come
/// faster than the disk, only the newest is written.
public final class FileCursor: CursorStore {
    private let file: URL
    private let queue = DispatchQueue(label: "windfire.cursor")
    private let waiting = Mutex<String?>(nil)

    /// - Parameter path: of a file of its own for each client and device; its folder exists.
    public init(path: String) { file = URL(fileURLWithPath: path) }

    public func load() -> String? {
        guard let data = try? Data(contentsOf: file), data.count <= 64 else { return nil }
        return String(decoding: data, as: UTF8.self)
    }

    public func save(_ cursor: String) {
        let isUnderWay = waiting.withLock { waiting in
            defer { waiting = cursor }
            return waiting != nil
        }
        guard !isUnderWay else { return }
        queue.async { [self] in
            let newest = waiting.withLock { waiting in
                defer { waiting = nil }
                return waiting
            }
            // A cursor that could not be written costs a message that is shown twice, no more.
            if let newest { try? Data(newest.utf8).write(to: file, options: .atomic) }
        }
    }

    /// Waits until everything is written.
    public func flush() { queue.sync {} }
}
