import Common
import Foundation
import NodeRPC
import TestKit
import Testing

@testable import PushServer

/// Topics that keep what was published, for those who come back.
@Suite struct KeptTopicTests {
    private func rules() throws -> TopicRules {
        try TopicRules([TopicRule(TopicPattern("kept/#"), history: .init(countMax: 5))])
    }

    @Test func whoComesBackHearsExactlyWhatItMissed() async throws {
        let neighbours = try Neighbours()
        let rules = try rules()
        try await neighbours.withNode("n1") {
            $0.topicRules = rules
        } _: { one in
            try await neighbours.withNode("n2") {
                $0.topicRules = rules
            } _: { two in
                let alice = try await one.login("alice", topics: ["#"])
                let bob = try await two.login("bob", topics: ["#"])
                try await bob.subscribe("kept/1")
                try await alice.publish("1", to: "kept/1", ref: 10)
                try await alice.publish("2", to: "kept/1", ref: 11)
                try await bob.heard(["1", "2"], of: "kept/1")
                let place = try bob.lastPosition(of: "kept/1")
                try await bob.close()
                for number in 3...5 { try await alice.publish("\(number)", to: "kept/1", ref: 10 + number) }
                let again = try await one.login("bob", topics: ["#"])
                try await again.subscribe("kept/1", since: place)
                try await alice.publish("6", to: "kept/1", ref: 20)
                try await again.heard(["3", "4", "5", "6"], of: "kept/1")
                #expect(!again.texts.contains { $0.contains(#""op":"gap""#) })
            }
        }
    }

    @Test func whoHasHeardNothingYetKnowsWhereItIs() async throws {
        let neighbours = try Neighbours()
        let rules = try rules()
        try await neighbours.withNode {
            $0.topicRules = rules
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.publish("1", to: "kept/1", ref: 10)
            try await alice.subscribe("kept/1", ref: 11)
            let answer = try await alice.text(with: #"{"op":"ok","ref":11"#)
            let place = try #require(answer.firstMatch(of: /"position":"(1-[0-9a-f]{16})"/)).1
            let other = try await node.login("bob", topics: ["#"])
            try await alice.publish("2", to: "kept/1", ref: 12)
            try await other.subscribe("kept/1", since: String(place))
            try await other.heard(["2"], of: "kept/1")
        }
    }

    @Test func whatIsNotKeptAnyMoreIsToldAsAGap() async throws {
        let neighbours = try Neighbours()
        let rules = try rules()
        try await neighbours.withNode {
            $0.topicRules = rules
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            try await alice.subscribe("kept/1", ref: 9)
            for number in 1...8 { try await alice.publish("\(number)", to: "kept/1", ref: 10 + number) }
            let head = try alice.lastPosition(of: "kept/1")
            let epoch = try #require(head.split(separator: "-").last)

            let bob = try await node.login("bob", topics: ["#"])
            try await bob.subscribe("kept/1", since: "1-\(epoch)")
            try await bob.heard(["4", "5", "6", "7", "8"], of: "kept/1")
            #expect(
                try await bob.text(with: #""op":"gap""#)
                    == #"{"op":"gap","topic":"kept/1","missed":2,"reason":"trimmed"}"#)

            let carol = try await node.login("carol", topics: ["#"])
            try await carol.subscribe("kept/1", since: "99-\(epoch)")
            try await carol.text(with: #""missed":0,"reason":"from-the-future""#)
            let dave = try await node.login("dave", topics: ["#"])
            try await dave.subscribe("kept/1", since: "5-0000000000000001")
            try await dave.text(with: #""reason":"other-epoch""#)
            try await alice.publish("9", to: "kept/1", ref: 30)
            try await carol.heard(["9"], of: "kept/1")
            try await eventually("dave hears the new one last") { dave.heard(of: "kept/1").last == "9" }
        }
    }

    @Test func whileTheStoreIsAwayNobodyIsLetIntoWhatWasKept() async throws {
        let neighbours = try Neighbours()
        let rules = try rules()
        try await neighbours.withNode {
            $0.topicRules = rules
        } _: { node in
            let alice = try await node.login("alice", topics: ["#"])
            neighbours.routes.goAway()
            let frame = #"{"op":"subscribe","topic":"kept/1","since":"0-0000000000000001","ref":5}"#
            #expect(try await alice.refusal(of: frame, ref: 5) == "routes_unavailable")
            #expect(try await node.figure("windfire_topic_subscriptions") == 0)
            neighbours.routes.comeBack()
            try await alice.subscribe("kept/1", since: "0-0000000000000001", ref: 6)
            try await alice.publish("1", to: "kept/1", ref: 7)
            try await alice.heard(["1"], of: "kept/1")
        }
    }

    /// Come and go while others publish, from two nodes, and miss nothing and hear nothing twice.
    @Test func whoComesAndGoesDuringPublishingHearsAllOnceInItsOrder() async throws {
        let neighbours = try Neighbours()
        let rules = try TopicRules([TopicRule(TopicPattern("kept/#"), history: .init(countMax: 10_000))])
        func prepare(_ configuration: inout PushServerConfiguration) {
            configuration.topicRules = rules
            configuration.limits.messagesPerSecondMax = 1_000_000
            configuration.limits.messagesBurstMax = 1_000_000
        }
        try await neighbours.withNode("n1", prepare) { one in
            try await neighbours.withNode("n2", prepare) { two in
                let alice = try await one.login("alice", topics: ["#"])
                let first = try await two.login("bob", topics: ["#"])
                try await first.subscribe("kept/1", since: "0-0000000000000001")
                let publishing = Task {
                    for number in 0..<600 {
                        try await alice.publish("\(number)", to: "kept/1", ref: 1_000 + number)
                    }
                }
                var all: [String] = []
                var place: String?
                for round in 0..<6 {
                    let node = round.isMultiple(of: 2) ? one : two
                    let bob = round == 0 ? first : try await node.login("bob", topics: ["#"])
                    if let place { try await bob.subscribe("kept/1", since: place) }
                    try await eventually("some are heard") { [all] in
                        let count = bob.heard(of: "kept/1").count
                        return count >= 60 || all.count + count == 600
                    }
                    try await bob.close()
                    try await bob.end()
                    all += bob.heard(of: "kept/1")
                    if !bob.heard(of: "kept/1").isEmpty { place = try bob.lastPosition(of: "kept/1") }
                }
                try await publishing.value
                let last = try await one.login("bob", topics: ["#"])
                try await last.subscribe("kept/1", since: place)
                try await eventually("the rest is heard") { [all] in all.count + last.heard(of: "kept/1").count >= 600 }
                #expect(all + last.heard(of: "kept/1") == (0..<600).map(String.init))
            }
        }
    }
}
