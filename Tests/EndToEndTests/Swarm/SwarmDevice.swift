import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestKit

/// A device made for crowds: one socket, one handler, and a note of everything it heard. It speaks only what tests
/// need, straight from RFC 6455 and docs/protocols/websocket.md, and does not come back when its connection ends.
final class SwarmDevice: Sendable {
    struct Heard: Sendable {
        /// How often each message id came.
        var messages: [String: Int] = [:]
        /// The number of the close frame, or 1006 when the connection ended without one.
        var closed: UInt16?
        var closedAt: ContinuousClock.Instant?
        /// `code` of the `error` frame before the close.
        var lastWords: String?
    }

    let client: String
    /// Which node welcomed it.
    let node: String
    let welcomedAt: ContinuousClock.Instant
    private let channel: any Channel
    private let note: SwarmNote

    var heard: Heard { note.heard.withLock { $0 } }
    var isOpen: Bool { heard.closed == nil }

    private init(client: String, node: String, channel: any Channel, note: SwarmNote) {
        self.client = client
        self.node = node
        self.channel = channel
        self.note = note
        welcomedAt = .now
    }

    deinit { channel.close(promise: nil) }

    /// Dials a node, says hello, and returns when it is welcomed.
    /// - Throws: `Refused` when the connection ends before.
    static func connect(_ client: String, token: String, to url: String) async throws -> SwarmDevice {
        guard let parts = URLComponents(string: url), let host = parts.host, let port = parts.port else {
            throw ChildProcessFailure("\(url) is no URL to dial")
        }
        let note = SwarmNote()
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let welcomed = loop.makePromise(of: String.self)
        let channel: any Channel
        do {
            channel = try await ClientBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let handler = SwarmHandler(
                            host: "\(host):\(port)", path: parts.path, token: token, note: note, welcomed: welcomed)
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                }
                .connect(host: host, port: port).get()
        } catch {
            welcomed.fail(error)
            throw error
        }
        let node = try await welcomed.futureResult.get()
        return SwarmDevice(client: client, node: node, channel: channel, note: note)
    }

    /// Says goodbye and waits for the end.
    func close() async throws {
        channel.triggerUserOutboundEvent(SwarmHandler.Goodbye(), promise: nil)
        try await channel.closeFuture.get()
    }
}

/// The connection ended before a welcome.
struct Refused: Error, CustomStringConvertible {
    let heard: SwarmDevice.Heard
    var description: String { "refused: \(heard.lastWords ?? "no word"), close \(heard.closed ?? 0)" }
}

/// What the handler writes down on its loop and the test reads.
final class SwarmNote: Sendable {
    let heard = Mutex(SwarmDevice.Heard())
}
