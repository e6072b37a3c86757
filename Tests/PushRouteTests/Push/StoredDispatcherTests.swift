import Common
import NodeRPC
import Testing

@testable import PushRoute

/// Stored pushes: into the inboxes first, then to whoever is connected.
@Suite struct StoredDispatcherTests {
    private let one = makeMember("n1")
    private let two = makeMember("n2")
    private let registry: FixedRegistry
    private let routes = ScriptedRouteStore()
    private let nodes = ScriptedNodes()
    private let id = UUIDv7(unixMilliseconds: 1_000_000, random: (1, 2))

    init() { registry = FixedRegistry([one, two]) }

    private func push(
        _ targets: [String], timeToLive: Duration? = nil, isRepeat: Bool = false, job: JobID? = nil,
        mode: PushParameters.Mode = .stored, now: UInt64 = 1_000_000,
        configure: (inout Dispatcher.Configuration) -> Void = { _ in }
    ) async throws -> Dispatcher.Receipt {
        var configuration = Dispatcher.Configuration()
        configure(&configuration)
        let dispatcher = Dispatcher(
            registry: registry, routes: routes, inboxes: routes, nodes: nodes, configuration: configuration,
            now: { now })
        return try await dispatcher.push(
            targets.map(client),
            PushParameters(data: Array("7".utf8), mode: mode, timeToLive: timeToLive, collapseKey: "k"), as: id,
            isRepeat: isRepeat, job: job, traceID: "t", logger: quiet)
    }

    private func place(_ sequence: UInt64) -> StreamPosition {
        StreamPosition(milliseconds: 1_000, sequence: sequence)
    }

    private static func answer(_ receipt: Dispatcher.Receipt) -> String {
        let text = String(decoding: PushAnswer.json(receipt), as: UTF8.self)
        return String(text[(text.range(of: "\"total\"")?.lowerBound ?? text.startIndex)...])
    }

