// A client of hotwheels made of bytes.

import Common
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import TestKit
import Testing

final class JanusDevice: Sendable {
    private struct Heard {
        var bytes: [UInt8] = []
        var isClosed = false
    }

    private let channel: any Channel
    private let heard: NIOLockedValueBox<Heard>

    init(port: Int, preface: [UInt8] = []) async throws {
        let heard = NIOLockedValueBox(Heard())
        self.heard = heard
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.socketOption(.tcp_nodelay), value: 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(Gatherer(heard))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
        if !preface.isEmpty { try await send(preface) }
    }

    deinit { channel.close(promise: nil) }

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }

    /// With its prefix and its terminator.
    func say(_ payload: String) async throws { try await send(JanusReadingTests.framed(payload)) }

    /// Without a terminator, as hotwheels' bot publishes.
    func publish(_ data: String, to topic: String, event: String = "e", id: String = "") async throws {
        let object = #"{"topic":"\#(topic)","event":"\#(event)","message_id":"\#(id)","data":\#(data)}"#
        try await send(JanusReadingTests.publishing(object))
    }

    /// As hotwheels' publisher: it closes at once, and what it was sent stays unread, so that the end is a reset.
    static func publishAndLeave(_ data: String, to topic: String, port: Int) async throws {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: false).connect(host: "127.0.0.1", port: port).get()
        let object = #"{"topic":"\#(topic)","event":"e","message_id":"","data":\#(data)}"#
        try await channel.writeAndFlush(ByteBuffer(bytes: JanusReadingTests.publishing(object)))
        // The node may have closed it already.
        try? await channel.close()
    }

    /// Says that nothing more comes.
    func closeOutput() async throws { try await channel.close(mode: .output) }
    func close() async throws { try? await channel.close() }

    var bytes: [UInt8] { heard.withLockedValue { $0.bytes } }
    /// Whole frames in their order, without terminators.
    var frames: [String] {
        bytes.split(separator: 0x01, omittingEmptySubsequences: false).dropLast().map {
            String(decoding: $0, as: UTF8.self)
        }
    }
    /// What was delivered, from the topic on.
    var deliveries: [String] {
        frames.compactMap { frame in
            frame.firstRange(of: #"],"topic":"#).map { String(frame[$0.lowerBound...].dropFirst(2)) }
        }
    }
    var isClosed: Bool { heard.withLockedValue { $0.isClosed } }

    /// The session id out of the greeting, which is the first frame.
    @discardableResult
    func greeting() async throws -> SessionID {
        let frame = try await eventually("a greeting") { frames.first }
        let match = try #require(
            frame.wholeMatch(of: /\{"timestamp":\[([0-9]+),([0-9]+),([0-9]+)\],"token":\[([0-9,]+)\]\}/))
        let parts = try [match.1, match.2, match.3].map { try #require(UInt64($0)) }
        let microseconds = (parts[0] * 1_000_000 + parts[1]) * 1_000_000 + parts[2]
        let now = WallClock.microseconds()
        #expect(microseconds <= now && now - microseconds < 60_000_000)
        let codes = try match.4.split(separator: ",").map { try #require(UInt8($0)) }
        #expect(codes.count == 32)
        return try SessionID(String(decoding: codes, as: UTF8.self))
    }

    func subscribe(_ topic: String) async throws {
        let before = acknowledged
        try await say(#"{"action":"subscribe","data":"\#(topic)"}"#)
        try await eventually("an ACK") { acknowledged == before + 1 }
    }

    var acknowledged: Int { frames.count { $0 == "ACK" } }
    var pings: Int { frames.count { $0 == "PING" } }

    func heard(_ expected: [String]) async throws {
        try await eventually("\(expected.count) deliveries") { deliveries.count >= expected.count }
        #expect(deliveries == expected)
    }

    func end() async throws { try await eventually("the end of the connection") { isClosed } }

    private final class Gatherer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        private let heard: NIOLockedValueBox<Heard>
        init(_ heard: NIOLockedValueBox<Heard>) { self.heard = heard }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = unwrapInboundIn(data)
            heard.withLockedValue { $0.bytes += Array(part.readableBytesView) }
        }

        func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
            if case ChannelEvent.inputClosed? = event as? ChannelEvent { heard.withLockedValue { $0.isClosed = true } }
        }

        func channelInactive(context: ChannelHandlerContext) { heard.withLockedValue { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}
