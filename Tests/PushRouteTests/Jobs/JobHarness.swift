import Common
import HTTPSupport
import NodeRPC
import Synchronization

@testable import PushRoute

/// Several runners on one job store, with nodes that keep what they were given. Leases are short, so that a test need
/// not wait for long.
struct JobHarness {
    let member = makeMember("n1")
    let registry: FixedRegistry
    let routes = ScriptedRouteStore()
    let nodes = RememberingNodes()
    let store: any JobStore
    let limits = Limits.default
    let metrics = PrometheusRegistry()

    init(store: any JobStore = InMemoryJobStore()) {
        registry = FixedRegistry([member])
        self.store = store
    }

    func dispatcher() -> Dispatcher { Dispatcher(registry: registry, routes: routes, inboxes: routes, nodes: nodes) }

    func receiver(_ bell: JobBell = JobBell()) -> JobReceiver {
        JobReceiver(store: store, receiver: incarnation("r1"), open: OpenJobs(), bell: bell, limits: limits)
    }

    func runner(_ name: String, _ bell: JobBell = JobBell(), paces: KeyPaces = KeyPaces([:])) -> JobRunner {
        var configuration = JobRunner.Configuration()
        configuration.leaseTime = .milliseconds(400)
        configuration.renewal = .milliseconds(100)
        configuration.poll = .milliseconds(20)
        return JobRunner(
            holder: incarnation(name), store: store, dispatcher: dispatcher(), registry: registry, paces: paces,
            bell: bell, configuration: configuration, metrics: PushRouteMetrics(metrics), logger: quiet)
    }

    func incarnation(_ name: String) -> Incarnation { Incarnation(node: NodeID(unchecked: name), life: 1) }

    /// `u0`, `u1`, …; every second one is online.
    func clients(_ count: Int) async -> [ClientID] {
        let clients = (0..<count).map { client("u\($0)") }
        let online = stride(from: 0, to: count, by: 2).map { (clients[$0], [makeRoute(member, UInt64($0 + 1))]) }
        await routes.set(Dictionary(uniqueKeysWithValues: online))
        return clients
    }

    /// A job that may begin.
    func job(
        of clients: [ClientID], _ push: PushParameters = PushParameters(data: [0x31]), owner: String = "backend",
        chunk: Int = 1_000, wake bell: JobBell = JobBell()
    ) async throws -> JobID {
        let receiver = receiver(bell)
        let id = try await receiver.begin(owner: owner)
        var chunks = 0
        for start in stride(from: 0, to: clients.count, by: chunk) {
            try await receiver.add(Array(clients[start..<min(start + chunk, clients.count)]), index: chunks, to: id)
            chunks += 1
        }
        try await receiver.seal(id, push: push, total: clients.count, chunks: chunks, skippedLines: 0)
        return id
    }

    func allUndelivered(_ id: JobID) async throws -> [Undelivered] {
        var rows: [Undelivered] = []
        var position: UndeliveredPosition? = .start
        while let from = position {
            let page = try await store.undelivered(id, from: from, limit: 700)
            rows += page.rows
            position = page.next
        }
        return rows
    }
}

/// Nodes that hand a message to a session once, as real ones do for chunks of jobs, and that can be made to hang.
final class RememberingNodes: NodeCaller {
    private struct Served: Hashable {
        let session: SessionID
        let message: MessageID
    }

    private struct State {
        var served: [Served: Int] = [:]
        var calls = 0
        var repeats = 0
        /// Calls after this one hang.
        var hangsAfter = Int.max
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    /// Sessions that were written to.
    var sessions: Int { state.withLock { Set($0.served.keys.map(\.session)).count } }
    /// How often a session was written to, at most.
    var mostPerSession: Int {
        state.withLock { state in
            Dictionary(state.served.map { ($0.key.session, $0.value) }, uniquingKeysWith: +).values.max() ?? 0
        }
    }
    var calls: Int { state.withLock { $0.calls } }
    /// Sessions that were there again with the same message, and were not written to.
    var repeats: Int { state.withLock { $0.repeats } }
    var hanging: Int { state.withLock { $0.waiting.count } }

    func hang(after calls: Int) { state.withLock { $0.hangsAfter = calls } }

    /// Those that hang go on, and no more will.
    func goOn() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.hangsAfter = .max
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome] {
        state.withLock { state in
            state.calls += 1
            for session in delivery.sessions {
                let served = Served(session: session, message: delivery.message)
                if delivery.isChunk, state.served[served] != nil {
                    state.repeats += 1
                } else {
                    state.served[served, default: 0] += 1
                }
            }
        }
        // The answer is what hangs: the sessions have been written to.
        await withCheckedContinuation { continuation in
            let hangs = state.withLock { state in
                guard state.calls > state.hangsAfter else { return false }
                state.waiting.append(continuation)
                return true
            }
            if !hangs { continuation.resume() }
        }
        return delivery.sessions.map { _ in .written }
    }

    func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome] {
        batch.publications.map { _ in .none }
    }
    func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures {
        TopicFigures(subscribers: 0)
    }
    func kick(_ sessions: [SessionID], for reason: CloseReason, on member: Member) async throws(WindfireError) -> Int {
        0
    }
}
