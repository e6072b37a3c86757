import Common
import Foundation
import HTTPSupport
import Hummingbird
import HummingbirdTesting
import NIOPosix
import RedisStore
import TestKit
import Testing

@testable import PushRoute

/// `dedupe_key`, and how fast a key may push.
@Suite struct DedupeTests {
    private func ask(_ harness: FaceHarness, _ body: String, key: String = "push-key") async throws -> Answer {
        try await harness.ask { client async throws in
            try await client.ask(.post, "/v1/push", key: key, body: body)
        }
    }

    private static let push = #"{"to":{"clients":["a"]},"data":1,"dedupe_key":"order-7"}"#

    private func id(_ answer: Answer) throws -> String {
        let start = try #require(answer.body.range(of: "\"id\":\"")?.upperBound)
        return String(answer.body[start...].prefix(36))
    }

    @Test func aRepeatedCallSendsNothingAndNamesTheFirst() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let first = try await ask(harness, Self.push)
        let second = try await ask(harness, Self.push)
        #expect(first.body.contains(#""delivered":1"#))
        #expect(second == Answer(status: 200, body: "{\"id\":\"\(try id(first))\",\"duplicate\":true}"))
        #expect(harness.nodes.calls == ["n1:1"])
        #expect(await harness.routes.inboxes.memories == [.seconds(600), .seconds(600)])
        // Another caller's key is another key.
        let other = try await ask(harness, Self.push, key: "admin-key")
        #expect(other.body.contains(#""delivered":1"#))
        let metrics = try await harness.ask { client async throws in try await client.ask(.get, "/metrics").body }
        #expect(metrics.contains("windfire_pushes_total{outcome=\"duplicate\"} 1\n"))
    }

    @Test func aRepeatedCallOfAJobNamesTheJob() async throws {
        let jobs = RecordingJobs()
        let harness = try FaceHarness(jobs: jobs)
        let body = #"{"to":{"clients":["a"]},"data":1,"dedupe_key":"k","async":true}"#
        let first = try await ask(harness, body)
        let second = try await ask(harness, body)
        let job = await jobs.ids[0]
        #expect(first == Answer(status: 202, body: "{\"job\":\"\(job)\",\"total\":1}"))
        #expect(second == Answer(status: 202, body: "{\"job\":\"\(job)\",\"duplicate\":true}"))
        let ends = await jobs.events.filter {
            switch $0 {
            case .sealed, .abandoned: true
            case .began, .added: false
            }
        }
        #expect(ends.count == 2)
        #expect(ends.last == .abandoned("duplicate"))
    }

    @Test func aPushThatWasRefusedMayBeRepeated() async throws {
        let harness = try FaceHarness()
        harness.registry.set(.unknown)
        #expect(try await ask(harness, Self.push).code == "registry_unavailable")
        harness.registry.set(Members([harness.one]))
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        #expect(try await ask(harness, Self.push).body.contains(#""delivered":1"#))
    }

    @Test func aStoreThatIsAwayRefusesAndTheKeyIsTakenBackWhenItReturns() async throws {
        let routes = ScriptedRouteStore()
        await routes.fail(with: WindfireError(.routesUnavailable, "away"))
        let dedupe = PushDedupe(inboxes: routes, memory: .seconds(60), logger: quiet)
        let key = PushDedupe.Key(owner: "backend", key: "k")
        let mine = AcceptedPush.push(UUIDv7(unixMilliseconds: 1, random: (1, 1)))
        await #expect(throws: WindfireError(.routesUnavailable, "away")) { try await dedupe.enter(key, as: mine) }
        // The write had happened, and only its answer was lost.
        await routes.script { $0.pushes = ["backend:k": "push:00000000-0001-7001-8000-000000000001"] }
        await routes.fail(with: nil)
        try await eventually("the key is free again") { await routes.inboxes.pushes.isEmpty }
    }

    @Test func ofManyCallsAtOnceExactlyOneSendsAlsoOnRedis() async throws {
        let server = try await RedisServer()
        let redis = try RedisRouteStore(
            configuration: RedisConfiguration(url: "redis://127.0.0.1:\(server.port)"), limits: .default,
            logger: quiet, group: MultiThreadedEventLoopGroup.singleton)
        for store in [InMemoryRouteStore(), redis] as [any RouteStore & InboxStore & TopicStore] {
            try await onlyOneSends(store)
        }
        await redis.shutDown()
    }

    private func onlyOneSends(_ store: any RouteStore & InboxStore & TopicStore) async throws {
        let jobs = RecordingJobs()
        var configuration = PushRouteConfiguration(
            incarnation: Incarnation(node: NodeID(unchecked: "r1"), life: 1),
            listen: HostPort(host: "127.0.0.1", port: 0),
            keys: try APIKeys([APIKeys.entry(name: "backend", role: .push, key: "push-key")]), version: "test",
            startedAt: 1)
        configuration.admission.pushesMax = 100
        let service = PushRouteService(
            configuration: configuration, registry: FixedRegistry([makeMember("n1")]), routes: store,
            nodes: ScriptedNodes(), intake: jobs, logger: quiet)
        let body = #"{"to":{"clients":["a"]},"data":1,"mode":"stored","dedupe_key":"same"}"#
        let answers = try await service.server.application.test(.router) { client in
            try await withThrowingTaskGroup(of: Answer.self) { group in
                for _ in 0..<50 {
                    group.addTask { try await client.ask(.post, "/v1/push", key: "push-key", body: body) }
                }
                return try await group.reduce(into: [Answer]()) { $0.append($1) }
            }
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        #expect(answers.filter { $0.body.contains("duplicate") }.count == 49)
        #expect(try Set(answers.map(id)).count == 1)
        #expect(try await store.inboxSummary(of: client("a")).count == 1)
    }

    // How fast.

    @Test func aKeyWithARateIsToldWhenToComeBack() async throws {
        let harness = try FaceHarness()
        let ten = (0..<10).map { "\"c\($0)\"" }.joined(separator: ",")
        let body = #"{"to":{"clients":[\#(ten)]},"data":1,"dedupe_key":"d"}"#
        let (first, again, other) = try await harness.ask { client async throws in
            (
                try await client.ask(.post, "/v1/push", key: "slow-key", body: body),
                try await client.ask(.post, "/v1/push", key: "slow-key", body: body),
                try await client.execute(
                    uri: "/v1/push", method: .post, headers: [.authorization: "Bearer slow-key"],
                    body: .init(string: #"{"to":{"clients":["x","y","z"]},"data":1,"dedupe_key":"e"}"#)
                ) { ($0.headers[.retryAfter], Answer($0)) }
            )
        }
        #expect(first.status == 200)
        // A duplicate sends nothing, so it is not too fast.
        #expect(again.body.contains("duplicate"))
        #expect(other.1.status == 429)
        #expect(other.1.code == "rate_limited")
        #expect(other.0 == "1")
        #expect(await harness.routes.inboxes.pushes.keys.sorted() == ["slow:d"])
        #expect(try await ask(harness, #"{"to":{"clients":["x","y","z"]},"data":1}"#).status == 200)
    }
}
