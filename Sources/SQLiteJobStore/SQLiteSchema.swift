import Common
import GRDB

// What is in the file. To change it, append a step and never touch those before: a file may be at any of them.
//
// States of chunks are numbers, so that indexes stay small: 0 pending, 1 leased, 2 done. What is large and changes
// rarely has tables of its own, because SQLite writes a whole row, with its overflow pages, for a change of any column.

enum SQLiteSchema {
    /// `PRAGMA user_version` counts the steps a file has seen; it is part of the transaction.
    static let steps: [String] = [
        """
        CREATE TABLE jobs (
            id BLOB NOT NULL PRIMARY KEY,
            created_at INTEGER NOT NULL,
            owner TEXT NOT NULL,
            resend_of BLOB,
            is_stored INTEGER NOT NULL DEFAULT 0,
            rate_per_s INTEGER,
            expires_at INTEGER,
            state TEXT NOT NULL,
            reason TEXT,
            total INTEGER NOT NULL DEFAULT 0,
            chunks INTEGER NOT NULL DEFAULT 0,
            chunks_leased INTEGER NOT NULL DEFAULT 0,
            chunks_done INTEGER NOT NULL DEFAULT 0,
            skipped_lines INTEGER NOT NULL DEFAULT 0,
            delivered INTEGER NOT NULL DEFAULT 0,
            offline INTEGER NOT NULL DEFAULT 0,
            stored INTEGER NOT NULL DEFAULT 0,
            failed INTEGER NOT NULL DEFAULT 0,
            acknowledged INTEGER NOT NULL DEFAULT 0,
            finished_at INTEGER,
            receiver TEXT NOT NULL,
            touched_at INTEGER NOT NULL,
            served INTEGER NOT NULL DEFAULT 0
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX jobs_running ON jobs (served, id) WHERE state = 'running';
        CREATE INDEX jobs_receiving ON jobs (touched_at) WHERE state = 'receiving';
        CREATE INDEX jobs_cancelling ON jobs (id) WHERE state = 'cancelling';
        CREATE INDEX jobs_finished ON jobs (finished_at) WHERE finished_at IS NOT NULL;

        CREATE TABLE job_specifications (
            job BLOB NOT NULL PRIMARY KEY,
            body BLOB NOT NULL
        ) STRICT;

        CREATE TABLE job_chunks (
            job BLOB NOT NULL,
            idx INTEGER NOT NULL,
            state INTEGER NOT NULL DEFAULT 0,
            attempts INTEGER NOT NULL DEFAULT 0,
            holder TEXT,
            expires_at INTEGER,
            PRIMARY KEY (job, idx)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX chunks_pending ON job_chunks (job, idx) WHERE state = 0;
        CREATE INDEX chunks_leased ON job_chunks (expires_at) WHERE state = 1;

        -- The ids of a chunk, one a line; once it is done, those that were not delivered and why.
        CREATE TABLE job_lists (
            job BLOB NOT NULL,
            idx INTEGER NOT NULL,
            body BLOB NOT NULL,
            PRIMARY KEY (job, idx)
        ) STRICT;
        """
    ]

    /// Brings the file to the newest step, in one transaction, so that two processes that start together take turns.
    /// - Throws: `jobs_schema_unknown` when a newer version wrote it.
    static func migrate(_ database: Database) throws {
        try database.inTransaction(.immediate) {
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            guard version <= steps.count else { throw JobFailure.schemaUnknown(found: version, known: steps.count) }
            for step in steps.dropFirst(max(version, 0)) { try database.execute(sql: step) }
            if version < steps.count { try database.execute(sql: "PRAGMA user_version = \(steps.count)") }
            return .commit
        }
    }
}
