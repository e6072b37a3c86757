import Common
import Foundation
import HTTPTypes
import HummingbirdTesting
import Testing

@testable import PushRoute

@Suite struct OperatorEndpointTests {
    private func load(_ member: Member, online: Int, at: UInt64) -> NodeLoad {
        NodeLoad(
            incarnation: member.incarnation, online: online, cpu: 0.25, loopLagMilliseconds: 1.5, at: at)
    }

    private func object(_ answer: Answer) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any])
    }

    @Test(
        arguments: [
            (.get, "/v1/online"), (.get, "/v1/nodes"), (.get, "/v1/clients/a"), (.delete, "/v1/clients/a/sessions"),
        ] as [(HTTPRequest.Method, String)])
    func operatorCallsNeedAnOperatorsKey(_ method: HTTPRequest.Method, _ path: String) async throws {
        let harness = try FaceHarness()
        try await harness.ask { client async throws in
            #expect(try await client.ask(method, path).code == "unauthorized")
            #expect(try await client.ask(method, path, key: "nope").code == "unauthorized")
            #expect(try await client.ask(method, path, key: "push-key").code == "forbidden")
            #expect(try await client.ask(method, path, key: "ops-key").status == 200)
            #expect(try await client.ask(method, path, key: "admin-key").status == 200)
        }
    }

    @Test func onlineAddsUpNodesAndRoutesAndShowsGhosts() async throws {
        let harness = try FaceHarness()
        let ghost = makeMember("n1", life: 9)
        let now: UInt64 = 1_700_000_000_000
        try await harness.routes.reportLoad(load(harness.one, online: 2, at: now - 2_000))
        try await harness.routes.reportLoad(load(harness.two, online: 5, at: now - 10_001))
        try await harness.routes.announce(ghost.incarnation)
        try await harness.routes.announce(harness.one.incarnation)
        await harness.routes.set([
            client("a"): [makeRoute(harness.one, 1), makeRoute(harness.one, 2, device: "tv")],
            client("b"): [makeRoute(ghost, 3)],
        ])
        let report = try await Operations(registry: harness.registry, routes: harness.routes, nodes: harness.nodes)
            .online(now: now)
        #expect(report.online == 2)
        #expect(report.routes == 3)
        #expect(report.difference == -1)
        #expect(report.nodes.map(\.id.text) == ["n1", "n1", "n2"])
        #expect(report.nodes.map(\.state) == [.up, .gone, .draining])
        #expect(report.nodes.map(\.online) == [2, 0, 0])
        #expect(report.nodes.map(\.routes) == [2, 1, 0])
        #expect(report.nodes[0].load?.cpu == 0.25)
        #expect(report.nodes[0].load?.ageMilliseconds == 2_000)
        // What a node said more than 10 s ago says nothing about now.
        #expect(report.nodes[2].load == nil)
    }

    @Test func onlineIsWrittenAsDocumented() async throws {
        let answer = try await FaceHarness().ask { try await $0.ask(.get, "/v1/online", key: "ops-key") }
        let body = try object(answer)
        #expect(Set(body.keys) == ["online", "routes", "difference", "nodes"])
        let nodes = try #require(body["nodes"] as? [[String: Any]])
        #expect(nodes.map { Set($0.keys) }.first == ["id", "incarnation", "online", "routes", "state", "weight"])
        #expect(nodes.map { $0["state"] as? String } == ["up", "draining"])
    }

    @Test func nodesAreListedAlsoWhenTheRoutesAreAway() async throws {
        let harness = try FaceHarness()
        await harness.routes.fail(with: WindfireError(.routesUnavailable, "away"))
        harness.registry.set(.disconnected)
        let body = try object(try await harness.ask { try await $0.ask(.get, "/v1/nodes", key: "ops-key") })
        #expect(body["current"] as? Bool == false)
        let nodes = try #require(body["nodes"] as? [[String: Any]])
        #expect(nodes.map { $0["id"] as? String } == ["n1", "n2"])
        #expect(nodes.map { $0["capacity"] as? Int } == [1_000, 1_000])
        #expect((nodes[0]["endpoints"] as? [String: String])?["ws"] == "ws://n1")
    }

    @Test func aClientsSessionsAreShownWithTheirNodes() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(
            client("ä/%b"),
            [
                makeRoute(harness.two, 2, device: "tv", epoch: 1_700_000_000_123_456),
                makeRoute(makeMember("n9"), 3, device: "old"),
            ])
        let answer = try await harness.ask { try await $0.ask(.get, "/v1/clients/%C3%A4%2F%25b", key: "ops-key") }
        let body = try object(answer)
        #expect(body["client"] as? String == "ä/%b")
        #expect(body["online"] as? Bool == true)
        let sessions = try #require(body["sessions"] as? [[String: Any]])
        #expect(sessions.map { $0["device"] as? String } == ["old", "tv"])
        #expect(sessions.map { $0["state"] as? String } == ["gone", "draining"])
        #expect(sessions[1]["node"] as? String == "n2")
        #expect(sessions[1]["session"] as? String == session(2).description)
        #expect(sessions[1]["connected_at_ms"] as? Int == 1_700_000_000_123)
    }

    @Test func anUnknownClientIsOfflineAndNotAnError() async throws {
        let answer = try await FaceHarness().ask { try await $0.ask(.get, "/v1/clients/nobody", key: "ops-key") }
        #expect(answer == Answer(status: 200, body: #"{"client":"nobody","online":false,"sessions":[]}"#))
    }

    @Test(arguments: [
        ("/v1/clients/%", "invalid_request"), ("/v1/clients/%zz", "invalid_request"),
        ("/v1/clients/%FF", "invalid_request"), ("/v1/clients/a%00b", "invalid_id"),
        ("/v1/clients/a%7Cb", "invalid_id"), ("/v1/clients/\(String(repeating: "x", count: 129))", "invalid_id"),
    ])
    func aBrokenIdInTheAddressIsRefused(_ path: String, _ code: String) async throws {
        let answer = try await FaceHarness().ask { try await $0.ask(.get, path, key: "ops-key") }
        #expect(answer.status == 400)
        #expect(answer.code == code)
    }

    @Test func kickClosesEverySessionWhereverItIs() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(
            client("a"),
            [
                makeRoute(harness.one, 1, device: "phone"), makeRoute(harness.two, 2, device: "tv"),
                makeRoute(makeMember("n9"), 3, device: "old"),
            ])
        let answer = try await harness.ask { try await $0.ask(.delete, "/v1/clients/a/sessions", key: "ops-key") }
        #expect(answer == Answer(status: 200, body: #"{"client":"a","failed":[],"kicked":2}"#))
        #expect(harness.nodes.kicks.map(\.sessions) == [[session(1)], [session(2)]])
        #expect(harness.nodes.kicks.map(\.reason) == [.kicked, .kicked])
    }

    @Test func kickOfOneDeviceLeavesTheOthers() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(
            client("a"), [makeRoute(harness.one, 1, device: "my phone"), makeRoute(harness.two, 2, device: "tv")])
        let answer = try await harness.ask {
            try await $0.ask(.delete, "/v1/clients/a/sessions?device=my%20phone", key: "ops-key")
        }
        #expect(answer == Answer(status: 200, body: #"{"client":"a","failed":[],"kicked":1}"#))
        #expect(harness.nodes.kicks.map(\.sessions) == [[session(1)]])
    }

    @Test func aNodeThatDoesNotAnswerAKickIsNamed() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1), makeRoute(harness.two, 2, device: "tv")])
        harness.nodes.fail("n1", .nodeUnavailable)
        harness.nodes.fail("n2", .notFound)
        let answer = try await harness.ask { try await $0.ask(.delete, "/v1/clients/a/sessions", key: "ops-key") }
        #expect(
            answer.body
                == #"{"client":"a","failed":[{"device":"default","node":"n1","reason":"node_unavailable"}],"kicked":0}"#
        )
    }

    @Test func otherAddressesAndMethodsAreNamed() async throws {
        try await FaceHarness().ask { client async throws in
            #expect(try await client.ask(.get, "/v1/push", key: "push-key").code == "method_not_allowed")
            #expect(try await client.ask(.get, "/v2/push", key: "push-key").code == "not_found")
            #expect(try await client.ask(.get, "/healthz").status == 200)
            #expect(try await client.ask(.get, "/readyz").status == 200)
        }
    }
}
