import Common
import Logging
import NIOConcurrencyHelpers
import NIOCore
import TestKit
import Testing

@testable import PushServer

/// Devices behind a balancer that says where they come from: all dial from loopback, which is the balancer here.
@Suite(.timeLimit(.minutes(2))) struct ProxiedConnectionTests {
    private func line(_ source: String) -> [UInt8] { Array("PROXY TCP4 \(source) 192.0.2.200 4000 8300\r\n".utf8) }
    private func block(_ last: UInt8) -> [UInt8] {
        ProxyHeaderTests.binary([192, 0, 2, last, 192, 0, 2, 200, 0, 1, 0, 2])
    }

    private func withNode(
        trusting blocks: [String] = ["192.0.2.200", "127.0.0.0/8"],
        limits change: (inout Limits) -> Void = { _ in },
        _ body: (RunningNode) async throws -> Void
    ) async throws {
        let trusted = try blocks.map { try #require(AddressBlock($0)) }
        try await Neighbours().withNode {
            $0.trustedProxies = trusted
            change(&$0.limits)
        } _: { node in
            try await node.expectItsOwnProbeCounted()
            try await body(node)
        }
    }

    /// Says these bytes first, then opens a WebSocket. Returns the status.
    private func status(_ node: RunningNode, after header: [UInt8]) async throws -> String {
        let device = try await node.connect()
        try await device.send(header + Array(DeviceSocket.request().utf8))
        return try await String(device.head().split(separator: " ")[1])
    }

    @Test func bothVersionsLeadToAWholeSession() async throws {
        try await withNode { node in
            for (client, header) in [("alice", line("192.0.2.1")), ("bob", block(2))] {
                let device = try await node.connect()
                try await device.send(header)
                try await device.open()
                try await device.send(node.hello(try node.neighbours.token(client)))
                try await device.text(with: #""op":"welcome""#)
            }
        }
    }

    @Test func aHeaderTornIntoBytesIsPutTogether() async throws {
        try await withNode { node in
            for header in [line("192.0.2.1"), block(2)] {
                let device = try await node.connect()
                for byte in header + Array(DeviceSocket.request().utf8) { try await device.send([byte]) }
                #expect(try await device.head().hasPrefix("HTTP/1.1 101 "))
            }
        }
    }

    @Test func thePaceIsThatOfTheAddressInTheHeader() async throws {
        try await withNode(limits: { ($0.connectsPerAddressPerSecondMax, $0.connectsPerAddressBurstMax) = (1, 2) }) {
            node in
            let mapped = "PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 4000 8300\r\n"
            var answers: [String] = []
            for header in [line("192.0.2.1"), Array(mapped.utf8), block(1), block(2)] {
                answers.append(try await status(node, after: header))
            }
            #expect(answers == ["101", "101", "503", "101"], "one address has one pace, however it is written")
            #expect(try await node.figure("windfire_connections_refused_total") == 1)
            // The balancer's own checks, and its own address.
            for _ in 0..<5 {
                #expect(try await status(node, after: Array("PROXY UNKNOWN\r\n".utf8)) == "101")
                #expect(try await status(node, after: ProxyHeaderTests.binary(command: 0x20)) == "101")
                #expect(try await status(node, after: ProxyHeaderTests.binary(family: 0, [])) == "101")
            }
        }
    }

    @Test(
        arguments: [
            (Array("GET /v1/connect HTTP/1.1\r\n".utf8), .badProtocol),
            (Array("PROXY TCP4 192.0.2.1\r\n".utf8), .badProtocol),
            (ProxyHeaderTests.binary(command: 0x2F), .badProtocol),
            ([UInt8]("PROXY UNKNOWN ".utf8) + [UInt8](repeating: 0x78, count: 200), .tooLarge),
            (ProxyHeaderTests.binary([], length: 5_000), .tooLarge),
        ] as [([UInt8], CloseReason)])
    func withoutAHeaderTheConnectionEnds(_ bytes: [UInt8], _ reason: CloseReason) async throws {
        try await withNode { node in
            let device = try await node.connect()
            try? await device.send(bytes)
            try await device.end()
            #expect(device.frames.isEmpty)
            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(reason) == 1)
            #expect(try await node.figure("windfire_proxy_headers_refused_total") == 1)
        }
    }

    @Test func aHeaderThatDoesNotComeEndsTheConnectionAtTheDeadlineOfTheLogin() async throws {
        try await withNode(limits: { $0.authenticationDeadline = .seconds(1) }) { node in
            let silent = try await node.connect()
            let torn = try await node.connect()
            let late = try await node.connect()
            try await torn.send(Array(line("192.0.2.1").dropLast()))
            try await late.send(line("192.0.2.1"))
            for device in [silent, torn, late] { try await device.end() }
            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(.authenticationTimeout) == 3)
            #expect(try await node.figure("windfire_proxy_headers_refused_total") == 2, "the third had one")
        }
    }

    @Test func theOperatorIsToldOnceWhoSendsNoHeader() async throws {
        let log = LogCollector()
        var neighbours = try Neighbours()
        neighbours.logger = Logger(label: "test") { _ in log }
        let loopback = try #require(AddressBlock("127.0.0.1"))
        try await neighbours.withNode {
            $0.trustedProxies = [loopback]
        } _: { node in
            for _ in 0..<3 {
                let device = try await node.connect()
                try? await device.send(raw: DeviceSocket.request())
                try await device.end()
            }
            #expect(try await node.figure("windfire_proxy_headers_refused_total") == 3)
        }
        let said = log.lines.filter { $0.message == "a trusted proxy sends no PROXY header" }
        #expect(said.map(\.level) == [.warning])
        #expect(said.first?.metadata["address"] == "127.0.0.1")
        #expect(said.first?.metadata["reason"] == "bad_protocol")
    }

    @Test func aConnectionThatIsOnlyLookedAtIsCounted() async throws {
        try await withNode { node in
            for _ in 0..<3 { try await node.connect().close() }
            try await eventually("three more are counted") { try await node.endedBeforeLogin(.connectionLost) == 4 }
            #expect(try await node.figure("windfire_proxy_headers_refused_total") == 0)
        }
    }

    @Test func fromOthersAHeaderIsBadBytes() async throws {
        try await withNode(trusting: ["192.0.2.0/24", "2001:db8::/32"]) { node in
            for header in [line("192.0.2.1"), block(1)] {
                let device = try await node.connect()
                try? await device.send(header + Array(DeviceSocket.request().utf8))
                try await device.end()
            }
            #expect(try await status(node, after: []) == "101")
            #expect(try await node.endedBeforeLogin(.badProtocol) == 2)
            #expect(try await node.figure("windfire_proxy_headers_refused_total") == 0)
        }
    }
}

/// Keeps what was logged.
private struct LogCollector: LogHandler {
    struct Line {
        let level: Logger.Level
        let message: String
        let metadata: [String: String]
    }

    private let kept = NIOLockedValueBox<[Line]>([])
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.debug

    var lines: [Line] { kept.withLockedValue { $0 } }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let line = Line(
            level: event.level, message: event.message.description,
            metadata: (event.metadata ?? [:]).mapValues(\.description))
        kept.withLockedValue { $0.append(line) }
    }
}
