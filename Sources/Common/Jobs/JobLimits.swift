/// The bounds of a `JobStore`. Fixed, because what is stored is read by other versions: an operator's bounds (ids of a
/// push, size of a payload) are in `Limits` and stay below these.
package enum JobLimits {
    /// Ids of one chunk: 1.3 MB at most, as many as `Limits.targetsPerChunkMax` may be set to. Its default is a tenth
    /// of that, so that little is repeated when a holder dies.
    package static let chunkClientsMax = 10_000
    /// What is pushed and how, as JSON: the largest configurable payload (16 MiB) and what is around it.
    package static let specificationBytesMax = 17 << 20
    /// The name of an API key.
    package static let ownerBytesMax = 128
    /// Why a job failed, for people. Longer reasons are cut.
    package static let reasonBytesMax = 512
    /// Chunks of one `lease` call: 16 MiB of ids at most.
    package static let leasesPerCallMax = 128
    /// Jobs that one `lease` call leaves out.
    package static let exceptionsMax = 256
    /// Leases last from 100 ms to this. One that would end later was made before the store's clock was set back: it
    /// counts as expired.
    package static let leaseMax: Duration = .seconds(300)
    package static let leaseMin: Duration = .milliseconds(100)
    /// Rows of one page of jobs.
    package static let jobsPerPageMax = 1_000
    /// Rows of one page of undelivered clients.
    package static let undeliveredPerPageMax = 10_000
    /// What one `sweep` deletes at most, so that nobody waits long for the database.
    package static let chunksPerSweepMax = 200
    package static let jobsPerSweepMax = 100

    /// What callers ask for, within the bounds.
    package static func leases(_ count: Int) -> Int { min(max(count, 1), leasesPerCallMax) }
    package static func jobsOfPage(_ count: Int) -> Int { min(max(count, 1), jobsPerPageMax) }
}
