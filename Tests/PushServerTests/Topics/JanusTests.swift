import Common
import Foundation
import TestKit
import Testing

@testable import PushServer

/// Clients of hotwheels on a running node, beside clients of our own.
@Suite struct JanusTests {
    static func configured(
        _ configuration: inout PushServerConfiguration, publish: [String] = ["#"], subscribe: [String] = ["#"]
    ) {
        var janus = JanusConfiguration(permissions: Permissions(publish: publish, subscribe: subscribe))
        janus.listen = HostPort(host: "127.0.0.1", port: 0)
        configuration.janus = janus
    }

    private func withNode(
        _ change: (inout PushServerConfiguration) -> Void = { _ in }, _ body: (RunningNode) async throws -> Void
    ) async throws {
        try await Neighbours().withNode {
            Self.configured(&$0)
            change(&$0)
        } _: {
            try await body($0)
        }
    }

    @Test(arguments: [true, false]) func janusAndJSONClientsHearEachOther(onOwnPort: Bool) async throws {
        try await withNode { node in
            let bot = try await node.janus(onOwnPort: onOwnPort)
            if !onOwnPort { try await bot.say("PING") }
            try await bot.greeting()
            try await bot.subscribe("events")
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("events")

            let publisher = try await node.janus(onOwnPort: onOwnPort)
            try await publisher.publish(#"{"a":[1]}"#, to: "events", event: "test_event", id: "7")
            try await publisher.end()
            try await publisher.greeting()
            #expect(publisher.frames.count == 1, "the greeting, and then the end")
            let members = #""event":"test_event","message_id":"7","data":{"a":[1]}}"#
            try await bot.heard([#""topic":"events",\#(members)"#])
            try await alice.heard(["{\(members)"], of: "events")
            #expect(alice.texts.last?.contains(#""from""#) == false, "nobody's session published it")

            #expect(try await alice.publish(#""hi""#, to: "events") == 2)
            try await eventually("both") { bot.deliveries.count == 2 }
            let id = try #require(alice.texts.compactMap { $0.firstMatch(of: /"id":"([^"]+)","data":"hi"/) }.first).1
            #expect(bot.deliveries[1] == #""topic":"events","event":"message","message_id":"\#(id)","data":"hi"}"#)
        }
    }

    @Test func whoUnsubscribesHearsNothingMoreAndWhoSubscribesTwiceHearsOnce() async throws {
        try await withNode { node in
            let bot = try await node.janus()
            for topic in ["a", "a", "b"] { try await bot.subscribe(topic) }
            let alice = try await node.login("alice", topics: ["#"])
            #expect(try await alice.publish("1", to: "a") == 1)
            try await bot.say(#"{"action":"unsubscribe","data":"a"}"#)
            try await bot.say(#"{"action":"dance","data":"a"}"#)
            try await eventually("it is unsubscribed") { try await node.figure("windfire_topic_subscriptions") == 1 }
            #expect(try await alice.publish("2", to: "a", ref: 4) == 0)
            #expect(try await alice.publish("3", to: "b", ref: 5) == 1)
            try await eventually("two deliveries") { bot.deliveries.count >= 2 }
            #expect(bot.deliveries.map { $0.hasSuffix(#""data":1}"#) } == [true, false])
            #expect(bot.deliveries[1].hasPrefix(#""topic":"b","#))
            #expect(bot.acknowledged == 3)
            #expect(bot.frames.count == 1 + 3 + 2, "unsubscribing has no answer")
        }
    }

    @Test func aPublishEndsAtItsBraceAtATerminatorOrWithTheInput() async throws {
        try await withNode { node in
            let bot = try await node.janus()
            try await bot.subscribe("t")
            let object = Array(#"{"topic":"t","event":"e","message_id":"","data":0}"#.utf8)
            let publish = JanusReadingTests.framed("PUBLISH")
            for (number, reads) in [[publish + object], [publish, object + [0]], [publish + object + [0, 0, 7]]]
                .enumerated()
            {
                let publisher = try await node.janus()
                for read in reads { try await publisher.send(read) }
                if number == 0 { try await publisher.closeOutput() }
                try await publisher.end()
                try await publisher.greeting()
                #expect(publisher.frames.count == 1)
                try await eventually("it came") { bot.deliveries.count == number + 1 }
            }
            let torn = try await node.janus()
            try await torn.send(publish + object.dropLast())
            try await torn.closeOutput()
            try await torn.end()
            let last = try await node.janus()
            try await last.publish("1", to: "t")
            try await eventually("the next one came") { bot.deliveries.count >= 4 }
            #expect(bot.deliveries.map { $0.hasSuffix(#""data":0}"#) } == [true, true, true, false])
        }
    }

    @Test(arguments: [true, false]) func whoPublishesAndClosesAtOnceIsHeard(onOwnPort: Bool) async throws {
        try await withNode { node in
            let bot = try await node.janus()
            try await bot.subscribe("t")
            let port = try onOwnPort ? #require(node.bound.janus) : node.bound.devices
            for number in 0..<50 { try await JanusDevice.publishAndLeave("\(number)", to: "t", port: port) }
            try await eventually("50 deliveries") { bot.deliveries.count == 50 }
        }
    }

    @Test func nobodysSessionsAreNoRoutes() async throws {
        try await withNode {
            $0.reconcileInterval = .milliseconds(50)
        } _: { node in
            let bots = [try await node.janus(), try await node.janus()]
            let alice = try await node.login("alice")
            var sessions: Set<SessionID> = []
            for bot in bots { sessions.insert(try await bot.greeting()) }
            #expect(sessions.count == 2)
            #expect(try await node.figure("windfire_sessions_online") == 1)
            #expect(try await node.figure("windfire_sessions_anonymous") == 2)
            let counts = try await node.neighbours.routes.sessionCounts(of: node.bound.incarnation)
            #expect(counts.values.reduce(0, +) == 1)
            // A comparison with the store after this one claims nothing and closes nobody.
            try await never(for: .milliseconds(300), "routes are mended") {
                for kind in ["ghost", "missing", "duplicate"] {
                    let found = try await node.figure(#"windfire_route_difference{kind="\#(kind)"}"#)
                    if found > 0 { return true }
                }
                return false
            }
            let after = try await node.neighbours.routes.sessionCounts(of: node.bound.incarnation)
            #expect(after == counts)
            let port = try #require(node.bound.janus)
            #expect(try node.member.endpoints.janus == "127.0.0.1:\(port)")
            for bot in bots { try await bot.close() }
            try await alice.close()
            try await node.expectNobody()
            #expect(try await node.figure("windfire_sessions_anonymous") == 0)
        }
    }

    @Test func brokenBytesEndTheirOwnConnection() async throws {
        try await withNode {
            $0.limits.inboundMessageBytesMax = 1_000
        } _: { node in
            let bot = try await node.janus()
            try await bot.subscribe("t")
            let before = try await node.ended(.badProtocol)
            for bytes in JanusReadingTests.broken {
                let broken = try await node.janus()
                try await broken.send(bytes)
                try await broken.end()
                #expect(broken.frames.count == 1, "its greeting")
            }
            let count = Double(JanusReadingTests.broken.count)
            #expect(try await node.ended(.badProtocol) == before + count)
            let large = try await node.janus()
            try await large.send([UInt8](repeating: UInt8(ascii: "x"), count: 1_001))
            try await large.end()
            #expect(try await node.ended(.tooLarge) == 1)
            let torn = try await node.janus()
            try await torn.send(Array(JanusReadingTests.framed(#"{"action":"subscribe","data":"t"}"#).dropLast(3)))
            try await torn.greeting()
            let publisher = try await node.janus()
            try await publisher.publish("1", to: "t")
            try await eventually("the others hear") { bot.deliveries.count == 1 }
            #expect(torn.frames.count == 1)
        }
    }

    @Test func whatIsNotAllowedIsNotDoneAndTheConnectionGoesOn() async throws {
        try await withNode {
            Self.configured(&$0, publish: ["in/#"], subscribe: ["out/#"])
            $0.limits.topicsPerSessionMax = 2
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("#")
            let bot = try await node.janus()
            try await bot.say(#"{"action":"subscribe","data":"in/1"}"#)
            try await bot.say(#"{"action":"subscribe","data":"out/+"}"#)
            try await bot.subscribe("out/1")
            try await bot.subscribe("out/2")
            try await bot.say(#"{"action":"subscribe","data":"out/3"}"#)
            try await bot.subscribe("out/2")
            #expect(bot.acknowledged == 3)
            let refused = try await node.janus()
            try await refused.publish("1", to: "out/1")
            try await refused.end()
            let publisher = try await node.janus()
            try await publisher.publish("2", to: "in/1")
            try await alice.text(with: #""data":2}"#)
            #expect(alice.heard(of: "out/1") == [])
        }
    }

    @Test func withoutAWordOfTheOperatorNobodyGetsIn() async throws {
        try await Neighbours().withNode { node in
            #expect(node.bound.janus == nil)
            #expect(try node.member.endpoints.janus == nil)
            for bytes in [JanusReadingTests.framed("PING"), Array("{".utf8), Array("PING\0".utf8)] {
                let bot = try await node.janus(onOwnPort: false, preface: bytes)
                try await bot.end()
                #expect(bot.bytes == [], "no greeting")
            }
            #expect(try await node.endedBeforeLogin(.anonymousRefused) == 3)
        }
    }
}
