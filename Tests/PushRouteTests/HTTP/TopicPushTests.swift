import Common
import Foundation
import HTTPSupport
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import PushRoute

/// `POST /v1/push` to topics and to everyone, and `GET /v1/topics/{topic}`.
@Suite struct TopicPushTests {
    private func ask(_ harness: FaceHarness, _ body: String, key: String = "push-key") async throws -> Answer {
        try await harness.ask { client async throws in
            try await client.ask(.post, "/v1/push", key: key, body: body)
        }
    }

    /// Both nodes have subscribers of `room/1`, the first of `room/2`, nobody of `room/3`.
    private func makeHarness(
        configure: (inout PushRouteConfiguration) -> Void = { _ in }
    ) async throws -> FaceHarness {
        let harness = try FaceHarness(configure: configure)
        let (one, two) = (harness.one.incarnation, harness.two.incarnation)
        await harness.routes.script(topics: { topics in
            topics.nodes[Topic(unchecked: "room/1")] = [one, two]
            topics.nodes[Topic(unchecked: "room/2")] = [one]
        })
        harness.nodes.set("n1", subscribers: 3)
        harness.nodes.set("n2", subscribers: 4)
        return harness
    }

    /// Ids replaced by their place of first appearance.
    private func numbered(_ body: String) -> String {
        var body = body
        var number = 0
        while let id = body.firstMatch(of: /[0-9a-f]{8}-[0-9a-f-]{27}/) {
            number += 1
            body = body.replacing(String(id.output), with: "#\(number)")
        }
        return body
    }

