import Common

/// Where the ids of a large push go while its body is still being read. Nothing is sent before `seal`; a job that is
/// never sealed is abandoned, by the caller here or by whoever cleans up after a process that died.
package protocol JobIntake: Sendable {
    /// A push turns out to be large.
    /// - Parameter owner: the name of the API key that pushes.
    func begin(owner: String) async throws(WindfireError) -> JobID

    /// A chunk of at most `Limits.targetsPerChunkMax` different clients; no client is in two chunks.
    /// - Parameter index: counts from 0 without holes.
    func add(_ chunk: [ClientID], index: Int, to job: JobID) async throws(WindfireError)

    /// The list is complete, and the job may begin. Once this has returned, the push is accepted and must not be lost.
    /// - Parameters:
    ///   - total: clients in all chunks.
    ///   - chunks: how many there are.
    ///   - skippedLines: lines of the list that were no ids and were left out, by the caller's choice.
    func seal(
        _ job: JobID, push: PushParameters, total: Int, chunks: Int, skippedLines: Int
    ) async throws(WindfireError)

    /// The list will not be complete: nothing is sent.
    /// - Parameter reason: a stable name or a sentence, without raw input.
    func abandon(_ job: JobID, reason: String) async
}
