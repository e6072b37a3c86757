import Common
import Foundation
import NodeRPC
import TestKit
import Testing

@testable import PushServer

/// Topics as devices see them, on two nodes with a store in memory.
@Suite struct TopicFlowTests {
    @Test func whatOnePublishesReachesTheSubscribersOfAllNodes() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode("n1") { one in
            try await neighbours.withNode("n2") { two in
                let alice = try await one.login("alice", topics: ["room/#"])
                let bob = try await two.login("bob", topics: ["room/#"])
                let carol = try await two.login("carol", topics: ["#"])
                try await alice.subscribe("room/1")
                try await bob.subscribe("room/+")
                try await carol.subscribe("room/2")
                #expect(try await carol.publish(#"{"a": "é"}"#, to: "room/1") == 2)
                try await alice.heard([#"{"a": "é"}"#], of: "room/1")
                try await bob.heard([#"{"a": "é"}"#], of: "room/1")
                #expect(try await alice.text(with: "room/1").contains(#""from":"carol""#))
                #expect(try await alice.publish("2", to: "room/2", ref: 4) == 2)
                try await bob.heard(["2"], of: "room/2")
                try await carol.heard(["2"], of: "room/2")
                #expect(alice.heard(of: "room/2") == [])
            }
        }
    }

    @Test func whoUnsubscribedHearsNothingMore() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("room/1")
            try await alice.subscribe("room/2", ref: 7)
            #expect(try await alice.publish("1", to: "room/1") == 1)
            try await alice.unsubscribe("room/1")
            #expect(try await alice.publish("2", to: "room/1", ref: 4) == 0)
            #expect(try await alice.publish("3", to: "room/2", ref: 5) == 1)
            try await alice.heard(["3"], of: "room/2")
            #expect(alice.heard(of: "room/1") == ["1"])
            try await alice.unsubscribe("never/had", ref: 8)
        }
    }

    @Test func whoMatchesTwiceHearsOnce() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let alice = try await node.login("alice", topics: ["#"])
            for (ref, pattern) in ["room/1", "room/+", "#", "room/1"].enumerated() {
                try await alice.subscribe(pattern, ref: ref)
            }
            #expect(try await alice.publish("1", to: "room/1", ref: 10) == 1)
            #expect(try await alice.publish("2", to: "room/1", ref: 11) == 1)
            try await alice.heard(["1", "2"], of: "room/1")
        }
    }

    @Test func whatIsNotAllowedIsRefusedByNameAndTheConnectionGoesOn() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.limits.topicsPerSessionMax = 3
            $0.limits.wildcardsPerNodeMax = 1
        } _: { node in
            let alice = try await node.login("alice", topics: ["room/#"])
            func refused(_ frame: String, _ ref: Int) async throws -> String {
                try await alice.refusal(of: frame.replacing("REF", with: "\(ref)"), ref: ref)
            }
            #expect(try await refused(#"{"op":"subscribe","topic":"other","ref":REF}"#, 21) == "forbidden")
            #expect(try await refused(##"{"op":"subscribe","topic":"#","ref":REF}"##, 22) == "forbidden")
            #expect(try await refused(#"{"op":"publish","topic":"x","data":1,"ref":REF}"#, 23) == "forbidden")
            #expect(try await refused(#"{"op":"subscribe","topic":"a#","ref":REF}"#, 24) == "invalid_topic")
            #expect(try await refused(#"{"op":"publish","topic":"room/+","data":1,"ref":REF}"#, 25) == "invalid_topic")
            #expect(try await refused(#"{"op":"publish","topic":"room/1","ref":REF}"#, 26) == "invalid_request")
            #expect(
                try await refused(#"{"op":"subscribe","topic":"room/1","since":"x","ref":REF}"#, 27)
                    == "invalid_request")
            #expect(
                try await refused(#"{"op":"subscribe","topic":"room/+","since":"1-0000000000000001","ref":REF}"#, 28)
                    == "invalid_request")
            #expect(
                try await refused(#"{"op":"subscribe","topic":"room/1","since":"1-0000000000000001","ref":REF}"#, 29)
                    == "not_supported")
            try await alice.subscribe("room/+", ref: 30)
            #expect(try await refused(#"{"op":"subscribe","topic":"room/#","ref":REF}"#, 31) == "too_many_patterns")
            try await alice.subscribe("room/a", ref: 32)
            try await alice.subscribe("room/b", ref: 33)
            #expect(try await refused(#"{"op":"subscribe","topic":"room/c","ref":REF}"#, 34) == "too_many_topics")
            #expect(try await alice.publish("1", to: "room/a", ref: 35) == 1)
            try await alice.heard(["1"], of: "room/a")
        }
    }

    @Test func aTokenThatAllowsLessEndsSubscriptions() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let alice = try await node.login("alice", topics: ["#"])
            let bob = try await node.login("bob", topics: ["room/#", "news"])
            for (ref, pattern) in ["room/1", "room/+", "news"].enumerated() {
                try await bob.subscribe(pattern, ref: 10 + ref)
            }
            let token = try neighbours.token("bob", topics: ["room/1"])
            try await bob.send(#"{"op":"token","token":"\#(token)","ref":20}"#)
            try await bob.text(with: #"{"op":"ok","ref":20"#)
            for pattern in ["room/+", "news"] {
                let refusal = try await bob.text(with: "does not allow \(pattern):")
                #expect(refusal.contains(#""op":"error""#) && refusal.contains(#""code":"forbidden""#))
            }
            #expect(try await alice.publish("1", to: "news", ref: 30) == 0)
            #expect(try await alice.publish("2", to: "room/2", ref: 31) == 0)
            #expect(try await alice.publish("3", to: "room/1", ref: 32) == 1)
            try await bob.heard(["3"], of: "room/1")
            #expect(bob.heard(of: "news") == [])
        }
    }

    @Test func whatOnePublishesIsHeardInItsOrderOnEveryNode() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode("n1") {
            $0.limits.messagesPerSecondMax = 1_000_000
            $0.limits.messagesBurstMax = 1_000_000
        } _: { one in
            try await neighbours.withNode("n2") { two in
                let alice = try await one.login("alice", topics: ["#"])
                var listeners: [DeviceSocket] = []
                for number in 0..<6 {
                    let listener = try await (number.isMultiple(of: 2) ? one : two).login("l\(number)", topics: ["#"])
                    try await listener.subscribe(number < 4 ? "room/1" : "room/#")
                    listeners.append(listener)
                }
                for number in 0..<2_000 {
                    try await alice.send(#"{"op":"publish","topic":"room/1","data":\#(number)}"#)
                }
                for listener in listeners { try await listener.heard((0..<2_000).map(String.init), of: "room/1") }
            }
        }
    }

    @Test func whileTheStoreIsAwayTopicsGoOnWithinANode() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("room/1")
            neighbours.routes.goAway()
            let code = try await alice.refusal(
                of: #"{"op":"publish","topic":"room/1","data":1,"ref":5}"#, ref: 5)
            #expect(code == "routes_unavailable")
            try await alice.heard(["1"], of: "room/1")
            try await alice.send(#"{"op":"subscribe","topic":"room/2","ref":6}"#)
            try await alice.text(with: #"{"op":"ok","ref":6,"local":true}"#)
            neighbours.routes.comeBack()
            try await eventually("it is announced after all") {
                try await neighbours.routes.publish([], to: Topic("room/2"), keeping: nil).nodes.count == 1
            }
        }
    }

    @Test func aTopicIsLeftSomeTimeAfterItsLastSubscriber() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("room/1")
            #expect(try await neighbours.routes.publish([], to: Topic("room/1"), keeping: nil).nodes.count == 1)
            try await alice.close()
            try await eventually(within: .seconds(20), "the node has left the topic") {
                try await neighbours.routes.publish([], to: Topic("room/1"), keeping: nil).nodes == []
            }
        }
    }

    @Test func whoReadsNothingHoldsUpNobody() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.overflow = .dropOldest
            $0.limits.messagesPerSecondMax = 1_000_000
            $0.limits.messagesBurstMax = 1_000_000
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            let carol = try await node.login("carol", topics: ["#"])
            let deaf = try await node.connect(reads: false)
            try await deaf.send(
                raw: DeviceSocket.request(
                    fields: "authorization: Bearer \(neighbours.token("deaf", topics: ["#"]))\r\n"))
            try await eventually("all are online") { try await node.figure("windfire_sessions_online") == 3 }
            try await deaf.send(#"{"op":"subscribe","topic":"room/1","ref":1}"#)
            try await eventually("it is subscribed") {
                try await node.figure("windfire_topic_subscriptions") == 1
            }
            try await carol.subscribe("room/1")
            let text = String(repeating: "x", count: 50_000)
            for number in 0..<300 {
                try await alice.publish(#""\#(number):\#(text)""#, to: "room/1", ref: 100 + number)
            }
            try await carol.heard((0..<300).map { #""\#($0):\#(text)""# }, of: "room/1")
            #expect(try await node.figure("windfire_outbox_displaced_total") > 0)
        }
    }

    /// Runs go straight to sockets: where the kernel takes a part of one, the rest and what follows wait behind it.
    @Test func whoReadsAgainHearsWholeMessagesInTheirOrder() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.overflow = .dropOldest
            $0.limits.messagesPerSecondMax = 1_000_000
            $0.limits.messagesBurstMax = 1_000_000
            $0.limits.writeStallMax = .seconds(120)
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            let bob = try await node.login("bob", topics: ["#"])
            try await bob.subscribe("room/1")
            for number in 0..<3 { try await alice.publish("\(number)", to: "room/1", ref: 10 + number) }
            try await bob.heard(["0", "1", "2"], of: "room/1")
            try await bob.stopReading()
            let text = String(repeating: "x", count: 50_000)
            for number in 3..<203 {
                try await alice.publish(#""\#(number):\#(text)""#, to: "room/1", ref: 10 + number)
            }
            #expect(try await node.figure("windfire_outbox_displaced_total") > 0)
            try await bob.startReading()
            try await bob.heard(last: #""202:\#(text)""#, of: "room/1")
            let numbers = bob.heard(of: "room/1").dropFirst(3).compactMap { data in
                data.wholeMatch(of: /"([0-9]+):x{50000}"/).flatMap { Int($0.1) }
            }
            #expect(numbers == numbers.sorted())
            #expect(Set(numbers).count == numbers.count && numbers.count == bob.heard(of: "room/1").count - 3)
            // What else is written to the session keeps its place among them.
            try await bob.send(#"{"op":"ping"}"#)
            try await bob.text(with: #"{"op":"pong"}"#)
            try await alice.publish("203", to: "room/1", ref: 400)
            try await alice.publish("204", to: "room/1", ref: 401)
            try await bob.heard(last: "204", of: "room/1")
        }
    }
}
