import Common
import Foundation
import NodeRPC
import TestKit
import Testing

@testable import PushServer

/// Heartbeats, merged topics, everyone, balancers and ends, as a client of hotwheels sees them.
@Suite struct JanusLifeTests {
    private func withNode(
        _ change: (inout PushServerConfiguration) -> Void = { _ in }, _ body: (RunningNode) async throws -> Void
    ) async throws {
        try await Neighbours().withNode {
            JanusTests.configured(&$0)
            change(&$0)
        } _: {
            try await body($0)
        }
    }

    @Test func onePingAfterADeliveryAndNobodyIsCutOff() async throws {
        try await withNode {
            $0.janus?.pingAfterDelivery = .milliseconds(300)
            $0.limits.heartbeat = .milliseconds(200)
            $0.limits.heartbeatGrace = .milliseconds(200)
        } _: { node in
            let (bot, silent) = (try await node.janus(), try await node.janus())
            try await bot.subscribe("t")
            try await silent.subscribe("other")
            try await node.janusPublish("1", to: "t")
            try await eventually("a ping") { bot.pings == 1 }
            #expect(bot.frames.last == "PING", "behind the delivery")
            try await never(for: .seconds(1), "another ping, or an end") {
                bot.pings > 1 || silent.pings > 0 || bot.isClosed || silent.isClosed
            }
            try await node.janusPublish("2", to: "t")
            try await eventually("a ping for the next delivery") { bot.pings == 2 }
            #expect(bot.deliveries.count == 2)
        }
    }

    @Test func aMergedTopicComesInSingleFrames() async throws {
        let rules = try TopicRules([TopicRule(TopicPattern("danmaku/#"), merge: .init(window: .milliseconds(200)))])
        try await withNode {
            $0.topicRules = rules
        } _: { node in
            let bot = try await node.janus()
            try await bot.subscribe("danmaku/1")
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("danmaku/1")
            for number in 1...5 { try await alice.send(#"{"op":"publish","topic":"danmaku/1","data":\#(number)}"#) }
            try await alice.text(with: #""op":"batch""#)
            try await eventually("five deliveries") { bot.deliveries.count == 5 }
            #expect(
                bot.deliveries.compactMap { $0.firstMatch(of: /"data":([0-9])\}/)?.1 } == ["1", "2", "3", "4", "5"])
        }
    }

    @Test func whatIsForEveryoneReachesThemToo() async throws {
        try await withNode { node in
            let bot = try await node.janus()
            try await bot.greeting()
            let message = TopicMessage(id: try MessageID("m1"), timestampMilliseconds: 1_000, data: Array("5".utf8))
            let batch = PublishBatch(
                link: 7, number: 1, publications: [Publication(to: .everyone(perSecondMax: nil), message)])
            let caller = GRPCNodeCaller(secret: node.neighbours.secret, logger: quiet)
            #expect(try await caller.publish(batch, on: node.member) == [PublishOutcome(delivered: 1)])
            try await bot.heard([#""topic":"","event":"message","message_id":"m1","data":5}"#])
            #expect(bot.frames.last?.hasPrefix(#"{"timestamp":[0,1,0],"#) == true)
        }
    }

    @Test func behindABalancerTheGreetingFollowsTheHeader() async throws {
        let loopback = try #require(AddressBlock("127.0.0.0/8"))
        try await withNode {
            $0.trustedProxies = [loopback]
        } _: { node in
            let header = Array("PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".utf8)
            let bot = try await node.janus(preface: header)
            try await bot.greeting()
            try await bot.subscribe("t")
            let other = try await node.janus(onOwnPort: false, preface: header + JanusReadingTests.framed("PING"))
            try await other.greeting()
        }
    }

    @Test func aFullNodeClosesWithoutAWord() async throws {
        try await withNode {
            $0.limits.connectionsMax = 2
        } _: { node in
            let bots = [try await node.janus(), try await node.janus()]
            for bot in bots { try await bot.greeting() }
            for isOwnPort in [true, false] {
                let refused = try await node.janus(
                    onOwnPort: isOwnPort, preface: isOwnPort ? [] : JanusReadingTests.framed("PING"))
                try await refused.end()
                #expect(refused.bytes == [])
            }
            #expect(try await node.endedBeforeLogin(.overloaded) == 2)
        }
    }

    @Test func aNodeThatStopsEndsTheirConnections() async throws {
        let neighbours = try Neighbours()
        let node = try await neighbours.start("n1") { JanusTests.configured(&$0) }
        let bot = try await node.janus()
        try await bot.greeting()
        await node.stop()
        try await bot.end()
        #expect(bot.frames.count == 1)
    }
}
