// A device made of bytes: it sends what a test wants, also what no WebSocket library would.

import Common
import Foundation
import NIOConcurrencyHelpers
import NIOCore
import NIOPosix
import NIOSSL
import TestKit

/// One frame or answer as it came, without any check.
struct ReceivedFrame: Equatable {
    let opcode: UInt8
    let payload: [UInt8]
    let text: String

    init(opcode: UInt8, payload: [UInt8]) {
        self.opcode = opcode
        self.payload = payload
        text = String(decoding: payload, as: UTF8.self)
    }

    /// The number in a close frame.
    var closeNumber: UInt16? {
        opcode == 8 && payload.count >= 2 ? UInt16(payload[0]) << 8 | UInt16(payload[1]) : nil
    }
}

final class DeviceSocket: Sendable {
    fileprivate struct Inbox {
        var bytes: [UInt8] = []
        var head: String?
        var frames: [ReceivedFrame] = []
        var isClosed = false
        var answersPings = true
    }

    private let channel: any Channel
    private let inbox: NIOLockedValueBox<Inbox>

    /// - Parameters:
    ///   - reads: false makes a device that takes nothing from its socket.
    ///   - preface: bytes in front of everything, also of TLS.
    ///   - tls: dials `localhost` with it.
    init(port: Int, reads: Bool = true, preface: [UInt8] = [], tls: NIOSSLContext? = nil) async throws {
        let inbox = NIOLockedValueBox(Inbox())
        self.inbox = inbox
        channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.autoRead, value: reads)
            .channelOption(.socketOption(.so_rcvbuf), value: reads ? 1 << 20 : 4_096)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if !preface.isEmpty { try channel.pipeline.syncOperations.addHandler(Preface(preface)) }
                    if let tls {
                        let handler = try NIOSSLClientHandler(context: tls, serverHostname: "localhost")
                        try channel.pipeline.syncOperations.addHandler(handler)
                    }
                    try channel.pipeline.syncOperations.addHandler(Gatherer(inbox))
                }
            }
            .connect(host: "127.0.0.1", port: port).get()
    }

    deinit { channel.close(promise: nil) }

    // MARK: Sending

    func send(_ bytes: [UInt8]) async throws { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)) }
    func send(raw text: String) async throws { try await send(Array(text.utf8)) }
    func send(_ json: String) async throws { try await send(Self.frame(0x81, Array(json.utf8))) }

    /// A masked frame with its shortest length.
    static func frame(_ first: UInt8, _ payload: [UInt8]) -> [UInt8] {
        let mask: [UInt8] = [0x11, 0x22, 0x33, 0x44]
        var bytes = [first]
        switch payload.count {
        case ...125: bytes.append(0x80 | UInt8(payload.count))
        case ...0xFFFF: bytes += [0xFE, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF)]
        default: bytes += [0xFF] + (0..<8).reversed().map { UInt8(payload.count >> ($0 * 8) & 0xFF) }
        }
        return bytes + mask + payload.enumerated().map { $1 ^ mask[$0 & 3] }
    }

    static func request(
        _ target: String = "/v1/connect", method: String = "GET", fields: String = "", upgrade: Bool = true
    ) -> String {
        let handshake =
            "upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
            + "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        return "\(method) \(target) HTTP/1.1\r\nhost: node\r\n\(upgrade ? handshake : "")\(fields)\r\n"
    }

    /// Sends the request and waits for the head of the answer.
    @discardableResult
    func open(_ request: String = request()) async throws -> String {
        try await send(raw: request)
        return try await head()
    }

    /// Takes what waits, and everything from now on.
    func stopReading() async throws { try await channel.setOption(.autoRead, value: false).get() }
    func startReading() async throws { try await channel.setOption(.autoRead, value: true).get() }

    func stopAnsweringPings() { inbox.withLockedValue { $0.answersPings = false } }
    func close() async throws { try? await channel.close() }

    // MARK: Receiving

    func head() async throws -> String {
        try await eventually("an answer to the request") { inbox.withLockedValue { $0.head } }
    }

    var frames: [ReceivedFrame] { inbox.withLockedValue { $0.frames } }
    var texts: [String] { frames.filter { $0.opcode == 1 }.map(\.text) }
    var isClosed: Bool { inbox.withLockedValue { $0.isClosed } }

    /// Waits for a text with these words.
    @discardableResult
    func text(with words: String, within limit: Duration = .seconds(10)) async throws -> String {
        try await eventually(within: limit, "a text with \(words)") { texts.first { $0.contains(words) } }
    }

    /// Waits for the close frame, and for the end of the connection after it.
    func closeNumber(within limit: Duration = .seconds(10)) async throws -> UInt16 {
        let number = try await eventually(within: limit, "a close frame") {
            frames.compactMap(\.closeNumber).first
        }
        try await end()
        return number
    }

    func end(within limit: Duration = .seconds(10)) async throws {
        try await eventually(within: limit, "the end of the connection") { isClosed }
    }

    private final class Preface: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let bytes: [UInt8]
        init(_ bytes: [UInt8]) { self.bytes = bytes }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: bytes)), promise: nil)
            context.fireChannelActive()
        }
    }

    private final class Gatherer: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer
        private let inbox: NIOLockedValueBox<Inbox>
        init(_ inbox: NIOLockedValueBox<Inbox>) { self.inbox = inbox }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            let part = unwrapInboundIn(data)
            let pongs = inbox.withLockedValue { inbox in
                inbox.bytes += Array(part.readableBytesView)
                return inbox.takeFrames()
            }
            for _ in 0..<pongs {
                context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: DeviceSocket.frame(0x8A, []))), promise: nil)
            }
        }

        func channelInactive(context: ChannelHandlerContext) { inbox.withLockedValue { $0.isClosed = true } }
        func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
    }
}

extension DeviceSocket.Inbox {
    /// - Returns: how many pongs are owed.
    fileprivate mutating func takeFrames() -> Int {
        if head == nil {
            guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return 0 }
            head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
            bytes.removeSubrange(..<end.upperBound)
        }
        var pongs = 0
        var place = 0
        while bytes.count - place >= 2 {
            var length = Int(bytes[place + 1])
            var start = place + 2
            let extra = length == 126 ? 2 : length == 127 ? 8 : 0
            guard bytes.count >= start + extra else { break }
            if extra > 0 { length = bytes[start..<start + extra].reduce(0) { $0 << 8 | Int($1) } }
            start += extra
            guard bytes.count >= start + length else { break }
            let frame = ReceivedFrame(opcode: bytes[place] & 0x0F, payload: Array(bytes[start..<start + length]))
            frames.append(frame)
            if frame.opcode == 9, answersPings { pongs += 1 }
            place = start + length
        }
        bytes.removeSubrange(..<place)
        return pongs
    }
}
