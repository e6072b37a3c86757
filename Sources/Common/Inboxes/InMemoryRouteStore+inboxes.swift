// Routes and inboxes belong to one actor, so storing and claiming see each other whole.

extension InMemoryRouteStore: InboxStore {
    package func store(
        _ message: StoredMessage, for clients: [ClientID], isRepeat: Bool
    ) async -> [StoreResult] {
        let milliseconds = now() / 1000
        let results = clients.map { client in
            let sessions = table.routes(of: client)
            return inboxes.with(client, now: milliseconds) { box, limits in
                box.store(message, isRepeat: isRepeat, sessions: sessions, now: milliseconds, limits)
            }
        }
        do throws(WindfireError) {
            try await writeDown()
            return results
        } catch {
            return clients.map { _ in .failed(error) }
        }
    }

    package func readInbox(of client: ClientID, for device: DeviceID, after: StreamPosition?) -> InboxPage {
        let milliseconds = now() / 1000
        guard inboxes.marks(of: client) != nil else { return .empty }
        defer { noteChanges() }
        return inboxes.with(client, now: milliseconds) { box, limits in
            box.read(for: device, after: after, now: milliseconds, limits)
        }
    }

    package func acknowledge(_ acknowledgements: [Acknowledgement]) -> [AcknowledgeResult] {
        let milliseconds = now() / 1000
        defer { noteChanges() }
        return acknowledgements.map { acknowledgement in
            guard inboxes.marks(of: acknowledgement.client) != nil else {
                return .acknowledged(upTo: .start, first: [:])
            }
            return inboxes.with(acknowledgement.client, now: milliseconds) { box, limits in
                box.acknowledge(acknowledgement.device, upTo: acknowledgement.upTo, now: milliseconds, limits)
            }
        }
    }

    package func inboxHeads(_ clients: [ClientID]) -> [StreamPosition?] {
        clients.map { client in
            inboxes.marks(of: client).flatMap { $0.last == .start ? nil : $0.last }
        }
    }

    package func inboxSummary(of client: ClientID) -> InboxSummary { inboxes.summary(of: client) }

    @discardableResult
    package func purgeInbox(of client: ClientID) -> Int {
        guard inboxes.marks(of: client) != nil else { return 0 }
        defer { noteChanges() }
        return inboxes.with(client, now: now() / 1000) { box, _ in box.purge() }
    }

    package func rememberPush(key: String, as id: String, for duration: Duration) -> String? {
        let milliseconds = now() / 1000
        return pushes.remember(key, as: id, until: milliseconds + duration.wholeMilliseconds, now: milliseconds)
    }

    package func forgetPush(key: String) { pushes.forget(key) }

    package func countAcknowledged(_ counts: [JobID: Int]) {
        let milliseconds = now() / 1000
        let end = milliseconds + limits.jobCountersKept.wholeMilliseconds
        for (job, count) in counts { pushes.add(count, to: job, until: end, now: milliseconds) }
    }

    package func acknowledgedCounts(_ jobs: [JobID]) -> [Int] {
        let milliseconds = now() / 1000
        return jobs.map { pushes.count(of: $0, now: milliseconds) }
    }

    // MARK: The journal

    /// Fills the inboxes with what the journal has kept. Before anything else is asked of the store.
    /// - Throws: `routes_unavailable` when the journal cannot be read.
    package func restore() async throws(WindfireError) {
        guard let journal else { return }
        for change in try await journal.replay() { inboxes.restore(change) }
    }

    func noteChanges() {
        let changes = inboxes.takeChanges()
        if let journal, !changes.isEmpty { journal.append(changes) }
    }

    private func writeDown() async throws(WindfireError) {
        noteChanges()
        try await journal?.flush()
    }
}

extension Limits {
    /// How long the counters of a job are kept after the last message was counted: no message is acknowledged later
    /// than `inboxAge` after its push, and a day to read them.
    package var jobCountersKept: Duration { inboxAge + .seconds(24 * 3_600) }
}
