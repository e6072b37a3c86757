import Common
import Foundation
import NodeRPC
import PushCore
import TestKit
import Testing

@testable import PushServer

/// Stored messages, from the inbox to the device and back as acknowledgements.
@Suite struct StoredDeliveryTests {
    @Test func aStoredMessageIsSentAcknowledgedAndNotSentAgain() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            #expect(try await neighbours.store("1", for: "alice", on: node) == [.written])
            let message = try await device.text(with: #""data":1,"#)
            #expect(message.contains(#""ack":true"#))
            try await device.acknowledge(message)
            try await eventually("the cursor has moved") { try await neighbours.waiting(for: "alice") == 0 }
            try await device.close()
            let again = try await node.login("alice")
            #expect(try await neighbours.store("2", for: "alice", on: node) == [.written])
            try await again.text(with: #""data":2,"#)
            #expect(again.payloads == ["2"])
        }
    }

    @Test func whatWasStoredMeanwhileComesFirstAndInOrder() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            // A first visit makes the device known.
            try await node.login("alice").close()
            try await node.expectNobody()
            for number in 1...250 { #expect(try await neighbours.store("\(number)", for: "alice", on: node) == []) }
            let device = try await node.login("alice")
            // Three pages, windows of 64: nothing more comes until something is acknowledged.
            try await device.text(with: #""data":64,"#)
            #expect(device.payloads == (1...64).map(String.init))
            #expect(try await neighbours.store("251", for: "alice", on: node) == [.written])
            try await device.acknowledgeEverything(until: "251")
            #expect(device.payloads == (1...251).map(String.init))
            try await eventually("everything is acknowledged") { try await neighbours.waiting(for: "alice") == 0 }
        }
    }

