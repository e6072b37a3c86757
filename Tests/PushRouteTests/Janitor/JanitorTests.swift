import Common
import HTTPSupport
import Testing

@testable import PushRoute

@Suite struct BurialWatchTests {
    private let start = ContinuousClock.now
    private let here = makeMember("n1")
    private let gone = Incarnation(node: NodeID(unchecked: "n2"), life: 1)
    private let connected = RegistryState.connected(afterExpiry: false)

    private func at(_ seconds: Int) -> ContinuousClock.Instant { start + .seconds(seconds) }

    @Test func whoIsMissingForTheGracePeriodIsBuried() {
        var watch = BurialWatch(grace: .seconds(10))
        let announced: Set = [here.incarnation, gone]
        let list = Members([here])
        #expect(watch.look(announced: announced, members: list, registry: connected, now: at(0)) == [])
        #expect(watch.look(announced: announced, members: list, registry: connected, now: at(9)) == [])
        #expect(watch.look(announced: announced, members: list, registry: connected, now: at(10)) == [gone])
        // Until the announcement is gone: the one with the lease may have died.
        #expect(watch.look(announced: announced, members: list, registry: connected, now: at(11)) == [gone])
        #expect(watch.look(announced: [here.incarnation], members: list, registry: connected, now: at(12)) == [])
    }

    @Test func whoComesBackStartsAnew() {
        var watch = BurialWatch(grace: .seconds(10))
        let back = makeMember("n2")
        #expect(watch.look(announced: [gone], members: Members([here]), registry: connected, now: at(0)) == [])
        #expect(watch.look(announced: [gone], members: Members([here, back]), registry: connected, now: at(9)) == [])
        #expect(watch.look(announced: [gone], members: Members([here]), registry: connected, now: at(12)) == [])
        #expect(watch.look(announced: [gone], members: Members([here]), registry: connected, now: at(22)) == [gone])
    }

    @Test func anEarlierLifeOfALiveNodeIsGone() {
        var watch = BurialWatch(grace: .seconds(10))
        let second = Members([makeMember("n2", life: 2)])
        #expect(watch.look(announced: [gone], members: second, registry: connected, now: at(0)) == [])
        #expect(watch.look(announced: [gone], members: second, registry: connected, now: at(10)) == [gone])
    }

    @Test(arguments: [RegistryState.disconnected, .connecting])
    func outOfTouchNobodyIsBuriedAndWaitingStartsAnew(_ state: RegistryState) {
        var watch = BurialWatch(grace: .seconds(10))
        let list = Members([here])
        #expect(watch.look(announced: [gone], members: list, registry: connected, now: at(0)) == [])
        #expect(watch.look(announced: [gone], members: list, registry: state, now: at(60)) == [])
        #expect(watch.look(announced: [gone], members: list, registry: connected, now: at(61)) == [])
        #expect(watch.look(announced: [gone], members: list, registry: connected, now: at(70)) == [])
        #expect(watch.look(announced: [gone], members: list, registry: connected, now: at(71)) == [gone])
    }

    @Test func aListThatWasNeverReadProvesNothing() {
        var watch = BurialWatch(grace: .seconds(10))
        #expect(watch.look(announced: [gone], members: .unknown, registry: connected, now: at(0)) == [])
        #expect(watch.look(announced: [gone], members: .unknown, registry: connected, now: at(100)) == [])
    }
}

@Suite struct JanitorTests {
    private let here = makeMember("n1")
    private let gone = Incarnation(node: NodeID(unchecked: "n2"), life: 1)
    private let holder = Incarnation(node: NodeID(unchecked: "r1"), life: 1)
    private let routes = ScriptedRouteStore()
    private let figures = PrometheusRegistry()

    private func makeJanitor(_ registry: any Registry) -> Janitor {
        Janitor(
            holder: holder, registry: registry, routes: routes, configuration: Janitor.Configuration(),
            metrics: PushRouteMetrics(figures), logger: quiet)
    }

    @Test func buriesWithTheLeaseAndCounts() async throws {
        let janitor = makeJanitor(FixedRegistry([here]))
        try await routes.announce(gone)
        try await routes.announce(here.incarnation)
        let start = ContinuousClock.now
        try await janitor.look(now: start)
        #expect(await routes.buried == [])
        try await janitor.look(now: start + .seconds(10))
        #expect(await routes.buried == [gone])
        try await janitor.look(now: start + .seconds(20))
        #expect(await routes.buried == [gone])
        #expect(figures.counter("windfire_buried_routes_total").value == 7)
        #expect(figures.counter("windfire_buried_incarnations_total").value == 1)
    }

    @Test func leavesItToWhoHoldsTheLease() async throws {
        let janitor = makeJanitor(FixedRegistry([here]))
        try await routes.announce(gone)
        await routes.giveLease(to: Incarnation(node: NodeID(unchecked: "r2"), life: 1))
        let start = ContinuousClock.now
        try await janitor.look(now: start)
        try await janitor.look(now: start + .seconds(60))
        #expect(await routes.buried == [])
    }

    @Test func buriesNobodyWhileTheRegistryIsAway() async throws {
        let registry = FixedRegistry([here])
        let janitor = makeJanitor(registry)
        try await routes.announce(gone)
        let start = ContinuousClock.now
        try await janitor.look(now: start)
        registry.set(.disconnected)
        try await janitor.look(now: start + .seconds(60))
        #expect(await routes.buried == [])
    }
}
