// The half of `JobTable` that works jobs off.

extension JobTable {
    mutating func lease(
        _ holder: Incarnation, max: Int, milliseconds: UInt64, except: Set<JobID>, now: UInt64
    ) -> [LeasedChunk] {
        dropExpiredOfCancelled(now: now)
        var leased: [LeasedChunk] = []
        func take(_ id: JobID, _ index: Int, _ entry: inout Entry) {
            entry.chunks[index].attempts += 1
            entry.chunks[index].state = .leased(holder: holder, expiresAt: now + milliseconds)
            let lease = ChunkLease(
                job: id, index: index, holder: holder, attempt: entry.chunks[index].attempts,
                expiresAt: now + milliseconds)
            leased.append(LeasedChunk(lease: lease, clients: entry.chunks[index].clients))
        }
        let running = entries.filter { $0.value.job.state == .running && !except.contains($0.key) }.keys.sorted()
        for id in running {
            change(id) { entry in
                guard entry.job.chunksLeased > 0 else { return }
                for index in entry.chunks.indices where leased.count < max && entry.chunks[index].isExpired(now: now) {
                    take(id, index, &entry)
                }
            }
        }
        while leased.count < max {
            let waiting = entries.filter { id, entry in
                entry.job.state == .running && entry.job.chunksPending > 0 && !except.contains(id)
            }
            guard let id = waiting.min(by: { ($0.value.served, $0.key) < ($1.value.served, $1.key) })?.key else {
                break
            }
            let turn = nextTurn()
            change(id) { entry in
                guard
                    let index = entry.chunks.indices.dropFirst(entry.nextPending).first(where: {
                        entry.chunks[$0].isPending
                    })
                else { return }
                entry.served = turn
                entry.nextPending = index + 1
                entry.job.chunksLeased += 1
                take(id, index, &entry)
            }
        }
        return leased
    }

    /// A cancelled job must not wait for ever for a holder that died.
    private mutating func dropExpiredOfCancelled(now: UInt64) {
        for id in entries.filter({ $0.value.job.state == .cancelling }).keys {
            change(id) { entry in
                for index in entry.chunks.indices where entry.chunks[index].isExpired(now: now) {
                    entry.chunks[index].state = .pending
                    entry.job.chunksLeased -= 1
                }
            }
            settle(id, now: now)
        }
    }

    private func isHeld(_ lease: ChunkLease) -> Bool {
        guard let chunk = entries[lease.job]?.chunks.dropFirst(lease.index).first,
            case .leased(lease.holder, _) = chunk.state
        else { return false }
        return chunk.attempts == lease.attempt
    }

    mutating func renew(_ leases: [ChunkLease], milliseconds: UInt64, now: UInt64) -> [ChunkLease] {
        leases.filter(isHeld).map { lease in
            let expiresAt = now + milliseconds
            change(lease.job) { $0.chunks[lease.index].state = .leased(holder: lease.holder, expiresAt: expiresAt) }
            return ChunkLease(
                job: lease.job, index: lease.index, holder: lease.holder, attempt: lease.attempt, expiresAt: expiresAt)
        }
    }

    mutating func complete(_ lease: ChunkLease, _ receipt: ChunkReceipt, now: UInt64) -> Bool {
        guard isHeld(lease) else { return false }
        change(lease.job) { entry in
            entry.chunks[lease.index].state = .done(receipt.undelivered)
            entry.chunks[lease.index].clients = []
            entry.job.chunksLeased -= 1
            entry.job.chunksDone += 1
            entry.job.counts.delivered += receipt.counts.delivered
            entry.job.counts.offline += receipt.counts.offline
            entry.job.counts.stored += receipt.counts.stored
            entry.job.counts.failed += receipt.counts.failed
        }
        settle(lease.job, now: now)
        return true
    }

    mutating func giveBack(_ leases: [ChunkLease], now: UInt64) {
        for lease in leases where isHeld(lease) {
            change(lease.job) { entry in
                entry.chunks[lease.index].state = .pending
                entry.chunks[lease.index].attempts -= 1
                entry.nextPending = min(entry.nextPending, lease.index)
                entry.job.chunksLeased -= 1
            }
            settle(lease.job, now: now)
        }
    }

    mutating func cancel(_ id: JobID, now: UInt64) throws(WindfireError) -> Job {
        let job = try job(id)
        switch job.state {
        case .receiving, .running: break
        case .cancelling, .cancelled: return job
        case .finished, .failed: throw JobFailure.wrongState(job.state)
        }
        change(id) { $0.job.state = .cancelling }
        settle(id, now: now)
        return try self.job(id)
    }
}

extension JobTable.Chunk {
    fileprivate var isPending: Bool { if case .pending = state { true } else { false } }

    fileprivate func isExpired(now: UInt64) -> Bool {
        guard case .leased(_, let expiresAt) = state else { return false }
        return JobClock.isExpired(expiresAt, now: now)
    }
}
