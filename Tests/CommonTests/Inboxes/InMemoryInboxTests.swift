import Common
import Synchronization
import TestKit
import Testing

@Suite struct InMemoryInboxTests {
    private actor Harness: InboxHarness {
        private var store: InMemoryRouteStore?

        func makeMessageStore(_ limits: Limits) -> any MessageStore {
            let store = store ?? InMemoryRouteStore(limits: limits)
            self.store = store
            return store
        }
    }

    @Test(arguments: InboxContract.all)
    func contract(_ promise: InboxContract) async throws { try await promise.check(Harness()) }

    private let client = ClientID(unchecked: "a")
    private let phone = DeviceID(unchecked: "phone")
    /// 2023-11-14, in milliseconds.
    private static let start: UInt64 = 1_700_000_000_000

    private func message(_ number: UInt8, at milliseconds: UInt64 = start, key: String? = nil) -> StoredMessage {
        StoredMessage(
            push: UUIDv7(unixMilliseconds: milliseconds, random: (0, UInt64(number))), data: [0x30 + number],
            timestampMilliseconds: milliseconds, expiresAtMilliseconds: milliseconds + 60_000, collapseKey: key)
    }

    private func claim(_ session: UInt64) -> RouteClaim {
        RouteClaim(
            client: client, device: phone, incarnation: Incarnation(node: NodeID(unchecked: "n"), life: 1),
            session: SessionID(high: 0, low: session), generation: .first)
    }

    private func page(_ store: InMemoryRouteStore, session: UInt64) async -> InboxPage? {
        guard case .granted(_, _, let inbox) = await store.claim(claim(session)) else { return nil }
        return inbox
    }

    @Test func `ids are the clock's milliseconds and a running number, and rise when the clock is set back`() async {
        let clock = Atomic(Self.start)
        let store = InMemoryRouteStore(now: { clock.load(ordering: .relaxed) * 1_000 })
        var ids: [StreamPosition] = []
        for time in [Self.start, Self.start + 5, Self.start - 3_600_000, Self.start + 6] {
            clock.store(time, ordering: .relaxed)
            let results = await store.store(message(1), for: [client], isRepeat: false)
            guard case .stored(let id, _, _, _) = results[0] else { continue }
            ids.append(id)
        }
        let expected = [Self.start, Self.start + 5, Self.start + 5, Self.start + 6].enumerated()
            .map { StreamPosition(milliseconds: $1, sequence: UInt64($0 + 1)) }
        #expect(ids == expected)
    }

    @Test func `inboxes that were written down are the same after a restart`() async throws {
        let journal = MemoryJournal()
        var limits = Limits.default
        limits.inboxMessagesMax = 4
        let clock: @Sendable () -> UInt64 = { Self.start * 1_000 }
        let first = InMemoryRouteStore(limits: limits, journal: journal, now: clock)
        _ = await page(first, session: 1)
        var ids: [StreamPosition] = []
        for number in 0..<8 as Range<UInt8> {
            let results = await first.store(
                message(number, key: number < 3 ? "k" : nil), for: [client], isRepeat: false)
            guard case .stored(let id, _, _, _) = results[0] else { continue }
            ids.append(id)
        }
        _ = await first.acknowledge([Acknowledgement(client: client, device: phone, upTo: ids[4])])

        let second = InMemoryRouteStore(limits: limits, journal: journal, now: clock)
        try await second.restore()
        #expect(await second.inboxSummary(of: client) == first.inboxSummary(of: client))
        let before = await page(first, session: 2)
        #expect(before?.messages.map(\.id) == Array(ids[5...]))
        #expect(await page(second, session: 3) == before)
        // It goes on where it was.
        let next = await second.store(message(9), for: [client], isRepeat: false)
        guard case .stored(let id, let previous, _, _) = next[0] else {
            Issue.record("stored, not \(next)")
            return
        }
        #expect(id.sequence == ids[7].sequence + 1 && previous == ids[7])
        // Applied twice, the same comes out.
        journal.repeatAll()
        let third = InMemoryRouteStore(limits: limits, journal: journal, now: clock)
        try await third.restore()
        #expect(await third.inboxSummary(of: client) == second.inboxSummary(of: client))
    }

    @Test func `a message that could not be written down is not stored for the caller`() async {
        let journal = MemoryJournal()
        let store = InMemoryRouteStore(journal: journal, now: { Self.start * 1_000 })
        journal.isFull = true
        let results = await store.store(message(1), for: [client], isRepeat: false)
        #expect(results == [.failed(WindfireError(.routesUnavailable, "the disk is full"))])
        // Once there is room, the same push is found and written down.
        journal.isFull = false
        let again = await store.store(message(1), for: [client], isRepeat: true)
        guard case .stored(_, nil, true, []) = again[0] else {
            Issue.record("found, not \(again)")
            return
        }
    }

    @Test func `inboxes that nobody has touched for twice the age are dropped`() async throws {
        let clock = Atomic(Self.start)
        let journal = MemoryJournal()
        let store = InMemoryRouteStore(journal: journal, now: { clock.load(ordering: .relaxed) * 1_000 })
        let old = (0..<100).map { ClientID(unchecked: "old\($0)") }
        _ = await store.store(message(1), for: old, isRepeat: false)
        clock.add(15 * 24 * 3_600_000, ordering: .relaxed)
        let new = (0..<200).map { ClientID(unchecked: "new\($0)") }
        let later = message(2, at: clock.load(ordering: .relaxed))
        _ = await store.store(later, for: new, isRepeat: false)
        #expect(await store.inboxHeads(old).allSatisfy { $0 == nil })
        #expect(await store.inboxHeads(new).allSatisfy { $0 != nil })
        #expect(journal.forgotten == Set(old))
    }
}

/// Keeps everything, in memory.
private final class MemoryJournal: InboxJournal {
    private struct State {
        var changes: [InboxChange] = []
        var isFull = false
    }
    private let state = Mutex(State())

    var isFull: Bool {
        get { state.withLock { $0.isFull } }
        set { state.withLock { $0.isFull = newValue } }
    }
    var forgotten: Set<ClientID> {
        state.withLock { state in
            Set(state.changes.compactMap { if case .forgotten(let client) = $0 { client } else { nil } })
        }
    }
    func repeatAll() { state.withLock { $0.changes += $0.changes } }

    func append(_ changes: [InboxChange]) { state.withLock { $0.changes += changes } }
    func flush() async throws(WindfireError) {
        if isFull { throw WindfireError(.routesUnavailable, "the disk is full") }
    }
    func replay() async throws(WindfireError) -> [InboxChange] { state.withLock { $0.changes } }
}