    @Test func everyTargetIsStoredForAndWhoIsThereIsCalledWithTheirPlaces() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)], client("b"): [makeRoute(one, 2), makeRoute(two, 3)]])
        let receipt = try await push(["a", "b", "c"])
        #expect(receipt.ledger.counts == .init(delivered: 2, offline: 1, failed: 0, stored: 1))
        let stored = await routes.inboxes.stored
        #expect(stored.map(\.clients) == [[client("a"), client("b"), client("c")]])
        let message = try #require(stored.first?.message)
        #expect(message.push == id)
        #expect(message.timestampMilliseconds == 1_000_000)
        #expect(message.expiresAtMilliseconds == 1_000_000 + 7 * 86_400_000)
        #expect(message.collapseKey == "k")
        #expect(message.traceID == "t")
        // Nobody is looked up besides.
        #expect(await routes.lookups == [])
        #expect(nodes.calls == ["n1:1,2", "n2:3"])
        let first = try #require(nodes.deliveries.first { $0.node == one.id }?.delivery)
        #expect(
            first.places == [
                StoredPlace(position: place(2), previous: place(1)),
                StoredPlace(position: place(4), previous: place(3)),
            ])
        #expect(!first.isChunk)
        #expect(
            Self.answer(receipt)
                == #""total":3,"delivered":2,"offline":1,"failed":0,"stored":1,"results":["#
                + #"{"client":"a","device":"default","status":"delivered","node":"n1"},"#
                + #"{"client":"b","device":"default","status":"delivered","node":"n1"},"#
                + #"{"client":"b","device":"default","status":"delivered","node":"n2"},"#
                + #"{"client":"c","status":"offline","stored":true}]}"#)
    }

    @Test func whoCannotBeHandedItHasItWaiting() async throws {
        await routes.set([
            client("gone"): [makeRoute(one, 1)], client("full"): [makeRoute(one, 2)],
            client("dead"): [makeRoute(two, 3)], client("lost"): [makeRoute(makeMember("n9"), 4)],
        ])
        nodes.answer(.gone, for: session(1))
        nodes.answer(.refused, for: session(2))
        nodes.fail("n2", .nodeUnavailable)
        let receipt = try await push(["gone", "full", "dead", "lost"])
        #expect(receipt.ledger.counts == .init(delivered: 0, offline: 4, failed: 0, stored: 4))
        #expect(
            Self.answer(receipt)
                == #""total":4,"delivered":0,"offline":4,"failed":0,"stored":4,"results":["#
                + #"{"client":"gone","status":"offline","stored":true},"#
                + #"{"client":"full","device":"default","status":"offline","stored":true,"node":"n1","#
                + #""reason":"outbox_full"},"#
                + #"{"client":"dead","device":"default","status":"offline","stored":true,"node":"n2","#
                + #""reason":"node_unavailable"},"#
                + #"{"client":"lost","status":"offline","stored":true}]}"#)
        // No second look, and nobody is called twice.
        #expect(await routes.lookups == [])
        #expect(nodes.calls == ["n1:1,2", "n2:3"])
    }

    @Test func whatCouldNotBeStoredIsTriedOnceMoreAsARepeatAndThenFails() async throws {
        let away = StoreResult.failed(WindfireError(.routesUnavailable, "away"))
        await routes.script { script in
            script.results = [
                client("late"): [away], client("never"): [away, away], client("old"): [.expired],
                client("newer"): [.replaced],
            ]
        }
        let receipt = try await push(["late", "never", "old", "newer"])
        #expect(receipt.ledger.counts == .init(delivered: 0, offline: 1, failed: 3, stored: 1))
        #expect(receipt.ledger.reasons == [1: "routes_unavailable", 2: "expired", 3: "replaced"])
        let stored = await routes.inboxes.stored
        #expect(stored.map(\.isRepeat) == [false, true])
        #expect(stored.last?.clients == [client("late"), client("never")])
        #expect(Self.answer(receipt).contains(#"{"client":"never","status":"failed","reason":"routes_unavailable"}"#))
    }

    @Test func whenNothingWasStoredThePushIsRefused() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)]])
        await routes.fail(with: WindfireError(.routesUnavailable, "away"))
        await #expect(throws: WindfireError(.routesUnavailable, "away")) { try await push(["a", "b"]) }
        #expect(nodes.calls == [])
    }

    @Test func withoutAListOfNodesNothingIsStored() async throws {
        registry.set(.unknown)
        let error = await #expect(throws: WindfireError.self) { try await push(["a"]) }
        #expect(error?.code == .registryUnavailable)
        #expect(await routes.inboxes.stored == [])
    }

    @Test func aChunkOfAJobIsSaidToBeOneAndCountsForItsJob() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)]])
        let job = JobID(UUIDv7(unixMilliseconds: 9, random: (3, 4)))
        _ = try await push(["a"], timeToLive: .seconds(60), isRepeat: true, job: job)
        let stored = await routes.inboxes.stored
        #expect(stored.map(\.isRepeat) == [true])
        #expect(stored.first?.message.job == job)
        #expect(stored.first?.message.expiresAtMilliseconds == 1_060_000)
        #expect(nodes.deliveries.map(\.delivery.isChunk) == [true])
        #expect(nodes.deliveries.map(\.delivery.message.text) == [id.description])
    }

    @Test func longListsAreStoredForInChunks() async throws {
        let receipt = try await push((0..<25_000).map { "u\($0)" })
        #expect(await routes.inboxes.stored.map(\.clients.count).sorted() == [5_000, 10_000, 10_000])
        #expect(receipt.ledger.counts == .init(delivered: 0, offline: 25_000, failed: 0, stored: 25_000))
    }

    @Test func aLiveMessageThatIsOverIsNotSent() async throws {
        await routes.set([client("a"): [makeRoute(one, 1)]])
        let over = try await push(["a"], timeToLive: .seconds(60), mode: .live, now: 1_060_000)
        #expect(over.ledger.counts == .init(delivered: 0, offline: 0, failed: 1))
        #expect(over.ledger.reasons == [0: "expired"])
        #expect(nodes.calls == [])
        let inTime = try await push(["a"], timeToLive: .seconds(60), mode: .live, now: 1_059_999)
        #expect(inTime.ledger.counts == .init(delivered: 1, offline: 0, failed: 0))
    }
}
