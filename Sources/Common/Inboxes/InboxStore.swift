/// Messages that must not be lost. Kept where the routes are, because the two must agree at every moment: storing
/// answers with the client's sessions and claiming answers with the client's messages, each in one step. So a message
/// that is stored while a device connects is in one of the two answers. Both route stores are inbox stores.
///
/// One contract suite in TestKit runs on both. Lists are cut into buckets and pipelined; they may have any length.
///
/// Every inbox has bounds (`Limits.inboxMessagesMax`, `inboxBytesMax`, `inboxAge`): the oldest messages give way, and
/// each device is told how many it lost (`InboxPage.trimmed`).
///
/// A device becomes known with its first claim, or when a message is stored while it is connected. A new device begins
/// at the furthest place that any device of the client has acknowledged: it gets what nobody has read yet. A device
/// that was not seen for twice `Limits.inboxAge` is forgotten, and so is the one not seen for longest when a client has
/// more than `Limits.inboxDevicesMax`.
package protocol InboxStore: Sendable {
    /// Puts the message into the inbox of each client, and finds the sessions to send it to. One answer per client, in
    /// the same order; some may fail while others succeed. Name each client once.
    /// - Parameter isRepeat: this push may have been stored for these clients before, by a run that died or whose
    ///   answer was lost. It is looked for first, among the entries since shortly before the push.
    func store(_ message: StoredMessage, for clients: [ClientID], isRepeat: Bool) async -> [StoreResult]

    /// What lies after a place: the pages after the one that the claim gave, or what a lost delivery left out.
    /// - Parameter after: nil reads after the device's cursor; for a device that is not known, after what any device of
    ///   the client has acknowledged.
    /// - Throws: `routes_unavailable`.
    func readInbox(
        of client: ClientID, for device: DeviceID, after: StreamPosition?
    ) async throws(WindfireError) -> InboxPage

    /// Moves cursors, forward only. One answer per acknowledgement, in the same order; some may fail.
    func acknowledge(_ acknowledgements: [Acknowledgement]) async -> [AcknowledgeResult]

    /// The last id ever given in each client's inbox, nil where there was none: a node that has not sent this far to a
    /// session reads the inbox. In the order asked.
    /// - Throws: `routes_unavailable`.
    func inboxHeads(_ clients: [ClientID]) async throws(WindfireError) -> [StreamPosition?]

    /// For operators.
    /// - Throws: `routes_unavailable`.
    func inboxSummary(of client: ClientID) async throws(WindfireError) -> InboxSummary

    /// Removes all messages of a client; its devices count as having acknowledged them. For operators and tests.
    /// - Returns: how many messages were removed.
    /// - Throws: `routes_unavailable`.
    @discardableResult
    func purgeInbox(of client: ClientID) async throws(WindfireError) -> Int

    /// Notes that a push with this key was accepted under this id, unless one was before.
    /// - Parameter key: any text; scope it to the caller.
    /// - Returns: the id of the earlier push with the same key, nil when this one is the first.
    /// - Throws: `routes_unavailable`.
    func rememberPush(
        key: String, as id: String, for duration: Duration
    ) async throws(WindfireError) -> String?

    /// Takes back what was remembered: the push was not carried out after all.
    /// - Throws: `routes_unavailable`.
    func forgetPush(key: String) async throws(WindfireError)

    /// Adds acknowledgements to the counters of jobs, which are kept for `Limits.inboxAge` and a day after the last.
    /// - Throws: `routes_unavailable`; some may have been added then. Do not repeat: the counts would be too high.
    func countAcknowledged(_ counts: [JobID: Int]) async throws(WindfireError)

    /// What was counted for each job, in the order asked; 0 for jobs that nobody counted for.
    /// - Throws: `routes_unavailable`.
    func acknowledgedCounts(_ jobs: [JobID]) async throws(WindfireError) -> [Int]
}
