import Common
import TestKit
import Testing

@testable import MySQLJobStore

extension MySQLFaultTests {
    /// A server whose file does not grow: as with a full disk, it refuses in the middle of a transaction.
    @Test func aFullServerIsNamedAndOverWhenThereIsRoomAgain() async throws {
        try await withStores { harness in
            let store = try await harness.open()
            let job = Job.sample()
            try await store.create(job, receiver: .sample("r1"))
            // Without autoextend, InnoDB answers ER_RECORD_FILE_FULL at the end of its file.
            let bytes = try await harness.server.sql(
                "SELECT FILE_SIZE FROM information_schema.INNODB_SYS_TABLESPACES WHERE NAME = 'innodb_system'")
            let megabytes = try #require(Int(bytes)) >> 20
            await harness.server.kill()
            try await harness.server.restart(["--innodb-data-file-path=ibdata1:\(megabytes)M"])
            var appended = 0
            let full = try await eventually("the server is full") { () -> WindfireError? in
                do throws(WindfireError) {
                    while appended < 1_000 {
                        try await store.append(.sample(job.id, appended, clients: 5_000))
                        appended += 1
                    }
                    return nil
                } catch {
                    return error.message.contains("full") ? error : nil
                }
            }
            #expect(full.code == .jobsUnavailable)
            #expect((1..<1_000).contains(appended))
            // What was answered is there, of what was refused nothing.
            #expect(try await store.job(job.id).chunkCount == appended)
            #expect(try await store.job(job.id).total == appended * 5_000)

            await harness.server.kill()
            try await harness.server.restart(["--innodb-data-file-path=ibdata1:\(megabytes)M:autoextend"])
            try await eventually("there is room again") {
                try await store.append(.sample(job.id, appended, clients: 5_000))
                return true
            }
            let sealed = try await store.seal(
                job.id, .sample, total: (appended + 1) * 5_000, chunkCount: appended + 1, skippedLines: 0)
            #expect(sealed.state == .running)
        }
    }
}
