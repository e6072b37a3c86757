import Common
import TestKit
import Testing

@testable import MySQLJobStore

extension OnOneServer {
    /// What can be wrong with a server or with the way in, and that it is said by name and without the password.
    @Suite struct MySQLRefusalTests {
        private func server() throws -> MariaDBServer { try #require(OneMariaDBServer.current) }

        private func expectRefusedStart(
            _ part: String, _ url: String, _ location: SourceLocation = #_sourceLocation
        ) async throws {
            let configuration = try MySQLConfiguration(url: url)
            let error = await #expect(throws: WindfireError.self, sourceLocation: location) {
                _ = try await MySQLJobStore.open(configuration, logger: .silent)
            }
            #expect(error?.code == .jobsUnavailable, sourceLocation: location)
            #expect(error?.message.contains(part) == true, "\(String(describing: error))", sourceLocation: location)
            #expect(error?.description.contains(configuration.password) == false, sourceLocation: location)
        }

        @Test func aWrongPasswordStopsTheStartAndIsNotRepeated() async throws {
            let server = try server()
            let database = try await server.makeDatabase()
            try await expectRefusedStart(
                "does not let this user in", "mysql://windfire:not-it-at-all@127.0.0.1:\(server.port)/\(database)")
        }

        @Test func aDatabaseThatIsNotThereStopsTheStart() async throws {
            try await expectRefusedStart("does not exist", try server().url("wf_nowhere"))
        }

        @Test func aDatabaseOfOthersStopsTheStart() async throws {
            try await expectRefusedStart("does not let this user in", try server().url("mysql"))
        }

        @Test func aServerWithoutTLSIsRefusedWhereTLSIsDemanded() async throws {
            let server = try server()
            let database = try await server.makeDatabase()
            try await expectRefusedStart("TLS", server.url(database) + "?tls=required")
        }

        @Test func aServerThatTakesOnlySmallPacketsStopsTheStart() async throws {
            let server = try server()
            let database = try await server.makeDatabase()
            let before = try await server.sql("SELECT @@GLOBAL.max_allowed_packet")
            try await server.sql("SET GLOBAL max_allowed_packet = 1048576")
            await #expect(throws: Never.self) {
                try await expectRefusedStart("max_allowed_packet", server.url(database))
            }
            try await server.sql("SET GLOBAL max_allowed_packet = \(before)")
        }

        @Test func aReadOnlyServerIsNamedAndOverWhenItIsNot() async throws {
            try await withStores { harness in
                let store = try await harness.open()
                let job = try await store.runningJob(chunks: 1)
                try await harness.server.sql("SET GLOBAL read_only = 1")
                await expectUnavailable("read-only") { _ = try await store.cancel(job.id) }
                #expect(try await store.job(job.id) == job)
                try await harness.server.sql("SET GLOBAL read_only = 0")
                #expect(try await store.cancel(job.id).state == .cancelled)
            }
        }

        @Test func tablesOfANewerVersionAreNotTouched() async throws {
            try await withStores { harness in
                _ = try await harness.open()
                let newer = MySQLSchema.steps.count + 1
                try await harness.server.sql("UPDATE wf_schema SET version = \(newer)", database: harness.database)
                let error = await #expect(throws: WindfireError.self) { _ = try await harness.open() }
                #expect(error?.code == .jobsSchemaUnknown)
                #expect(error?.message.contains("schema \(newer)") == true)
            }
        }

        /// A step is not one transaction: MySQL commits after every CREATE.
        @Test func aSchemaThatWasCutOffInTheMiddleIsFinished() async throws {
            try await withStores { harness in
                _ = try await harness.open()
                try await harness.server.sql(
                    "DELETE FROM wf_schema; DROP TABLE wf_job_lists, wf_job_chunks", database: harness.database)
                let store = try await harness.open()
                let job = try await store.runningJob(chunks: 2)
                #expect(try await store.job(job.id).chunkCount == 2)
            }
        }

        /// docs/jobs.md says what a user needs.
        @Test func aUserThatMayNotMakeTablesWorksWhereTheyAre() async throws {
            try await withStores { harness in
                let (server, database) = (harness.server, harness.database)
                try await server.sql(
                    """
                    CREATE USER 'few'@'%' IDENTIFIED BY 'p@ss/word?:%';
                    GRANT SELECT, INSERT, UPDATE, DELETE ON `\(database)`.* TO 'few'@'%';
                    """)
                let url = "mysql://few:p%40ss%2Fword%3F%3A%25@127.0.0.1:\(server.port)/\(database)"
                try await expectRefusedStart("does not allow this user what is needed", url)
                _ = try await harness.open()
                let store = try await MySQLJobStore.open(try MySQLConfiguration(url: url), logger: .silent)
                let job = try await store.runningJob(chunks: 1)
                let chunk = try await store.leaseOne(.sample("w1"))
                #expect(try await store.complete(chunk.lease, .mixed(chunk)))
                #expect(try await store.sweep(finishedBefore: .max, silence: .seconds(60)).jobsDeleted == 1)
                await #expect(throws: WindfireError.self) { _ = try await store.job(job.id) }
                await store.close()
            }
        }
    }
}
