import Common
import Dispatch
import Synchronization
import TestKit
import Testing

@testable import MySQLJobStore

extension OnOneServer {
    /// Transactions that meet, and connections that come to harm between calls, on a server that is well.
    @Suite struct MySQLConflictTests {
        @Test func twoTransactionsThatWaitForEachOtherBothEndUpDone() async throws {
            try await withStores { harness in
                let store = try await harness.open()
                let jobs = [try await store.runningJob(1, chunks: 1).id, try await store.runningJob(2, chunks: 1).id]
                let meeting = Meeting(jobs)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for first in 0...1 { group.addTask { try await meeting.raise(first, on: store) } }
                    try await group.waitForAll()
                }
                #expect(meeting.tries.load(ordering: .relaxed) >= 3)
                for job in jobs { #expect(try await store.job(job).counts.acknowledged == 2) }
            }
        }

        @Test func aRowThatIsNeverGivenFreeIsNamedAfterTheBoundedTries() async throws {
            try await withStores { harness in
                let store = try await harness.open()
                let job = try await store.runningJob(chunks: 1)
                let hasty = try await harness.open {
                    ($0.timeout, $0.conflictRetriesMax) = (.seconds(2), 1)
                }
                let (isHeld, mayGo) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
                async let holding: Void = store.write { database in
                    _ = try database.job(job.id, locked: true)
                    isHeld.continuation.yield()
                    mayGo.wait()
                }
                for await _ in isHeld.stream { break }
                await expectUnavailable("too busy") { try await hasty.cancel(job.id) }
                // Looking is not in its way.
                #expect(try await hasty.job(job.id) == job)
                mayGo.signal()
                try await holding
                #expect(try await hasty.cancel(job.id).state == .cancelled)
            }
        }

        @Test func connectionsThatTheServerClosedWhileNobodyUsedThemAreMadeAnew() async throws {
            try await withStores { harness in
                let store = try await harness.open { $0.connections = 1 }
                let job = try await store.runningJob(chunks: 1)
                let ids = try await harness.server.sql(
                    "SELECT id FROM information_schema.processlist WHERE db = '\(harness.database)'")
                #expect(ids.split(separator: "\n").count == 1)
                try await harness.server.sql("KILL CONNECTION \(ids)")
                #expect(try await store.job(job.id) == job)
                #expect(try await store.cancel(job.id).state == .cancelled)
            }
        }

        @Test func moreWaitingCallsThanAllowedAreRefused() async throws {
            try await withStores { harness in
                let store = try await harness.open { ($0.connections, $0.waitingCallsMax) = (1, 2) }
                let job = try await store.runningJob(chunks: 1)
                let (isBusy, mayGo) = (AsyncStream<Void>.makeStream(), DispatchSemaphore(value: 0))
                async let busy: Void = store.read { _ in
                    isBusy.continuation.yield()
                    mayGo.wait()
                }
                for await _ in isBusy.stream { break }
                let answers = await withTaskGroup(of: String?.self) { group in
                    for _ in 0..<5 {
                        group.addTask {
                            do throws(WindfireError) {
                                _ = try await store.job(job.id)
                                return nil
                            } catch {
                                return error.message
                            }
                        }
                    }
                    var answers: [String?] = []
                    for await answer in group {
                        answers.append(answer)
                        // The three that found no room have answered, and the two that wait can go on.
                        if answers.count == 3 { mayGo.signal() }
                    }
                    return answers
                }
                try await busy
                #expect(answers.prefix(3).allSatisfy { $0?.contains("too many calls waiting") == true })
                #expect(answers.suffix(2) == [nil, nil])
            }
        }

        @Test func aClosedStoreRefusesByName() async throws {
            try await withStores { harness in
                let store = try await harness.open()
                let job = try await store.runningJob(chunks: 1)
                await store.close()
                await store.close()
                await expectUnavailable("closed") { _ = try await store.job(job.id) }
                let left = try await harness.server.sql(
                    "SELECT COUNT(*) FROM information_schema.processlist WHERE db = '\(harness.database)'")
                #expect(left == "0")
            }
        }
    }
}

/// Two transactions of which each holds one row and wants the other's.
private final class Meeting: Sendable {
    private let jobs: [JobID]
    private let arrived = [DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)]
    /// Of both together.
    let tries = Atomic(0)

    init(_ jobs: [JobID]) { self.jobs = jobs }

    func raise(_ first: Int, on store: MySQLJobStore) async throws {
        let hasMet = Mutex(false)
        try await store.write { [self] database in
            tries.add(1, ordering: .relaxed)
            let sql = "UPDATE wf_jobs SET acknowledged = acknowledged + 1 WHERE id = ?"
            try database.run(sql, [jobs[first].key])
            let isFirstTry = hasMet.withLock { hasMet in
                defer { hasMet = true }
                return !hasMet
            }
            if isFirstTry {
                arrived[first].signal()
                arrived[1 - first].wait()
            }
            try database.run(sql, [jobs[1 - first].key])
        }
    }
}
