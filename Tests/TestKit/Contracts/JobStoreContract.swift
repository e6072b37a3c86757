import Common
import Testing

/// Somewhere jobs are kept, empty at first. Each store it makes stands for a process of its own, sharing the place with
/// the others of this harness.
package protocol JobStoreHarness: Sendable {
    /// The store's clock; leases go by it.
    var clock: ShiftedClock { get }
    func makeStore() async throws -> any JobStore
}

/// What every job store promises, one case a promise. A suite runs them all:
///
///     @Test(arguments: JobStoreContract.all) func contract(_ promise: JobStoreContract) async throws {
///         try await promise.check(MyHarness())
///     }
package struct JobStoreContract: Sendable, CustomTestStringConvertible {
    package let name: String
    private let body: @Sendable (any JobStoreHarness) async throws -> Void

    package var testDescription: String { name }

    package func check(_ harness: any JobStoreHarness) async throws { try await body(harness) }

    init(_ name: String, _ body: @escaping @Sendable (any JobStoreHarness) async throws -> Void) {
        self.name = name
        self.body = body
    }

    package static let all: [JobStoreContract] = receiving + leases + endings + looking + races
}

extension Incarnation {
    /// One life of `name`.
    package static func sample(_ name: String, life: UInt64 = 1) -> Incarnation {
        Incarnation(node: NodeID(unchecked: name), life: life)
    }
}

extension JobID {
    /// Ids in the order of their numbers, the rest of them random.
    package static func sample(_ number: UInt64 = 1) -> JobID {
        JobID(
            UUIDv7(
                unixMilliseconds: 1_700_000_000_000 + number,
                random: (.random(in: .min ... .max), .random(in: .min ... .max))))
    }
}

extension Job {
    package static func sample(_ number: UInt64 = 1) -> Job {
        Job(id: .sample(number), createdAt: 1_700_000_000_000 + number, owner: "backend")
    }
}

extension JobOrder {
    package static let sample = JobOrder(specification: [])
}

extension JobChunk {
    /// `c<index>-0`, `c<index>-1`, …
    package static func sample(_ job: JobID, _ index: Int, clients: Int = 3) -> JobChunk {
        JobChunk(
            job: job, index: index, clients: (0..<clients).map { ClientID(unchecked: "c\(index)-\($0)") })
    }
}

extension ChunkReceipt {
    /// Everybody got it.
    package static func delivered(_ chunk: LeasedChunk) -> ChunkReceipt {
        ChunkReceipt(counts: JobCounts(delivered: chunk.clients.count), undelivered: [])
    }

    /// The first client was offline, the second failed, the others got it.
    package static func mixed(_ chunk: LeasedChunk) -> ChunkReceipt {
        ChunkReceipt(
            counts: JobCounts(delivered: chunk.clients.count - 2, offline: 1, failed: 1),
            undelivered: [
                Undelivered(client: chunk.clients[0], reason: .offline),
                Undelivered(client: chunk.clients[1], reason: .failed("node_unavailable")),
            ])
    }
}

extension JobStore {
    /// A job whose list is complete.
    package func runningJob(_ number: UInt64 = 1, chunks: Int, clients: Int = 3) async throws -> Job {
        let job = Job.sample(number)
        try await create(job, receiver: .sample("r1"))
        for index in 0..<chunks { try await append(.sample(job.id, index, clients: clients)) }
        return try await seal(job.id, .sample, total: chunks * clients, chunkCount: chunks, skippedLines: 0)
    }

    /// One chunk, which must be there.
    package func leaseOne(
        _ holder: Incarnation, for duration: Duration = .seconds(10), _ location: SourceLocation = #_sourceLocation
    ) async throws -> LeasedChunk {
        try #require(try await lease(holder, max: 1, for: duration).first, sourceLocation: location)
    }

    /// All rows, in pages.
    func allUndelivered(_ job: JobID, page: Int) async throws -> [Undelivered] {
        var rows: [Undelivered] = []
        var position: UndeliveredPosition? = .start
        while let from = position {
            let answer = try await undelivered(job, from: from, limit: page)
            #expect(answer.rows.count <= page)
            rows += answer.rows
            position = answer.next
        }
        return rows
    }
}

/// That `body` is refused with this code.
func expectRefusal(
    _ code: FailureCode, _ location: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async {
    do {
        try await body()
        Issue.record("not refused", sourceLocation: location)
    } catch {
        #expect((error as? WindfireError)?.code == code, sourceLocation: location)
    }
}
