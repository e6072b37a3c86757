import Common
import NodeRPC
import Testing

@testable import PushRoute

@Suite struct DispatcherTests {
    private let one = makeMember("n1")
    private let two = makeMember("n2")
    private let registry: FixedRegistry
    private let routes = ScriptedRouteStore()
    private let nodes = ScriptedNodes()
    private let id = UUIDv7(unixMilliseconds: 5, random: (1, 2))

    init() { registry = FixedRegistry([one, two]) }

    private func push(
        _ targets: [String], configure: (inout Dispatcher.Configuration) -> Void = { _ in }
    ) async throws -> Dispatcher.Receipt {
        var configuration = Dispatcher.Configuration()
        configure(&configuration)
        let dispatcher = Dispatcher(
            registry: registry, routes: routes, inboxes: routes, nodes: nodes, configuration: configuration)
        return try await dispatcher.push(
            targets.map(client), PushParameters(data: Array("{\"hi\" : 1}".utf8), collapseKey: "k"), as: id,
            traceID: "t", logger: quiet)
    }

    /// "alice/phone delivered n1", one line per row of the answer.
    private func rows(_ receipt: Dispatcher.Receipt) -> [String] {
        receipt.targets.enumerated().flatMap { target, client in
            receipt.ledger.rows[target]?.map { row in
                "\(client)/\(row.device) \(row.status.rawValue) \(row.node)"
                    + (row.reason.map { " \($0)" } ?? "")
            } ?? ["\(client) \(receipt.ledger.statuses[target].rawValue)"]
        }
    }

