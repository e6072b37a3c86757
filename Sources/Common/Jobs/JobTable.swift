/// The rules of a `JobStore` on values in memory: the reference for those that write them in SQL. Pure: the time is
/// handed in, Unix milliseconds of the store's clock.
struct JobTable {
    /// Jobs kept at most: in memory, a store is for tests and for trying things out.
    static let jobsMax = 10_000

    struct Entry {
        var job: Job
        /// Nil until it is sealed.
        var specification: [UInt8]?
        let receiver: Incarnation
        var touchedAt: UInt64
        /// When it was last served, as a number that rises with each turn.
        var served: UInt64 = 0
        var chunks: [Chunk] = []
        /// No chunk before this index is pending.
        var nextPending = 0
    }

    struct Chunk {
        enum State {
            case pending
            case leased(holder: Incarnation, expiresAt: UInt64)
            case done([Undelivered])
        }

        var state = State.pending
        /// Empty once it is done.
        var clients: [ClientID]
        /// How often it was leased, without those that were given back.
        var attempts = 0
    }

    private(set) var entries: [JobID: Entry] = [:]
    private var turn: UInt64 = 0

    // MARK: Receiving

    mutating func create(_ job: Job, receiver: Incarnation, now: UInt64) throws(WindfireError) {
        if let entry = entries[job.id] {
            guard entry.receiver == receiver, entry.job.createdAt == job.createdAt else { throw JobFailure.idTaken() }
            return
        }
        guard entries.count < Self.jobsMax else { throw JobFailure.unavailable("in memory is full") }
        let fresh = Job(id: job.id, createdAt: job.createdAt, owner: job.owner, resendOf: job.resendOf)
        entries[job.id] = Entry(job: fresh, receiver: receiver, touchedAt: now)
    }

    mutating func append(_ chunk: JobChunk, now: UInt64) throws(WindfireError) {
        var entry = try receiving(chunk.job)
        guard chunk.index <= entry.chunks.count else { throw JobFailure.otherChunk() }
        entry.touchedAt = now
        if chunk.index < entry.chunks.count {
            guard entry.chunks[chunk.index].clients == chunk.clients else { throw JobFailure.otherChunk() }
        } else {
            // Not left in the table meanwhile, which would copy all chunks.
            entries[chunk.job] = nil
            entry.chunks.append(Chunk(clients: chunk.clients))
            entry.job.chunkCount += 1
            entry.job.total += chunk.clients.count
        }
        entries[chunk.job] = entry
    }

    mutating func touch(_ job: JobID, now: UInt64) throws(WindfireError) {
        _ = try receiving(job)
        entries[job]?.touchedAt = now
    }

    mutating func seal(
        _ id: JobID, _ order: JobOrder, total: Int, chunkCount: Int, skippedLines: Int, now: UInt64
    ) throws(WindfireError) -> Job {
        guard order.specification.count <= JobLimits.specificationBytesMax else {
            throw JobFailure.tooLarge(bytesMax: JobLimits.specificationBytesMax)
        }
        var job = try job(id)
        guard job.total == total, job.chunkCount == chunkCount else { throw JobFailure.otherNumbers() }
        switch job.state {
        case .receiving: break
        case .running, .finished: return job
        case .cancelling, .cancelled, .failed: throw JobFailure.wrongState(job.state)
        }
        job.skippedLines = skippedLines
        job.state = .running
        (job.isStored, job.ratePerSecond, job.expiresAt) = (order.isStored, order.ratePerSecond, order.expiresAt)
        entries[id]?.job = job
        entries[id]?.specification = order.specification
        settle(id, now: now)
        return try self.job(id)
    }

    mutating func abandon(_ id: JobID, reason: String, now: UInt64) throws(WindfireError) -> Bool {
        guard try job(id).state == .receiving else { return false }
        entries[id]?.job.state = .failed(reason: JobFailure.bounded(reason))
        entries[id]?.job.finishedAt = now
        return true
    }

    private func receiving(_ id: JobID) throws(WindfireError) -> Entry {
        guard let entry = entries[id] else { throw JobFailure.notFound() }
        guard entry.job.state == .receiving else { throw JobFailure.wrongState(entry.job.state) }
        return entry
    }

    // MARK: Looking

    func job(_ id: JobID) throws(WindfireError) -> Job {
        guard let entry = entries[id] else { throw JobFailure.notFound() }
        return entry.job
    }

    func specification(of id: JobID) throws(WindfireError) -> [UInt8] {
        guard let entry = entries[id] else { throw JobFailure.notFound() }
        guard let specification = entry.specification else { throw JobFailure.wrongState(entry.job.state) }
        return specification
    }

    func jobs(after cursor: JobID?, limit: Int) -> [Job] {
        let ids = entries.keys.filter { id in cursor.map { id < $0 } ?? true }.sorted(by: >)
        return ids.prefix(limit).compactMap { entries[$0]?.job }
    }

    func undelivered(
        _ id: JobID, from position: UndeliveredPosition, limit: Int
    ) throws(WindfireError) -> UndeliveredPage {
        guard let entry = entries[id] else { throw JobFailure.notFound() }
        var reader = UndeliveredReader(from: position, limit: limit)
        while !reader.isFull, reader.position.chunk < entry.chunks.count {
            let chunk = entry.chunks[reader.position.chunk]
            let content: UndeliveredReader.Content =
                switch chunk.state {
                case .done(let rows): .receipt(rows)
                case .pending, .leased: entry.job.state.isEnded ? .notTried(chunk.clients) : .open
                }
            reader.read(reader.position.chunk, content)
        }
        return reader.page(chunkCount: entry.job.chunkCount)
    }

    mutating func recordAcknowledged(_ id: JobID, count: Int) throws(WindfireError) {
        let known = try job(id).counts.acknowledged
        entries[id]?.job.counts.acknowledged = max(known, count)
    }

    // MARK: Keeping house

    mutating func sweep(finishedBefore: UInt64, silence: UInt64, now: UInt64) -> JobSweep {
        var sweep = JobSweep()
        for (id, entry) in entries where entry.job.state == .receiving && entry.touchedAt + silence < now {
            entries[id]?.job.state = .failed(reason: JobSweep.bodyEndedEarly)
            entries[id]?.job.finishedAt = now
            sweep.jobsFailed += 1
        }
        let old = entries.filter { $0.value.job.finishedAt.map { $0 < finishedBefore } ?? false }.keys.sorted()
        for id in old.prefix(JobLimits.jobsPerSweepMax) {
            sweep.chunksDeleted += entries.removeValue(forKey: id)?.chunks.count ?? 0
            sweep.jobsDeleted += 1
        }
        sweep.hasMore = old.count > JobLimits.jobsPerSweepMax
        return sweep
    }

    // MARK: For the half that works jobs off

    /// Ends a job whose last chunk is done, or which is cancelled and worked on by nobody.
    mutating func settle(_ id: JobID, now: UInt64) {
        guard let job = entries[id]?.job else { return }
        switch job.state {
        case .running where job.chunksDone == job.chunkCount: entries[id]?.job.state = .finished
        case .cancelling where job.chunksLeased == 0: entries[id]?.job.state = .cancelled
        case .receiving, .running, .cancelling, .finished, .cancelled, .failed: return
        }
        entries[id]?.job.finishedAt = now
    }

    mutating func change(_ id: JobID, _ body: (inout Entry) -> Void) {
        // Taken out meanwhile, so that the chunks are not copied.
        guard var entry = entries.removeValue(forKey: id) else { return }
        body(&entry)
        entries[id] = entry
    }

    mutating func nextTurn() -> UInt64 {
        turn += 1
        return turn
    }
}
