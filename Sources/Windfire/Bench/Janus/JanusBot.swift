import Foundation
import NIOCore
import Synchronization

/// What the bots of one run do and have seen. Touched by their loops and by the bench.
final class JanusTally: Sendable {
    private struct State {
        var publishedAt: ContinuousClock.Instant?
        var times: [Duration] = []
        var settled = 0
    }

    let topic: String
    /// What a delivery ends with, behind its timestamp.
    let expected: [UInt8]
    private let state = Mutex(State())

    init(topic: String) {
        self.topic = topic
        expected = Array((#"],"# + Self.members(of: topic) + "}").utf8)
    }

    /// hotwheels' message: the members of its publish, and of its delivery behind the timestamp.
    static func members(of topic: String) -> String {
        #""topic":\#(quoted(topic)),"event":"test_event","message_id":"","data":"test""#
    }

    /// As a JSON string; a topic has no control characters.
    static func quoted(_ text: String) -> String {
        "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }

    func published() { state.withLock { $0.publishedAt = .now } }

    func saw(isExpected: Bool) {
        let now = ContinuousClock.now
        state.withLock { state in
            state.settled += 1
            if isExpected, let start = state.publishedAt { state.times.append(start.duration(to: now)) }
        }
    }

    var publishedAt: ContinuousClock.Instant? { state.withLock { $0.publishedAt } }
    /// Bots that have seen something, right or wrong.
    var settled: Int { state.withLock { $0.settled } }
    var times: [Duration] { state.withLock { $0.times } }
}

/// One bot: greeting, subscription, ACK, and then the one message.
final class JanusBot: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    struct Lost: Error {}

    private static let prefix = "<regular-socket/>\0"

    private enum Phase {
        case greeting, subscribing, waiting, done
    }

    private let tally: JanusTally
    private let subscribed: EventLoopPromise<Void>
    private var phase = Phase.greeting
    private var partial = ByteBuffer()

    init(_ tally: JanusTally, subscribed: EventLoopPromise<Void>) {
        self.tally = tally
        self.subscribed = subscribed
    }

    func channelActive(context: ChannelHandlerContext) { say("PING", context) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        partial.writeBuffer(&bytes)
        while let end = partial.readableBytesView.firstIndex(of: 0x01) {
            let frame = partial.readSlice(length: end - partial.readerIndex) ?? ByteBuffer()
            partial.moveReaderIndex(forwardBy: 1)
            heard(frame, context)
        }
        if partial.readableBytes == 0 { partial = ByteBuffer() }
    }

    private func heard(_ frame: ByteBuffer, _ context: ChannelHandlerContext) {
        let bytes = frame.readableBytesView
        if bytes.elementsEqual("PING".utf8) { return say("PONG", context) }
        switch phase {
        case .greeting:
            phase = .subscribing
            say(#"{"action":"subscribe","data":\#(JanusTally.quoted(tally.topic))}"#, context)
        case .subscribing where bytes.elementsEqual("ACK".utf8):
            phase = .waiting
            subscribed.succeed()
        // A delivery may overtake the ACK of its own subscription; before ours is published it is somebody else's.
        case .subscribing: break
        case .waiting:
            phase = .done
            tally.saw(
                isExpected: bytes.starts(with: #"{"timestamp":["#.utf8)
                    && bytes.suffix(tally.expected.count).elementsEqual(tally.expected))
        case .done: break
        }
    }

    private func say(_ payload: String, _ context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: Self.prefix + payload + "\0")), promise: nil)
    }

    func channelInactive(context: ChannelHandlerContext) {
        subscribed.fail(Lost())
        if phase == .waiting { tally.saw(isExpected: false) }
        phase = .done
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}

/// The publisher: one publish, whose object has no terminator, and then the server closes.
final class JanusPublisher: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let tally: JanusTally

    init(_ tally: JanusTally) { self.tally = tally }

    func channelActive(context: ChannelHandlerContext) {
        tally.published()
        let object = "{" + JanusTally.members(of: tally.topic) + "}"
        context.writeAndFlush(
            wrapOutboundOut(ByteBuffer(string: "<regular-socket/>\0PUBLISH\0" + object)), promise: nil)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