    @Test func aTopicsReceiptAddsUpItsNodes() async throws {
        let harness = try await makeHarness()
        let answer = try await ask(harness, #"{"to":{"topic":"room/1"},"data":{"hi":1}}"#)
        #expect(answer.status == 200)
        #expect(
            numbered(answer.body)
                == ##"{"id":"#1","topic":"room/1","nodes":2,"delivered":7,"refused":2,"failed_nodes":[]}"##)
        let sent = harness.nodes.batches.flatMap(\.batch.publications)
        #expect(sent.count == 2)
        for publication in sent {
            #expect(publication.audience == .topic(Topic(unchecked: "room/1")))
            #expect(String(decoding: publication.message.data, as: UTF8.self) == #"{"hi":1}"#)
            #expect(answer.body.contains(publication.message.id.text))
            #expect(publication.message.from == nil)
            #expect(publication.traceID.utf8.count == 32)
        }
    }

    @Test func whenNobodyIsSubscribedNothingIsDelivered() async throws {
        let harness = try await makeHarness()
        let answer = try await ask(harness, #"{"to":{"topic":"room/3"},"data":1}"#)
        #expect(answer.status == 200)
        #expect(answer.body.contains(#""nodes":0,"delivered":0,"refused":0,"failed_nodes":[]"#))
        #expect(harness.nodes.batches.isEmpty)
    }

    @Test func aNodeThatFailsIsNamedAndTheOthersCount() async throws {
        let harness = try await makeHarness()
        harness.nodes.fail("n2", .nodeUnavailable)
        let answer = try await ask(harness, #"{"to":{"topic":"room/1"},"data":1}"#)
        #expect(answer.status == 200)
        #expect(
            answer.body.contains(
                #""delivered":3,"refused":1,"failed_nodes":[{"node":"n2","reason":"node_unavailable"}]"#))
    }

    @Test func severalTopicsHaveARowEachAndAFailedOneSaysWhy() async throws {
        let harness = try await makeHarness()
        await harness.routes.script(topics: { topics in
            topics.failures[Topic(unchecked: "bad")] = WindfireError(.routesUnavailable, "away")
        })
        let answer = try await ask(harness, #"{"to":{"topics":["room/1","bad","room/2","room/1"]},"data":1}"#)
        #expect(answer.status == 200)
        #expect(
            numbered(answer.body) == ##"{"id":"#1","results":["##
                + ##"{"topic":"room/1","id":"#1","nodes":2,"delivered":7,"refused":2,"failed_nodes":[]},"##
                + ##"{"topic":"bad","id":"#2","error":"routes_unavailable"},"##
                + ##"{"topic":"room/2","id":"#3","nodes":1,"delivered":3,"refused":1,"failed_nodes":[]}]}"##)
    }

    @Test func aBatchHasARowForEachMessageInTheirOrder() async throws {
        let history = try TopicRule.History(countMax: 10)
        let harness = try await makeHarness { configuration in
            configuration.topicRules =
                (try? TopicRules([TopicRule(TopicPattern(unchecked: "#"), history: history)]))
                ?? .none
        }
        let answer = try await ask(harness, #"{"to":{"topic":"room/2"},"batch":[1,2]}"#)
        let figures = #""nodes":1,"delivered":3,"refused":1,"failed_nodes":[]"#
        #expect(
            numbered(answer.body) == ##"{"id":"#1","topic":"room/2","messages":["##
                + ##"{"id":"#1",\##(figures),"position":"1-000000000000000e"},"##
                + ##"{"id":"#2",\##(figures),"position":"2-000000000000000e"}]}"##)
        let batch = try #require(harness.nodes.batches.first)
        #expect(harness.nodes.batches.count == 1)
        #expect(batch.batch.publications.map(\.message.data) == [[0x31], [0x32]])
        #expect(batch.batch.publications.map { $0.position?.offset } == [1, 2])
    }

    @Test func everyoneIsEveryNodeAndSharesTheRate() async throws {
        let harness = try await makeHarness()
        let answer = try await ask(harness, #"{"to":{"everyone":true},"data":1,"rate_per_s":100}"#)
        #expect(
            numbered(answer.body)
                == ##"{"id":"#1","everyone":true,"nodes":2,"delivered":7,"refused":2,"failed_nodes":[]}"##)
        #expect(
            harness.nodes.batches.map { $0.batch.publications.map(\.audience) }
                == [[.everyone(perSecondMax: 50)], [.everyone(perSecondMax: 50)]])
        harness.registry.set(Members([]))
        #expect(try await ask(harness, #"{"to":{"everyone":true},"data":1}"#).code == "no_node")
    }

    // What is refused.

    @Test(arguments: [
        (#"{"to":{"topic":"a/#"},"data":1}"#, 400, "invalid_topic"),
        (#"{"to":{"topics":["a","b","c"]},"data":1}"#, 413, "too_many_targets"),
        (#"{"to":{"topic":"a"},"batch":[1,2,3]}"#, 413, "payload_too_large"),
        (#"{"to":{"topic":"a"},"data":1,"mode":"stored"}"#, 501, "not_supported"),
        (#"{"to":{"topic":"a"},"data":1,"async":true}"#, 501, "not_supported"),
    ])
    func whatDoesNotFitIsRefusedAndNothingIsSent(_ body: String, _ status: Int, _ code: String) async throws {
        let harness = try await makeHarness { configuration in
            configuration.limits.topicsPerPublishMax = 2
            configuration.limits.messagesPerPublishMax = 2
        }
        let answer = try await ask(harness, body)
        #expect(answer.status == status)
        #expect(answer.code == code)
        #expect(harness.nodes.batches.isEmpty)
        #expect(await harness.routes.topics.published.isEmpty)
    }

    @Test func whatWouldNeverFitIsRefusedWhole() async throws {
        let harness = try await makeHarness { $0.limits.publishesPerTopicMax = 1 }
        #expect(try await ask(harness, #"{"to":{"topic":"room/1"},"batch":[1,2]}"#).code == "payload_too_large")
        #expect(harness.nodes.batches.isEmpty)
    }

    @Test func aPublishNeedsAPushKey() async throws {
        let harness = try await makeHarness()
        #expect(try await ask(harness, #"{"to":{"topic":"room/1"},"data":1}"#, key: "ops-key").code == "forbidden")
        #expect(harness.nodes.batches.isEmpty)
    }

    @Test func everyMessageToEveryTopicCountsTowardsThePace() async throws {
        let harness = try await makeHarness()
        let body = #"{"to":{"topics":["a","b"]},"batch":[1,2,3,4,5]}"#
        #expect(try await ask(harness, body, key: "slow-key").status == 200)
        let refused = try await ask(harness, #"{"to":{"topics":["a","b","c"]},"data":1}"#, key: "slow-key")
        #expect(refused.code == "rate_limited")
        #expect(await harness.routes.topics.published.count == 2)
    }

    @Test func withoutTheStoreTheAnswerIs503AndTheKeyMayBeUsedAgain() async throws {
        let harness = try await makeHarness()
        let body = #"{"to":{"topics":["room/1","room/2"]},"data":1,"dedupe_key":"k"}"#
        await harness.routes.script(topics: { topics in
            for name in ["room/1", "room/2"] {
                topics.failures[Topic(unchecked: name)] = WindfireError(
                    .routesUnavailable, "away", retryAfter: .seconds(1))
            }
        })
        let refused = try await ask(harness, body)
        #expect(refused.status == 503)
        #expect(refused.code == "routes_unavailable")
        await harness.routes.script(topics: { $0.failures = [:] })
        #expect(try await ask(harness, body).body.contains(#""delivered":7"#))
        #expect(try await ask(harness, body).body.contains(#""duplicate":true"#))
        #expect(harness.nodes.batches.count == 3)
        harness.registry.set(.unknown)
        #expect(try await ask(harness, #"{"to":{"topic":"room/1"},"data":1}"#).code == "registry_unavailable")
    }

    @Test func publishesAreCounted() async throws {
        let harness = try await makeHarness()
        _ = try await ask(harness, #"{"to":{"topic":"room/1"},"batch":[1,2]}"#)
        harness.nodes.fail("n1", .nodeUnavailable)
        _ = try await ask(harness, #"{"to":{"topic":"room/2"},"data":1}"#)
        let metrics = try await harness.ask { client async throws in try await client.ask(.get, "/metrics").body }
        #expect(metrics.contains("windfire_topic_messages_total{outcome=\"complete\"} 2\n"))
        #expect(metrics.contains("windfire_topic_messages_total{outcome=\"incomplete\"} 1\n"))
        #expect(metrics.contains("windfire_topic_deliveries_total 14\n"))
        #expect(metrics.contains("windfire_topic_refusals_total 4\n"))
        #expect(metrics.contains("windfire_publish_seconds_count 2\n"))
        #expect(metrics.contains("windfire_publisher_waiting_messages 0\n"))
        #expect(metrics.contains("windfire_pushes_total{outcome=\"answered\"} 2\n"))
    }

    // What operators see.

    @Test func aTopicsReportAsksEveryNodeAndTheStore() async throws {
        let history = try TopicRule.History(countMax: 10, ageMax: .seconds(60))
        let harness = try await makeHarness { configuration in
            configuration.topicRules =
                (try? TopicRules([TopicRule(TopicPattern(unchecked: "room/+"), history: history)])) ?? .none
        }
        await harness.routes.script(topics: { $0.head = 7 })
        func look(_ topic: String, _ key: String = "ops-key") async throws -> Answer {
            try await harness.ask { client async throws in
                try await client.ask(.get, "/v1/topics/\(topic)", key: key)
            }
        }
        struct Report: Decodable {
            struct Node: Decodable, Equatable {
                let id: String
                let subscribers: Int
            }
            struct History: Decodable, Equatable {
                let messages: Int
                let position: String
                let count_max: Int
                let age_s: Int
            }
            struct Failed: Decodable, Equatable {
                let node: String
                let reason: String
            }
            let topic: String
            let subscribers: Int
            let nodes: [Node]
            let failed_nodes: [Failed]
            let history: History?
        }
        func report(_ answer: Answer) throws -> Report {
            try JSONDecoder().decode(Report.self, from: Data(answer.body.utf8))
        }
        let room = try report(try await look("room%2F1"))
        #expect(room.topic == "room/1")
        #expect(room.subscribers == 7)
        #expect(room.nodes == [.init(id: "n1", subscribers: 3), .init(id: "n2", subscribers: 4)])
        #expect(room.history == .init(messages: 5, position: "7-000000000000000e", count_max: 10, age_s: 60))
        harness.nodes.fail("n2", .nodeUnavailable)
        harness.nodes.set("n1", subscribers: 0)
        let other = try await look("other")
        #expect(other.body.contains(#""history":null"#))
        #expect(try report(other).nodes.isEmpty)
        #expect(try report(other).failed_nodes == [.init(node: "n2", reason: "node_unavailable")])
        #expect(try await look("a%2F%23").code == "invalid_topic")
        #expect(try await look("a", "push-key").code == "forbidden")
        await harness.routes.fail(with: WindfireError(.routesUnavailable, "away"))
        #expect(try await look("room%2F1").code == "routes_unavailable")
        #expect(try await look("other").status == 200)
    }
}
