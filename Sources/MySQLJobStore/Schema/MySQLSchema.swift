import Common

// What is on the server. To change it, append a step and never touch those before. MySQL commits after every CREATE and
// ALTER, so a step that was cut off in the middle is run again from its start: each statement has to bear that (IF NOT
// EXISTS).
//
// Ids are compared byte by byte. States of chunks are numbers, so that indexes stay small: 0 pending, 1 leased, 2 done.
// Lists and what is pushed have tables of their own, so that the rows that change often are small.

enum MySQLSchema {
    static let steps: [[String]] = [
        [
            """
            CREATE TABLE IF NOT EXISTS wf_jobs (
                id BINARY(16) NOT NULL PRIMARY KEY,
                created_at BIGINT NOT NULL,
                owner VARCHAR(128) NOT NULL,
                resend_of BINARY(16),
                is_stored TINYINT NOT NULL DEFAULT 0,
                rate_per_s BIGINT,
                expires_at BIGINT,
                state VARCHAR(10) NOT NULL,
                reason VARCHAR(512),
                total BIGINT NOT NULL DEFAULT 0,
                chunks INT NOT NULL DEFAULT 0,
                chunks_leased INT NOT NULL DEFAULT 0,
                chunks_done INT NOT NULL DEFAULT 0,
                skipped_lines BIGINT NOT NULL DEFAULT 0,
                delivered BIGINT NOT NULL DEFAULT 0,
                offline BIGINT NOT NULL DEFAULT 0,
                stored BIGINT NOT NULL DEFAULT 0,
                failed BIGINT NOT NULL DEFAULT 0,
                acknowledged BIGINT NOT NULL DEFAULT 0,
                finished_at BIGINT,
                receiver VARCHAR(255) NOT NULL,
                touched_at BIGINT NOT NULL,
                served BIGINT NOT NULL DEFAULT 0,
                KEY wf_jobs_turn (state, served, id),
                KEY wf_jobs_touched (state, touched_at),
                KEY wf_jobs_finished (finished_at, id)
            ) \(table)
            """,
            """
            CREATE TABLE IF NOT EXISTS wf_job_specifications (
                job BINARY(16) NOT NULL,
                part INT NOT NULL,
                body MEDIUMBLOB NOT NULL,
                PRIMARY KEY (job, part)
            ) \(table)
            """,
            """
            CREATE TABLE IF NOT EXISTS wf_job_chunks (
                job BINARY(16) NOT NULL,
                idx INT NOT NULL,
                state TINYINT NOT NULL DEFAULT 0,
                attempts INT NOT NULL DEFAULT 0,
                holder VARCHAR(255),
                expires_at BIGINT,
                PRIMARY KEY (job, idx),
                KEY wf_job_chunks_state (job, state, idx),
                KEY wf_job_chunks_lease (state, expires_at)
            ) \(table)
            """,
            """
            CREATE TABLE IF NOT EXISTS wf_job_lists (
                job BINARY(16) NOT NULL,
                idx INT NOT NULL,
                body MEDIUMBLOB NOT NULL,
                PRIMARY KEY (job, idx)
            ) \(table)
            """,
        ]
    ]

    private static let table = "ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"

    /// Brings the schema to the newest step. Processes that start together take turns, by a lock of the server. Where
    /// the schema is there, nothing but reading is needed.
    /// - Throws: `jobs_schema_unknown` when a newer version made it; `MySQLError`.
    static func migrate(_ connection: MySQLHandle, patience: Duration) throws {
        if try version(connection) == steps.count { return }
        let seconds = max(1, Int(patience / .seconds(1)) - 1)
        // Names of locks are the whole server's.
        let lock = "CONCAT('wf-jobs:', LEFT(DATABASE(), 50))"
        let got = try connection.run("SELECT GET_LOCK(\(lock), ?)", .integer(seconds)).rows.first?.first?.integer
        guard got == 1 else { throw MySQLError(code: 1205, text: "another process makes the tables") }
        // When this fails, the lock goes with the connection.
        try makeTables(connection)
        try connection.run("SELECT RELEASE_LOCK(\(lock))")
    }

    private static func makeTables(_ connection: MySQLHandle) throws {
        try connection.command(
            """
            CREATE TABLE IF NOT EXISTS wf_schema (
                name VARCHAR(32) NOT NULL PRIMARY KEY,
                version INT NOT NULL
            ) \(table)
            """)
        for step in try version(connection)..<steps.count {
            for statement in steps[step] { try connection.command(statement) }
            try connection.run(
                "INSERT INTO wf_schema (name, version) VALUES ('jobs', ?) ON DUPLICATE KEY UPDATE version = ?",
                .integer(step + 1), .integer(step + 1))
        }
    }

    /// How many steps the server has seen.
    private static func version(_ connection: MySQLHandle) throws -> Int {
        do {
            let row = try connection.run("SELECT version FROM wf_schema WHERE name = 'jobs'").rows.first
            let version = Int(row?.first?.integer ?? 0)
            guard version <= steps.count else { throw JobFailure.schemaUnknown(found: version, known: steps.count) }
            return max(version, 0)
        } catch let error as MySQLError where error.isTableMissing {
            return 0
        }
    }
}
