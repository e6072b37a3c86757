import Common
import Foundation
import GRDB
import TestKit
import Testing

@testable import SQLiteJobStore

@Suite struct SQLiteInboxJournalTests {
    private static let start: UInt64 = 1_700_000_000_000
    private let clock: @Sendable () -> UInt64 = { start * 1_000 }
    private let client = ClientID(unchecked: "alice")
    private let phone = DeviceID(unchecked: "phone")

    private func message(_ number: Int, key: String? = nil) -> StoredMessage {
        StoredMessage(
            push: UUIDv7(unixMilliseconds: Self.start, random: (0, UInt64(number))), data: Array("\(number)".utf8),
            timestampMilliseconds: Self.start, expiresAtMilliseconds: Self.start + 60_000, collapseKey: key,
            from: number == 1 ? ClientID(unchecked: "bob") : nil,
            job: number == 2 ? JobID(UUIDv7(unixMilliseconds: 1, random: (2, 3))) : nil, traceID: "t\(number)")
    }

    private func open(_ folder: borrowing TemporaryFolder, _ limits: Limits = .default) async throws -> (
        InMemoryRouteStore, SQLiteInboxJournal
    ) {
        let journal = try SQLiteInboxJournal(path: folder.path("inboxes.sqlite"))
        let store = InMemoryRouteStore(limits: limits, journal: journal, now: clock)
        try await store.restore()
        return (store, journal)
    }

    private func page(_ store: InMemoryRouteStore, session: UInt64) async -> InboxPage? {
        let claim = RouteClaim(
            client: client, device: phone, incarnation: Incarnation(node: NodeID(unchecked: "n"), life: 1),
            session: SessionID(high: 0, low: session), generation: .first)
        guard case .granted(_, _, let inbox) = await store.claim(claim) else { return nil }
        return inbox
    }

    @Test func `what was stored and acknowledged is the same after a restart`() async throws {
        let folder = try TemporaryFolder("inboxes")
        var limits = Limits.default
        limits.inboxMessagesMax = 5
        let (first, journal) = try await open(folder, limits)
        _ = await page(first, session: 1)
        var ids: [StreamPosition] = []
        for number in 0..<9 {
            let results = await first.store(
                message(number, key: number < 2 ? "k" : nil), for: [client], isRepeat: false)
            guard case .stored(let id, _, _, _) = results[0] else { continue }
            ids.append(id)
        }
        _ = await first.acknowledge([Acknowledgement(client: client, device: phone, upTo: ids[5])])
        await journal.close()

        let (second, again) = try await open(folder, limits)
        #expect(await second.inboxSummary(of: client) == first.inboxSummary(of: client))
        let restored = await page(second, session: 2)
        #expect(restored?.messages.map(\.id) == Array(ids[6...]))
        #expect(await page(first, session: 2) == restored)
        await again.close()
    }

    /// The process ends without closing anything: what was answered is in the file all the same.
    @Test func `a stored message is on the disk when the call returns`() async throws {
        let folder = try TemporaryFolder("inboxes")
        let (store, journal) = try await open(folder)
        let clients = (0..<200).map { ClientID(unchecked: "c\($0)") }
        await withTaskGroup { group in
            for client in clients {
                group.addTask { _ = await store.store(message(2), for: [client], isRepeat: false) }
            }
        }
        let reader = try DatabaseQueue(path: folder.path("inboxes.sqlite"))
        #expect(try await reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM messages") } == 200)
        await journal.close()
    }

    @Test func `a full disk refuses what it cannot keep, and takes it once there is room`() async throws {
        let folder = try TemporaryFolder("inboxes")
        let (store, journal) = try await open(folder)
        try await journal.setPagesMax(20)
        var large = message(3)
        large.data = Array(repeating: 0x31, count: 200_000)
        let refused = await store.store(large, for: [client], isRepeat: false)
        guard case .failed(let error) = refused[0] else {
            Issue.record("refused, not \(refused)")
            return
        }
        #expect(error.code == .routesUnavailable && error.message.contains("full"))
        try await journal.setPagesMax(100_000)
        guard case .stored(_, _, true, _) = await store.store(large, for: [client], isRepeat: true)[0] else {
            Issue.record("found from before, and kept")
            return
        }
        await journal.close()
        let (again, next) = try await open(folder)
        #expect(await again.inboxHeads([client])[0] != nil)
        await next.close()
    }

    @Test func `random histories come out of the file as they went in`() async throws {
        var random = SplitMix.printed()
        let folder = try TemporaryFolder("inboxes")
        let clients = (0..<4).map { ClientID(unchecked: "c\($0)") }
        var kept = WaitingChanges()
        var journal = try SQLiteInboxJournal(path: folder.path("inboxes.sqlite"))
        for _ in 0..<400 {
            let client = clients[Int.random(in: 0..<4, using: &random)]
            let id = StreamPosition(milliseconds: 5, sequence: .random(in: 0..<20, using: &random))
            var marks = InboxMarks()
            marks.last = id
            marks.devices = [
                DeviceMark(device: phone, cursor: Bool.random(using: &random) ? id : nil, seenAtMilliseconds: .max)
            ]
            let change: InboxChange =
                switch Int.random(in: 0..<10, using: &random) {
                case 0: .forgotten(client)
                case 1...2: .marked(client, marks)
                case 3...5: .removed(client, id)
                default: .stored(client, id, message(Int.random(in: 0..<100, using: &random)))
                }
            kept.add(change)
            journal.append([change])
            if Int.random(in: 0..<20, using: &random) == 0 {
                await journal.close()
                journal = try SQLiteInboxJournal(path: folder.path("inboxes.sqlite"))
            }
        }
        try await journal.flush()
        // What is left, by client and place, computed apart from the file.
        var messages: [String: StoredMessage] = [:]
        for (client, changed) in kept.messages {
            for case (let id, let message?) in changed { messages["\(client) \(id)"] = message }
        }
        var found: [String: StoredMessage] = [:]
        var marks: [ClientID: InboxMarks] = [:]
        for change in try await journal.replay() {
            switch change {
            case .stored(let client, let id, let message): found["\(client) \(id)"] = message
            case .marked(let client, let mark): marks[client] = mark
            case .removed, .forgotten: Issue.record("the file keeps what there is, not what was")
            }
        }
        #expect(found == messages)
        #expect(marks == kept.marks)
        await journal.close()
    }

    @Test func `a newer file and a file that is none are refused by name`() async throws {
        let folder = try TemporaryFolder("inboxes")
        let newer = folder.path("newer.sqlite")
        let queue = try DatabaseQueue(path: newer)
        try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        let error = #expect(throws: WindfireError.self) { try SQLiteInboxJournal(path: newer) }
        #expect(error?.code == .routesUnavailable && error?.message.contains("newer version") == true)
        let text = try folder.write(String(repeating: "This is not a database. ", count: 400), to: "text.sqlite")
        let other = #expect(throws: WindfireError.self) { try SQLiteInboxJournal(path: text) }
        #expect(other?.message.contains("not a database") == true)
    }
}

extension SQLiteInboxJournal {
    /// As a full disk does, the limit of pages makes SQLite answer SQLITE_FULL in the middle of a transaction.
    fileprivate func setPagesMax(_ count: Int) async throws {
        try await queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA max_page_count = \(count)") }
    }
}
