import Common
import Foundation
import NodeRPC
import PushCore
import TestKit
import Testing

@testable import PushServer

/// What reaches devices through the node service, and what becomes of those that do not read.
@Suite struct DeliveryTests {
    private func session(_ client: String, _ neighbours: Neighbours) async throws -> SessionID {
        try #require(try await neighbours.routes(of: client).first).session
    }

    @Test func aMessageArrivesByteForByteAndTheOthersAreGone() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            let payload = #"{"a": [1,2.50, "é\u0041"],  "b":null}"#
            let outcomes = try await node.deliver(
                payload, to: [SessionID(high: 1, low: 2), session("alice", neighbours), SessionID(high: ~0, low: 2)])
            #expect(outcomes == [.gone, .written, .gone])
            #expect(try await device.text(with: #""op":"message""#).contains(#""data":\#(payload),"#))
        }
    }

    @Test func aThousandMessagesArriveInOrder() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            let session = try await session("alice", neighbours)
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            for number in 0..<1_000 {
                let outcomes = try await node.deliver("\(number)", to: [session], id: "m-\(number)", by: caller)
                #expect(outcomes == [.written])
            }
            try await device.text(with: #""data":999,"#)
            let ids = device.texts.filter { $0.contains(#""op":"message""#) }
                .compactMap { $0.firstMatch(of: /"id":"m-([0-9]+)"/).flatMap { Int($0.1) } }
            #expect(ids == Array(0..<1_000))
        }
    }

    /// Messages go around the channel while the kernel takes them, then through it, then through the outbox, and back.
    @Test func whatTheKernelTakesInPartArrivesWholeAndInOrder() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.outboxBytesMax = 64 << 20
        } _: { node in
            let device = try await node.connect(reads: false)
            try await device.send(
                raw: DeviceSocket.request(fields: "authorization: Bearer \(neighbours.token("alice"))\r\n"))
            try await eventually("alice is online") { try await node.figure("windfire_sessions_online") == 1 }
            let session = try await session("alice", neighbours)
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            func deliver(_ numbers: Range<Int>, size: Int) async throws {
                for number in numbers {
                    let payload = #""\#(number):\#(String(repeating: "x", count: size))""#
                    #expect(try await node.deliver(payload, to: [session], id: "m-\(number)", by: caller) == [.written])
                }
            }
            // Far more than a socket buffer holds, so that the tail waits in the outbox.
            try await deliver(0..<100, size: 120_000)
            try await device.startReading()
            try await device.text(with: #""id":"m-99""#)
            try await deliver(100..<200, size: 50)
            try await device.text(with: #""id":"m-199""#)
            let messages = device.texts.filter { $0.contains(#""op":"message""#) }
            let ids = messages.compactMap { $0.firstMatch(of: /"id":"m-([0-9]+)"/).flatMap { Int($0.1) } }
            #expect(ids == Array(0..<200))
            let sizes = messages.prefix(100).map(\.utf8.count)
            #expect(sizes.allSatisfy { $0 > 120_000 }, "\(sizes)")
        }
    }

    @Test func aKickClosesTheSession() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            let session = try await session("alice", neighbours)
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            let closed = try await caller.kick([session, SessionID(high: 5, low: 5)], for: .kicked, on: node.member)
            #expect(closed == 1)
            #expect(try await device.closeNumber() == CloseReason.kicked.number)
            try await eventually("the route is given back") { try await neighbours.routes(of: "alice").isEmpty }
            try await node.expectNobody()
        }
    }

    @Test func clientsSendToEachOtherWhenTheirTokenAllows() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode("n1") { first in
            try await neighbours.withNode("n2") { second in
                let alice = try await first.login("alice", send: true)
                let bob = try await second.login("bob")
                try await alice.send(#"{"op":"send","to":"bob","data":{"x":1},"ref":1}"#)
                #expect(try await alice.text(with: #""ref":1"#).contains(#""delivered":1"#))
                let message = try await bob.text(with: #""op":"message""#)
                #expect(message.contains(#""from":"alice""#) && message.contains(#""data":{"x":1}"#))
                try await bob.send(#"{"op":"send","to":"alice","data":2,"ref":2}"#)
                #expect(try await bob.text(with: #""ref":2"#).contains("forbidden"))
            }
        }
    }

    @Test(arguments: Outbox.Policy.allCases)
    func whoNeverReadsCostsNoMoreThanItsOutboxAndHoldsNobodyUp(policy: Outbox.Policy) async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.overflow = policy
            $0.limits.outboxMessagesMax = 10
        } _: { node in
            let stuck = try await node.connect(reads: false)
            try await stuck.send(
                raw: DeviceSocket.request(fields: "authorization: Bearer \(neighbours.token("alice"))\r\n"))
            try await eventually("alice is routed") { try await !neighbours.routes(of: "alice").isEmpty }
            let bob = try await node.login("bob")
            try await eventually("both are online") { try await node.figure("windfire_sessions_online") == 2 }
            let sessions = [try await session("alice", neighbours), try await session("bob", neighbours)]
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            let payload = #""\#(String(repeating: "x", count: 100_000))""#
            var outcomes: Set<DeliveryOutcome> = []
            for number in 0..<120 {
                let both = try await node.deliver(payload, to: sessions, id: "m-\(number)", key: "k", by: caller)
                outcomes.insert(both[0])
                #expect(both[1] == .written)
            }
            try await bob.text(with: #""id":"m-119""#)
            switch policy {
            case .dropOldest, .collapse:
                #expect(outcomes == [.written])
                #expect(try await node.figure("windfire_outbox_displaced_total") > 20)
                #expect(!stuck.isClosed)
            case .disconnect:
                #expect(outcomes == [.written, .refused, .gone])
                #expect(try await node.ended(.slowConsumer) == 1)
                try await eventually("the route is given back") { try await neighbours.routes(of: "alice").isEmpty }
            }
            try await stuck.close()
            try await bob.close()
            try await node.expectNobody()
        }
    }
}
