import Common
import GRDB
import TestKit
import Testing

@testable import SQLiteJobStore

/// What can be wrong with a file, and that it is said by name.
@Suite struct SQLiteFaultTests {
    @Test func aFullDiskIsNamedAndOverWhenThereIsRoomAgain() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            // As a full disk does, the limit of pages makes SQLite answer SQLITE_FULL in the middle of a transaction.
            let pages = try await store.write { database in
                try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
            }
            try await store.setPagesMax(pages + 40)
            var appended = 0
            let error = await #expect(throws: WindfireError.self) {
                while appended < 1_000 {
                    try await store.append(.sample(job.id, appended, clients: 1_000))
                    appended += 1
                }
            }
            #expect(error?.code == .jobsUnavailable)
            #expect(error?.message.contains("full") == true)
            #expect((1..<1_000).contains(appended))
            // What was answered is there, of what was refused nothing.
            #expect(try await store.job(job.id).chunkCount == appended)
            #expect(try await store.job(job.id).total == appended * 1_000)

            try await store.setPagesMax(1_000_000)
            try await store.append(.sample(job.id, appended, clients: 1_000))
            let sealed = try await store.seal(
                job.id, .sample, total: (appended + 1) * 1_000, chunkCount: appended + 1, skippedLines: 0)
            #expect(sealed.state == .running)
        }
    }

    @Test func aFileOfANewerVersionIsNotTouched() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let newer = SQLiteSchema.steps.count + 1
            try await store.write { try $0.execute(sql: "PRAGMA user_version = \(newer)") }
            await store.close()
            let error = #expect(throws: WindfireError.self) { try SQLiteJobStore(.init(path: harness.path)) }
            #expect(error?.code == .jobsSchemaUnknown)
            #expect(error?.message.contains("schema \(newer)") == true)
        }
    }

    @Test func whatIsNoDatabaseIsNamed() throws {
        let folder = try TemporaryFolder("jobs")
        let text = try folder.write(String(repeating: "This is not a database. ", count: 400), to: "jobs.sqlite")
        let error = #expect(throws: WindfireError.self) { try SQLiteJobStore(.init(path: text)) }
        #expect(error?.code == .jobsUnavailable)
        #expect(error?.message.contains("not a database") == true)
    }

    @Test func aFolderThatIsNotThereIsNamed() throws {
        let folder = try TemporaryFolder("jobs")
        let error = #expect(throws: WindfireError.self) {
            try SQLiteJobStore(.init(path: folder.path("nowhere/jobs.sqlite")))
        }
        #expect(error?.code == .jobsUnavailable)
        #expect(error?.message.contains("its folder must exist") == true)
    }

    @Test func aProcessThatKeepsTheFileLockedIsNamedAndWaitedForNoLongerThanTheTimeout() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let job = try await store.runningJob(chunks: 1)
            var settings = SQLiteJobStore.Configuration(path: harness.path)
            settings.busyTimeout = .milliseconds(200)
            let patient = try SQLiteJobStore(settings)
            // The other's transaction stays open over several accesses, which GRDB wants to be told.
            var careless = GRDB.Configuration()
            careless.allowsUnsafeTransactions = true
            let other = try DatabaseQueue(path: harness.path, configuration: careless)
            try await other.writeWithoutTransaction { try $0.execute(sql: "BEGIN IMMEDIATE") }
            let start = ContinuousClock.now
            let error = await #expect(throws: WindfireError.self) { _ = try await patient.cancel(job.id) }
            #expect(error?.code == .jobsUnavailable)
            #expect(error?.message.contains("locked") == true)
            #expect(ContinuousClock.now - start < .seconds(5))
            // Looking is not in its way.
            #expect(try await patient.job(job.id) == job)
            try await other.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
            #expect(try await patient.cancel(job.id).state == .cancelled)
            await patient.close()
        }
    }

    @Test func aReopenedFileHasWhatWasAnswered() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let job = try await store.runningJob(chunks: 3)
            let chunk = try await store.leaseOne(.sample("w1"))
            #expect(try await store.complete(chunk.lease, .mixed(chunk)))
            let before = try await store.job(job.id)
            await store.close()
            let again = try await harness.open()
            #expect(try await again.job(job.id) == before)
            #expect(try await again.lease(.sample("w2"), max: 10, for: .seconds(10)).count == 2)
        }
    }

    @Test func everyCommitIsSynced() async throws {
        try await withStores { harness in
            let settings = try await harness.open().write { database in
                [
                    try String.fetchOne(database, sql: "PRAGMA journal_mode"),
                    try String.fetchOne(database, sql: "PRAGMA synchronous"),
                ]
            }
            // 2 is FULL (sqlite.org/pragma.html#pragma_synchronous).
            #expect(settings == ["wal", "2"])
        }
    }

    @Test func aClosedStoreRefusesByName() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let job = try await store.runningJob(chunks: 1)
            await store.close()
            await store.close()
            let error = await #expect(throws: WindfireError.self) { _ = try await store.job(job.id) }
            #expect(error?.code == .jobsUnavailable)
            #expect(error?.message.contains("closed") == true)
        }
    }

    @Test func moreWaitingCallsThanAllowedAreRefused() throws {
        let calls = WaitingCalls(max: 2)
        try calls.enter()
        try calls.enter()
        let error = #expect(throws: WindfireError.self) { try calls.enter() }
        #expect(error?.code == .jobsUnavailable)
        calls.leave()
        try calls.enter()
    }
}

extension SQLiteJobStore {
    /// The limit is the writing connection's own.
    fileprivate func setPagesMax(_ count: Int) async throws {
        try await write { try $0.execute(sql: "PRAGMA max_page_count = \(count)") }
    }
}
