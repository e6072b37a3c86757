import Common
import Foundation
import NodeRPC
import TestKit
import Testing

@testable import PushServer

/// Rooms whose messages leave together, and messages for everyone.
@Suite struct MergedTopicTests {
    @Test func whatComesWithinAWindowLeavesAsOneBatch() async throws {
        let neighbours = try Neighbours()
        let rules = try TopicRules([
            TopicRule(TopicPattern("danmaku/#"), merge: .init(window: .milliseconds(400), messagesMax: 3))
        ])
        try await neighbours.withNode {
            $0.topicRules = rules
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            let bob = try await node.login("bob", topics: ["#"])
            try await alice.subscribe("danmaku/1")
            try await bob.subscribe("danmaku/+")
            for number in 1...5 { try await alice.send(#"{"op":"publish","topic":"danmaku/1","data":\#(number)}"#) }
            for listener in [alice, bob] {
                let batch = try await listener.text(
                    with: #"{"op":"batch","topic":"danmaku/1","left_out":2,"messages":["#)
                let data = batch.matches(of: /"data":([0-9]+)/).map { String($0.1) }
                #expect(data == ["3", "4", "5"], "the newest are kept")
                #expect(batch.matches(of: /"from":"alice"/).count == 3)
            }
            #expect(try await alice.publish("6", to: "danmaku/1") == 2, "whom it is for, although it still waits")
            try await alice.text(with: #"{"op":"batch","topic":"danmaku/1","messages":["#)
            #expect(alice.heard(of: "danmaku/1") == [], "none came alone")
            #expect(try await node.figure(#"windfire_topic_messages_total{fate="merged"}"#) == 4)
            #expect(try await node.figure(#"windfire_topic_messages_total{fate="left_out"}"#) == 2)
        }
    }

    @Test func everyoneHears() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            var devices: [DeviceSocket] = []
            for number in 0..<20 { devices.append(try await node.login("client\(number)")) }
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            func publish(_ number: UInt64, _ data: String, perSecondMax: UInt32? = nil) async throws -> [PublishOutcome]
            {
                let message = TopicMessage(
                    id: try MessageID("m\(number)"), timestampMilliseconds: 1, data: Array(data.utf8))
                let batch = PublishBatch(
                    link: 7, number: number,
                    publications: [Publication(to: .everyone(perSecondMax: perSecondMax), message)])
                return try await caller.publish(batch, on: node.member)
            }
            #expect(try await publish(1, "1") == [PublishOutcome(delivered: 20)])
            for device in devices { try await device.text(with: #""data":1,"#) }
            #expect(try await publish(2, "2", perSecondMax: 100) == [PublishOutcome(delivered: 20)])
            for device in devices { try await device.text(with: #""data":2,"#) }
            #expect(devices[0].texts.last?.contains("topic") == false)
        }
    }

    @Test func aCallWhoseTurnHasPassedIsRefused() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
            let batch = PublishBatch(link: 7, number: 1, publications: [])
            let member = try node.member
            #expect(try await caller.publish(batch, on: member) == [])
            let error = await #expect(throws: WindfireError.self) { try await caller.publish(batch, on: member) }
            #expect(error?.code == .conflict)
        }
    }
}
