import Common
import Foundation
import TestKit
import Testing

@testable import PushServer

/// Bytes that no well-behaved device sends, over real sockets: a named end, the route given back, nothing left.
@Suite struct BadInputTests {
    @Test func anUnknownOperationIsAnErrorAndTheConnectionGoesOn() async throws {
        try await Neighbours().withNode { node in
            let device = try await node.login("alice")
            try await device.send(#"{"op":"dance","ref":"a"}"#)
            #expect(try await device.text(with: "unknown_op").contains(#""ref":"a""#))
            try await device.send("{")
            try await device.text(with: "invalid_json")
            try await device.send(#"{"op":"ping"}"#)
            try await device.text(with: #""op":"pong""#)
        }
    }

    @Test func beforeHelloNothingElseIsDone() async throws {
        try await Neighbours().withNode { node in
            let device = try await node.connect()
            try await device.open()
            try await device.send(#"{"op":"send","to":"bob","data":1,"ref":9}"#)
            #expect(try await device.text(with: "not_authenticated").contains(#""ref":9"#))
        }
    }

    struct Bytes: CustomTestStringConvertible, Sendable {
        let testDescription: String
        let bytes: [UInt8]
        let reason: CloseReason
    }

    static let cases = [
        Bytes(testDescription: "binary", bytes: DeviceSocket.frame(0x82, [1]), reason: .unsupportedData),
        Bytes(testDescription: "unmasked", bytes: [0x81, 0x02, 0x7B, 0x7D], reason: .badProtocol),
        Bytes(testDescription: "reserved bit", bytes: DeviceSocket.frame(0xC1, [0x7B]), reason: .badProtocol),
        Bytes(
            testDescription: "oversized", bytes: [0x81, 0xFF, 0, 0, 0, 0, 0, 1, 0, 1, 1, 2, 3, 4], reason: .tooLarge),
        Bytes(
            testDescription: "tiny fragments",
            bytes: DeviceSocket.frame(0x01, [0x20]) + (0..<1_100).flatMap { _ in DeviceSocket.frame(0x00, [0x20]) },
            reason: .tooLarge),
        Bytes(testDescription: "invalid UTF-8", bytes: DeviceSocket.frame(0x81, [0x22, 0xFF]), reason: .invalidText),
        Bytes(
            testDescription: "a second hello",
            bytes: DeviceSocket.frame(0x81, Array(#"{"op":"hello","token":"x"}"#.utf8)),
            reason: .protocolViolation),
    ]

    @Test(arguments: cases) func badBytesEndTheSession(_ bad: Bytes) async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            try await device.send(bad.bytes)
            #expect(try await device.closeNumber() == bad.reason.number)
            try await eventually("the route is given back") { try await neighbours.routes(of: "alice").isEmpty }
            try await node.expectNobody()
            #expect(try await node.ended(bad.reason) == 1)
        }
    }

    @Test(arguments: [
        ("/nowhere", "GET", "", true, "404"), ("/v1/connect", "POST", "", true, "405"),
        ("/v1/connect", "GET", "", false, "426"),
        ("/v1/connect", "GET", "origin: https://evil.example\r\n", true, "403"),
    ])
    func otherRequestsGetAShortAnswer(
        target: String, method: String, fields: String, upgrade: Bool, status: String
    ) async throws {
        try await Neighbours().withNode {
            $0.allowedOrigins = ["https://app.example"]
        } _: { node in
            let device = try await node.connect()
            let request = DeviceSocket.request(target, method: method, fields: fields, upgrade: upgrade)
            #expect(try await device.open(request).hasPrefix("HTTP/1.1 \(status) "))
            try await device.end()
            try await node.expectNobody()
            let welcome = try await node.connect()
            let allowed = DeviceSocket.request(fields: "origin: https://app.example\r\n")
            #expect(try await welcome.open(allowed).hasPrefix("HTTP/1.1 101 "))
        }
    }

    @Test func connectionsThatNeverBecomeASessionAreCountedByReasonAndApart() async throws {
        try await Neighbours().withNode { node in
            try await node.expectItsOwnProbeCounted()
            let silent = try await node.connect()
            try await silent.close()
            let open = try await node.connect()
            try await open.open()
            try await open.close()
            let polite = try await node.connect()
            try await polite.open()
            try await polite.send(DeviceSocket.frame(0x88, [0x03, 0xE8]))
            #expect(try await polite.closeNumber() == 1000)
            let garbage = try await node.connect()
            try await garbage.send([0x16, 0x03, 0x01])
            try await garbage.end()
            let session = try await node.login("alice")
            try await session.close()

            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(.connectionLost) == 3)
            #expect(try await node.endedBeforeLogin(.clientLeft) == 1)
            #expect(try await node.endedBeforeLogin(.badProtocol) == 1)
            #expect(try await node.ended(.connectionLost) == 1)
            #expect(try await node.ended(.clientLeft) == 0)
        }
    }

    @Test func aHalfOpenConnectionIsGivenUp() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.heartbeat = .milliseconds(500)
            $0.limits.heartbeatGrace = .milliseconds(500)
        } _: { node in
            let living = try await node.login("bob")
            let silent = try await node.login("alice")
            silent.stopAnsweringPings()
            #expect(try await silent.closeNumber() == CloseReason.heartbeatTimeout.number)
            try await eventually("the route is given back") { try await neighbours.routes(of: "alice").isEmpty }
            #expect(!living.isClosed, "who answers pings stays")
            #expect(try await node.ended(.heartbeatTimeout) == 1)
        }
    }

    @Test func whoSendsTooFastIsPausedAndThenClosed() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.messagesPerSecondMax = 20
            $0.limits.messagesBurstMax = 20
            $0.overPaceMax = .seconds(2)
        } _: { node in
            let device = try await node.login("alice")
            let frame = DeviceSocket.frame(0x81, Array(#"{"op":"ping"}"#.utf8))
            let flood = Array(repeatElement(frame, count: 20_000).joined())
            let writing = Task { try await device.send(flood) }
            #expect(try await device.closeNumber(within: .seconds(30)) == CloseReason.rateLimited.number)
            _ = await writing.result
            #expect(device.texts.count < 10_000, "reading was paused")
            try await node.expectNobody()
        }
    }

    @Test func beforeHelloAnswersThatNobodyReadsPauseReading() async throws {
        try await Neighbours().withNode {
            $0.limits.authenticationDeadline = .seconds(2)
        } _: { node in
            let device = try await node.connect(reads: false)
            try await device.send(raw: DeviceSocket.request())
            let pings = Array(
                repeatElement(DeviceSocket.frame(0x89, [UInt8](repeating: 1, count: 125)), count: 200_000).joined())
            let writing = Task { try await device.send(pings) }
            try await eventually("the deadline ends it") {
                try await node.endedBeforeLogin(.authenticationTimeout) == 1
            }
            try await node.expectNobody()
            await #expect(throws: (any Error).self, "the node did not take 26 MB of pings") { try await writing.value }
        }
    }
}