    @Test func aDeliveryThatWasLostIsFoundByTheSweepOrTheNextMessage() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.inboxSweep = .seconds(1)
        } _: { node in
            let device = try await node.login("alice")
            // Stored, but the node is not told.
            try await neighbours.store("1", for: "alice")
            try await device.text(with: #""data":1,"#)
            try await neighbours.store("2", for: "alice")
            #expect(try await neighbours.store("3", for: "alice", on: node) == [.written])
            try await device.text(with: #""data":3,"#)
            #expect(device.payloads == ["1", "2", "3"])
        }
    }

    @Test func withoutAnAcknowledgementItIsSentAgain() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.acknowledgementTimeout = .seconds(1)
        } _: { node in
            let device = try await node.login("alice")
            #expect(try await neighbours.store("1", for: "alice", on: node) == [.written])
            try await eventually("it came twice") { device.payloads == ["1", "1"] }
            try await device.acknowledge(device.texts.last { $0.contains(#""op":"message""#) } ?? "")
            try await eventually("the cursor has moved") { try await neighbours.waiting(for: "alice") == 0 }
        }
    }

    @Test func aDeviceThatTakesNoneIsSentNone() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.connect()
            try await device.open()
            try await device.send(#"{"op":"hello","token":"\#(neighbours.token("alice"))","inbox":false}"#)
            try await device.text(with: #""op":"welcome""#)
            #expect(try await neighbours.store("1", for: "alice", on: node) == [.gone])
            try await device.send(#"{"op":"ping"}"#)
            try await device.text(with: "pong")
            #expect(device.payloads == [])
        }
    }

    @Test func aDeviceIsToldHowManyItsFullInboxLost() async throws {
        var limits = Limits.default
        limits.inboxMessagesMax = 10
        let neighbours = try Neighbours(limits: limits)
        try await neighbours.withNode { node in
            try await node.login("alice").close()
            try await node.expectNobody()
            for number in 1...25 { try await neighbours.store("\(number)", for: "alice") }
            let device = try await node.login("alice")
            #expect(try await device.text(with: #""op":"gap""#) == #"{"op":"gap","missed":15}"#)
            try await device.text(with: #""data":25,"#)
            #expect(device.payloads == (16...25).map(String.init))
        }
    }

    @Test func aLoginWhileTheStoreIsAwayGetsItsMessagesOnceItIsBack() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.reconcileInterval = .milliseconds(200)
        } _: { node in
            try await node.login("alice").close()
            try await node.expectNobody()
            try await neighbours.store("1", for: "alice")
            neighbours.routes.goAway()
            let device = try await node.login("alice")
            neighbours.routes.comeBack()
            try await device.text(with: #""data":1,"#)
            #expect(device.payloads == ["1"])
        }
    }

    /// The route server's side of a chunk that is run again: its answer was lost, the messages were not.
    @Test func aRepeatedPartOfAJobReachesEachSessionOnce() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let device = try await node.login("alice")
            let session = try #require(try await neighbours.routes(of: "alice").first).session
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            let live = Delivery(
                message: try MessageID("m-1"), timestampMilliseconds: 7, data: Array("1".utf8), sessions: [session],
                isChunk: true)
            for _ in 0..<3 { #expect(try await caller.deliver(live, to: node.member) == [.written]) }
            for _ in 0..<3 {
                #expect(try await neighbours.store("2", for: "alice", on: node, push: 5, isRepeat: true) == [.written])
            }
            try await device.text(with: #""data":2,"#)
            try await device.send(#"{"op":"ping"}"#)
            try await device.text(with: "pong")
            #expect(device.payloads == ["1", "2"])
        }
    }
}

extension Neighbours {
    /// Stores a message as a route server does, and tells the node if there is one.
    @discardableResult
    fileprivate func store(
        _ data: String, for client: String, on node: RunningNode? = nil, push: UInt64 = .random(in: 10 ... .max),
        isRepeat: Bool = false
    ) async throws -> [DeliveryOutcome] {
        let now = WallClock.milliseconds()
        let message = StoredMessage(
            push: UUIDv7(unixMilliseconds: 1, random: (push, push)), data: Array(data.utf8),
            timestampMilliseconds: now, expiresAtMilliseconds: now + 600_000)
        let results = await routes.store(message, for: [try ClientID(client)], isRepeat: isRepeat)
        guard case .stored(let position, let previous, _, let sessions) = results[0] else {
            Issue.record("not stored: \(results[0])")
            return []
        }
        guard let node, !sessions.isEmpty else { return [] }
        let place = StoredPlace(position: position, previous: previous)
        return try await GRPCNodeCaller(secret: secret, logger: quiet).deliver(
            Delivery(
                message: position.messageID, timestampMilliseconds: now, data: message.data,
                sessions: sessions.map(\.session), places: sessions.map { _ in place }),
            to: node.member)
    }

    /// How many messages no device of the client has acknowledged.
    fileprivate func waiting(for client: String) async throws -> Int {
        let summary = try await routes.inboxSummary(of: ClientID(client))
        return Int((summary.last ?? .start).sequence - summary.acknowledged.sequence)
    }
}

extension DeviceSocket {
    /// The data of the messages so far.
    fileprivate var payloads: [String] {
        texts.compactMap { $0.firstMatch(of: /"op":"message".*"data":([0-9]+),/).map { String($0.1) } }
    }

    fileprivate func acknowledge(_ message: String) async throws {
        guard let id = message.firstMatch(of: /"id":"([^"]*)"/)?.1 else { throw NotThere() }
        try await send(#"{"op":"ack","id":"\#(id)"}"#)
    }

    /// As an application does: each time something new is there, the newest is acknowledged.
    fileprivate func acknowledgeEverything(until payload: String) async throws {
        var acknowledged = 0
        try await eventually("message \(payload)") {
            let messages = texts.filter { $0.contains(#""op":"message""#) }
            if messages.count > acknowledged, let last = messages.last {
                acknowledged = messages.count
                try await acknowledge(last)
            }
            return messages.last?.contains("\"data\":\(payload),") ?? false
        }
    }

    private struct NotThere: Error {}
}
