import Common

/// One handle and where its session stands: what the keeper of the entries and the readers of the lists work with. They
/// end with it; the next session gets new ones.
struct Connection: Sendable {
    struct Session: Hashable, Sendable {
        let id: Int64
        let timeout: Duration
        /// The moment of this contact. A session that is resumed has had several.
        let inTouchSince: ContinuousClock.Instant
    }

    let handle: ZooKeeperHandle
    let address: ZooKeeperAddress
    /// Nil while out of touch.
    let session = LatestValue<Session?>(nil)

    /// Waits until in touch. Nil when the task is cancelled.
    func untilConnected() async -> Session? {
        if let session = session.value { return session }
        return await session.first { $0 != nil } ?? nil
    }

    func path(_ role: Member.Role) -> String { "\(address.basePath)/\(role.rawValue)" }
    func path(_ key: EntryTable.Key) -> String { "\(path(key.role))/\(key.id)" }

    /// Makes the folder of a role, and those above it. They last; on an ensemble that lost its data they are made
    /// again.
    func makeFolder(_ role: Member.Role) async throws(ZooKeeperError) {
        var path = ""
        for part in self.path(role).split(separator: "/") {
            path += "/\(part)"
            do {
                try await handle.create(path, [], ephemeral: false)
            } catch  where error.isNodeExists {}
        }
    }
}
