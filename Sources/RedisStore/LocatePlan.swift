import Common

/// How a list of clients becomes commands: one per bucket and so many clients, because everything of a bucket has one
/// hash tag. For look-ups these are `HMGET`s of 500. A counting sort over the 1,024 buckets: no dictionary, two
/// passes, one array of positions.
struct LocatePlan {
    /// Clients of one command: a range of `order`.
    struct Batch: Equatable {
        let bucket: Bucket
        let range: Range<Int>
    }

    /// Fields of one HMGET: large enough that the command's own cost vanishes, small enough (an estimated 50 to 150 µs
    /// of Redis's time) that claims between two of them hardly wait.
    static let fieldsPerCommandMax = 500
    /// Fields asked for together, per turn of a worker: replies of about 1 MiB.
    static let fieldsPerTurnMax = 8_000

    /// Positions in the list, bucket after bucket, in the order of the list within each.
    let order: [Int32]
    let batches: [Batch]

    init(_ clients: [ClientID], clientsPerCommandMax: Int = fieldsPerCommandMax) {
        var buckets: [UInt16] = []
        buckets.reserveCapacity(clients.count)
        var starts = [Int32](repeating: 0, count: Bucket.count + 1)
        for client in clients {
            let bucket = Bucket(of: client).index
            buckets.append(bucket)
            starts[Int(bucket) + 1] += 1
        }
        for index in 1...Bucket.count { starts[index] += starts[index - 1] }

        var batches: [Batch] = []
        for index in 0..<Bucket.count {
            var start = Int(starts[index])
            let end = Int(starts[index + 1])
            while start < end {
                let next = min(start + clientsPerCommandMax, end)
                batches.append(Batch(bucket: Bucket(UInt16(index)), range: start..<next))
                start = next
            }
        }
        self.batches = batches

        var order = [Int32](repeating: 0, count: clients.count)
        for (position, bucket) in buckets.enumerated() {
            order[Int(starts[Int(bucket)])] = Int32(position)
            starts[Int(bucket)] += 1
        }
        self.order = order
    }

    /// In the order of the list, whatever the buckets: for scripts on a single server, which has no slots. The bucket
    /// of a batch is that of its first client.
    init(acrossBuckets clients: [ClientID], clientsPerCommandMax: Int) {
        order = Array(0..<Int32(clients.count))
        batches = stride(from: 0, to: clients.count, by: clientsPerCommandMax).map { start in
            Batch(
                bucket: Bucket(of: clients[start]),
                range: start..<min(start + clientsPerCommandMax, clients.count))
        }
    }

    /// Runs of batches that are asked for together.
    func turns(clientsMax: Int = fieldsPerTurnMax) -> [Range<Int>] {
        var turns: [Range<Int>] = []
        var start = 0
        var fields = 0
        for (index, batch) in batches.enumerated() {
            if fields > 0, fields + batch.range.count > clientsMax {
                turns.append(start..<index)
                (start, fields) = (index, 0)
            }
            fields += batch.range.count
        }
        if start < batches.count { turns.append(start..<batches.count) }
        return turns
    }
}