    @Test func eachNodeIsCalledOnceWithThePayloadAndItsSessions() async throws {
        await routes.set([
            client("a"): [makeRoute(one, 1)], client("b"): [makeRoute(two, 2)],
            client("c"): [makeRoute(one, 3, device: "phone"), makeRoute(two, 4, device: "tv")],
        ])
        let receipt = try await push(["a", "b", "c", "d"])
        #expect(
            rows(receipt) == [
                "a/default delivered n1", "b/default delivered n2", "c/phone delivered n1", "c/tv delivered n2",
                "d offline",
            ])
        #expect(receipt.ledger.counts == PushLedger.Counts(delivered: 3, offline: 1, failed: 0))
        #expect(nodes.calls == ["n1:1,3", "n2:2,4"])
        let sent = try #require(nodes.deliveries.first).delivery
        #expect(String(decoding: sent.data, as: UTF8.self) == "{\"hi\" : 1}")
        #expect(sent.message.text == id.description)
        #expect(sent.timestampMilliseconds == 5)
        #expect(sent.collapseKey == "k")
        #expect(sent.traceID == "t")
        #expect(await routes.lookups == [4])
    }

    // Gone: the route is older than the connection's end.

    @Test func whoIsGoneIsLookedUpAgainAndReachedWhereTheyAreNow() async throws {
        let (one, two) = (one, two)
        await routes.set([client("a"): [makeRoute(one, 1)], client("b"): [makeRoute(one, 2)]])
        await routes.afterLookup { $0.set(client("a"), [makeRoute(two, 11)]) }
        nodes.answer(.gone, for: session(1))
        let receipt = try await push(["a", "b"])
        #expect(rows(receipt) == ["a/default delivered n2", "b/default delivered n1"])
        #expect(nodes.calls == ["n1:1,2", "n2:11"])
        #expect(await routes.lookups == [2, 1])
    }

    @Test func whoIsGoneAndHasNoNewRouteIsOffline() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)]])
        nodes.answer(.gone, for: session(1))
        let receipt = try await push(["a"])
        #expect(rows(receipt) == ["a offline"])
        #expect(nodes.calls == ["n1:1"])
        #expect(await routes.lookups == [1, 1])
    }

    @Test func whoIsGoneTwiceIsOfflineAndNotLookedUpAThirdTime() async throws {
        let two = two
        await routes.set([client("a"): [makeRoute(one, 1)]])
        await routes.afterLookup { $0.set(client("a"), [makeRoute(two, 2)]) }
        await routes.afterLookup { $0.set(client("a"), [makeRoute(two, 3)]) }
        nodes.answer(.gone, for: session(1))
        nodes.answer(.gone, for: session(2))
        let receipt = try await push(["a"])
        #expect(rows(receipt) == ["a offline"])
        #expect(await routes.lookups.count == 2)
    }

    @Test func aDeviceThatHasTheMessageGetsNoSecondOneBecauseAnotherWasGone() async throws {
        let (one, two) = (one, two)
        await routes.set([client("a"): [makeRoute(one, 1, device: "phone"), makeRoute(one, 2, device: "tv")]])
        // Both devices moved meanwhile; only the television still lacks the message.
        await routes.afterLookup {
            $0.set(client("a"), [makeRoute(two, 3, device: "phone"), makeRoute(two, 4, device: "tv")])
        }
        nodes.answer(.gone, for: session(2))
        let receipt = try await push(["a"])
        #expect(rows(receipt) == ["a/phone delivered n1", "a/tv delivered n2"])
        #expect(nodes.calls == ["n1:1,2", "n2:4"])
    }

    @Test func anotherLifeOfTheNodeIsLikeGone() async throws {
        let (one, two) = (one, two)
        await routes.set([client("a"): [makeRoute(one, 1)], client("b"): [makeRoute(one, 2)]])
        await routes.afterLookup { $0.set(client("b"), [makeRoute(two, 3)]) }
        nodes.fail("n1", .notFound)
        let receipt = try await push(["a", "b"])
        #expect(rows(receipt) == ["a offline", "b/default delivered n2"])
    }

    // A node that does not answer.

    @Test func aDeadNodesClientsAreFailedWithTheReasonUnlessTheyMoved() async throws {
        let two = two
        await routes.set([
            client("a"): [makeRoute(one, 1)], client("b"): [makeRoute(one, 2)], client("c"): [makeRoute(two, 3)],
        ])
        await routes.afterLookup { $0.set(client("b"), [makeRoute(two, 12)]) }
        nodes.fail("n1", .nodeUnavailable)
        let receipt = try await push(["a", "b", "c"])
        #expect(
            rows(receipt) == [
                "a/default failed n1 node_unavailable", "b/default delivered n2", "c/default delivered n2",
            ])
        #expect(receipt.ledger.counts == PushLedger.Counts(delivered: 2, offline: 0, failed: 1))
        // The dead node is not asked a second time.
        #expect(nodes.calls == ["n1:1,2", "n2:12", "n2:3"])
    }

    @Test func aNodeThatTheRegistryDoesNotListIsNotCalled() async throws {
        await routes.set([client("a"): [makeRoute(makeMember("n1", life: 8), 1)]])
        let receipt = try await push(["a"])
        #expect(rows(receipt) == ["a offline"])
        #expect(nodes.calls == [])
        #expect(await routes.lookups == [1])
    }

    @Test func aFullOutboxIsAFailureAndNotTriedAgain() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)]])
        nodes.answer(.refused, for: session(1))
        let receipt = try await push(["a"])
        #expect(rows(receipt) == ["a/default failed n1 outbox_full"])
        #expect(await routes.lookups == [1])
    }

    @Test func oneDeviceThatTookItMakesTheTargetDelivered() async throws {
        await routes.set([client("a"): [makeRoute(one, 1, device: "phone"), makeRoute(two, 2, device: "tv")]])
        nodes.fail("n2", .nodeUnavailable)
        let receipt = try await push(["a"])
        #expect(rows(receipt) == ["a/phone delivered n1", "a/tv failed n2 node_unavailable"])
        #expect(receipt.ledger.counts == PushLedger.Counts(delivered: 1, offline: 0, failed: 0))
    }

    // The stores away.

    @Test func withoutRoutesNothingIsSent() async throws {
        await routes.fail(with: WindfireError(.routesUnavailable, "away"))
        await #expect(throws: WindfireError(.routesUnavailable, "away")) { try await push(["a"]) }
        #expect(nodes.calls == [])
    }

    @Test func routesThatGoAwayMidwayAreAReasonAndNotARefusal() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)], client("b"): [makeRoute(one, 2)]])
        await routes.afterLookup { $0.fail(with: WindfireError(.routesUnavailable, "away")) }
        nodes.answer(.gone, for: session(1))
        let receipt = try await push(["a", "b"])
        #expect(rows(receipt) == ["a/default failed n1 routes_unavailable", "b/default delivered n1"])
    }

    @Test func withoutAListOfNodesNothingIsSent() async throws {
        registry.set(.unknown)
        await routes.set([client("a"): [makeRoute(one, 1)]])
        let error = await #expect(throws: WindfireError.self) { try await push(["a"]) }
        #expect(error?.code == .registryUnavailable)
        #expect(nodes.calls == [])
    }

    @Test func aRegistryThatIsAwayDoesNotStopPushes() async throws {
        registry.set(.disconnected)
        await routes.set([client("a"): [makeRoute(one, 1)]])
        #expect(try await rows(push(["a"])) == ["a/default delivered n1"])
    }

    // Many.

    @Test func aHundredThousandTargetsAreLookedUpInChunksAndCountedExactly() async throws {
        var table: [ClientID: [Route]] = [:]
        let names = (0..<100_000).map { "user-\($0)" }
        // Every seventh is online, on either node; the last of them is gone, the one before has a full outbox.
        let online = stride(from: 0, to: 100_000, by: 7).map { $0 }
        for index in online {
            table[client(names[index])] = [makeRoute(index.isMultiple(of: 2) ? one : two, UInt64(index))]
        }
        let immutable = table
        await routes.set(immutable)
        nodes.answer(.gone, for: session(UInt64(online[online.count - 1])))
        nodes.answer(.refused, for: session(UInt64(online[online.count - 2])))
        let receipt = try await push(names) { $0.limits.sessionsPerDeliverMax = 5_000 }
        #expect(
            receipt.ledger.counts
                == PushLedger.Counts(
                    delivered: online.count - 2, offline: 100_000 - online.count + 1, failed: 1))
        #expect(receipt.ledger.rows.isEmpty)
        let lookups = await routes.lookups
        #expect(lookups.dropLast().allSatisfy { $0 == 10_000 } && lookups.count == 11 && lookups.last == 1)
        // 7,143 sessions on each of the nodes, 5,000 at most in one call.
        #expect(nodes.deliveries.map(\.delivery.sessions.count).sorted() == [2_143, 2_143, 5_000, 5_000])
        let called = nodes.deliveries.flatMap(\.delivery.sessions)
        #expect(Set(called).count == online.count && called.count == online.count)
    }
}
