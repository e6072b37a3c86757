import Foundation

/// Asks for a job's progress until it has ended.
struct JobWatch {
    private static let pause: Duration = .milliseconds(500)
    /// Questions without an answer, one after the other, until the job is lost sight of: about half a minute.
    private static let silencesMax = 60

    let client: APIClient
    /// nil for nothing to be seen.
    let bar: ProgressBar?

    /// - Returns: the last answer, read and as it came.
    /// - Throws: `CommandFailure` when the server is silent for too long, or does not know the job.
    func untilEnded(_ id: String) async throws -> (JobProgress, Data) {
        var silences = 0
        while true {
            do {
                let answer = try await client.get("/v1/jobs/\(id)")
                let progress = try APIClient.decode(answer, as: JobProgress.self)
                silences = 0
                if let bar { Output.rewrite(bar.text(progress), isLast: progress.isEnded) }
                if progress.isEnded { return (progress, answer) }
            } catch let failure as APIClient.NoAnswer {
                // A replica may be restarting; the job goes on without it.
                silences += 1
                guard silences < Self.silencesMax else {
                    throw CommandFailure("\(failure); job \(id) goes on: windfire push cannot see it any more")
                }
            }
            try await Task.sleep(for: Self.pause)
        }
    }
}
