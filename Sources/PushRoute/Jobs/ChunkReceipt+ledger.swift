import Common

// From the dispatcher's account of a push to the receipt of a job's chunk.

extension ChunkReceipt {
    static let empty = ChunkReceipt(counts: JobCounts(), undelivered: [])

    init(_ targets: [ClientID], _ ledger: PushLedger) {
        let counts = ledger.counts
        var undelivered: [Undelivered] = []
        for (target, client) in targets.enumerated() {
            switch ledger.statuses[target] {
            case .delivered: continue
            case .offline:
                undelivered.append(Undelivered(client: client, reason: ledger.isStored(target) ? .stored : .offline))
            case .failed:
                let reason = ledger.reasons[target] ?? FailureCode.internalError.name
                undelivered.append(Undelivered(client: client, reason: .failed(reason)))
            }
        }
        self.init(
            counts: JobCounts(
                delivered: counts.delivered, offline: counts.offline, stored: counts.stored, failed: counts.failed),
            undelivered: undelivered)
    }

    /// Nobody could be served, for this reason.
    init(failed clients: [ClientID], reason: String) {
        self.init(
            counts: JobCounts(failed: clients.count),
            undelivered: clients.map { Undelivered(client: $0, reason: .failed(reason)) })
    }

    /// Together with the receipt of the clients behind these.
    func followed(by next: ChunkReceipt) -> ChunkReceipt {
        ChunkReceipt(
            counts: JobCounts(
                delivered: counts.delivered + next.counts.delivered, offline: counts.offline + next.counts.offline,
                stored: counts.stored + next.counts.stored, failed: counts.failed + next.counts.failed),
            undelivered: undelivered + next.undelivered)
    }

    /// The job was cancelled before these had their turn; they count as untried.
    func leavingOut(_ clients: some Sequence<ClientID>) -> ChunkReceipt {
        ChunkReceipt(
            counts: counts, undelivered: undelivered + clients.map { Undelivered(client: $0, reason: .notTried) })
    }
}
