import Common
import Foundation
import GRDB

/// What is in the file of the inboxes: a row a message, a row a client, a row a device. To change it, append a step and
/// never touch those before.
enum InboxSchema {
    static let steps: [String] = [
        """
        CREATE TABLE messages (
            client TEXT NOT NULL,
            ms INTEGER NOT NULL,
            seq INTEGER NOT NULL,
            push TEXT NOT NULL,
            pushed_at INTEGER NOT NULL,
            expires_at INTEGER NOT NULL,
            collapse_key TEXT,
            sender TEXT,
            job TEXT,
            trace TEXT NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (client, ms, seq)
        ) STRICT;

        CREATE TABLE inboxes (
            client TEXT NOT NULL PRIMARY KEY,
            last TEXT NOT NULL,
            acknowledged TEXT NOT NULL,
            trimmed_up_to TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE devices (
            client TEXT NOT NULL,
            device TEXT NOT NULL,
            cursor TEXT,
            trimmed INTEGER NOT NULL,
            seen_at INTEGER NOT NULL,
            PRIMARY KEY (client, device)
        ) STRICT, WITHOUT ROWID;
        """
    ]

    static func migrate(_ database: Database) throws {
        try database.inTransaction(.immediate) {
            let version = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
            guard version <= steps.count else {
                throw WindfireError(.routesUnavailable, "A newer version wrote the file of the inboxes.")
            }
            for step in steps.dropFirst(max(version, 0)) { try database.execute(sql: step) }
            if version < steps.count { try database.execute(sql: "PRAGMA user_version = \(steps.count)") }
            return .commit
        }
    }

    // MARK: Writing

    static func write(_ changes: WaitingChanges, to database: Database) throws {
        for client in changes.forgotten {
            for table in ["messages", "inboxes", "devices"] {
                try database.cachedStatement(sql: "DELETE FROM \(table) WHERE client = ?").execute(
                    arguments: [client.text])
            }
        }
        for (client, messages) in changes.messages {
            for (id, message) in messages {
                if let message {
                    try write(message, at: id, of: client, to: database)
                } else {
                    try database.cachedStatement(sql: "DELETE FROM messages WHERE client = ? AND ms = ? AND seq = ?")
                        .execute(arguments: [client.text, id.milliseconds.signed, id.sequence.signed])
                }
            }
        }
        for (client, marks) in changes.marks { try write(marks, of: client, to: database) }
    }

    private static func write(
        _ message: StoredMessage, at id: StreamPosition, of client: ClientID, to database: Database
    ) throws {
        try database.cachedStatement(
            sql: "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        ).execute(arguments: [
            client.text, id.milliseconds.signed, id.sequence.signed, "\(message.push)",
            message.timestampMilliseconds.signed, message.expiresAtMilliseconds.signed, message.collapseKey,
            message.from?.text, message.job?.description, message.traceID, Data(message.data),
        ])
    }

    private static func write(_ marks: InboxMarks, of client: ClientID, to database: Database) throws {
        try database.cachedStatement(sql: "INSERT OR REPLACE INTO inboxes VALUES (?, ?, ?, ?)").execute(arguments: [
            client.text, "\(marks.last)", "\(marks.acknowledged)", "\(marks.trimmedUpTo)",
        ])
        try database.cachedStatement(sql: "DELETE FROM devices WHERE client = ?").execute(arguments: [client.text])
        let insert = try database.cachedStatement(sql: "INSERT INTO devices VALUES (?, ?, ?, ?, ?)")
        for mark in marks.devices {
            try insert.execute(arguments: [
                client.text, mark.device.text, mark.cursor?.description, mark.trimmed, mark.seenAtMilliseconds.signed,
            ])
        }
    }

    // MARK: Reading

    /// Row by row what makes the inboxes again: the messages, then what is marked about them.
    static func everything(in database: Database) throws -> [InboxChange] {
        var changes: [InboxChange] = []
        let messages = try Row.fetchCursor(database, sql: "SELECT * FROM messages ORDER BY client, ms, seq")
        while let row = try messages.next() { changes.append(try message(row)) }
        var marks: [ClientID: InboxMarks] = [:]
        let inboxes = try Row.fetchCursor(database, sql: "SELECT * FROM inboxes")
        while let row = try inboxes.next() {
            var found = InboxMarks()
            found.last = try position(row["last"])
            found.acknowledged = try position(row["acknowledged"])
            found.trimmedUpTo = try position(row["trimmed_up_to"])
            marks[ClientID(unchecked: row["client"])] = found
        }
        let devices = try Row.fetchCursor(database, sql: "SELECT * FROM devices")
        while let row = try devices.next() {
            let cursor: String? = row["cursor"]
            marks[ClientID(unchecked: row["client"])]?.devices.append(
                DeviceMark(
                    device: DeviceID(unchecked: row["device"]), cursor: try cursor.map { try position($0) },
                    trimmed: row["trimmed"], seenAtMilliseconds: UInt64(signed: row["seen_at"])))
        }
        return changes + marks.map { .marked($0, $1) }
    }

    private static func message(_ row: Row) throws -> InboxChange {
        guard let push = UUIDv7(row["push"] as String) else { throw damaged }
        let data: Data = row["data"]
        let job: String? = row["job"]
        let sender: String? = row["sender"]
        let message = StoredMessage(
            push: push, data: Array(data), timestampMilliseconds: UInt64(signed: row["pushed_at"]),
            expiresAtMilliseconds: UInt64(signed: row["expires_at"]), collapseKey: row["collapse_key"],
            from: sender.map { ClientID(unchecked: $0) }, job: try job.map { try JobID($0) }, traceID: row["trace"])
        let id = StreamPosition(milliseconds: UInt64(signed: row["ms"]), sequence: UInt64(signed: row["seq"]))
        return .stored(ClientID(unchecked: row["client"]), id, message)
    }

    private static func position(_ text: String) throws -> StreamPosition {
        guard let position = StreamPosition(text) else { throw damaged }
        return position
    }

    private static var damaged: WindfireError {
        WindfireError(.routesUnavailable, "The file of the inboxes has a row that cannot be read.")
    }
}

// SQLite's integers are signed; these keep all 64 bits.

extension UInt64 {
    fileprivate var signed: Int64 { Int64(bitPattern: self) }
    fileprivate init(signed: Int64) { self.init(bitPattern: signed) }
}
