import Common
import Hummingbird
import NIOCore

/// Reads a push's body. As soon as it has named more clients than one chunk holds, the ids go to a job, chunk by chunk
/// while the rest is still on its way; without jobs they are kept.
struct PushReception: Sendable {
    enum Targets: Equatable {
        /// All of them, for an answer at once.
        case here([ClientID])
        /// A job that is not sealed yet, and in how many chunks they are there.
        case job(JobID, chunks: Int)
        /// Nobody by name: whoever is subscribed, or everyone.
        case publish(PublishCall)
    }

    struct Received {
        let parameters: PushParameters
        let targets: Targets
        let total: Int
        let badLines: BadLines?
    }

    let limits: Limits
    let jobs: (any JobIntake)?
    let owner: String

    /// - Throws: as `PushIntake`, `Inflater` and `JobIntake`; `body_too_large`; `invalid_request` when the caller
    ///   breaks off. Nothing was sent then, and the job, if there was one, is abandoned.
    func receive(_ request: Request, _ form: PushForm) async throws(WindfireError) -> Received {
        if let declared = request.headers[.contentLength].flatMap({ Int($0) }), declared > limits.pushBodyBytesMax {
            throw tooLarge
        }
        var chunks = Chunks(jobs: jobs, owner: owner)
        do throws(WindfireError) {
            return try await read(request, form, into: &chunks)
        } catch {
            await chunks.abandon(because: error)
            throw error
        }
    }

    private func read(
        _ request: Request, _ form: PushForm, into chunks: inout Chunks
    ) async throws(WindfireError) -> Received {
        var intake = PushIntake(form.intake, limits: limits)
        var pieces = try BodyPieces(isPacked: form.isPacked, limits: limits)
        var received = 0
        var body = request.body.makeAsyncIterator()
        while let buffer = try await Self.next(&body) {
            received += buffer.readableBytes
            guard received <= limits.pushBodyBytesMax else { throw tooLarge }
            pieces.add(buffer)
            while let piece = try pieces.next() {
                try Self.feed(piece, to: &intake)
                for chunk in intake.takeChunks() { try await chunks.add(chunk) }
            }
        }
        try checkEnd(request, received: received)
        try pieces.finish()
        let end = try intake.finish()
        if let call = end.publish {
            return Received(parameters: end.parameters, targets: .publish(call), total: 0, badLines: nil)
        }
        if end.parameters.isAsync, jobs == nil {
            throw WindfireError(.notSupported, "async is not offered here: there is no store of jobs")
        }
        let targets = try await chunks.finish(with: end.rest, isAsync: end.parameters.isAsync)
        return Received(
            parameters: end.parameters, targets: targets, total: end.total, badLines: end.badLines)
    }

    private static func next(
        _ body: inout RequestBody.AsyncIterator
    ) async throws(WindfireError) -> ByteBuffer? {
        do {
            return try await body.next()
        } catch {
            throw WindfireError(.invalidRequest, "the request body ended early", cause: error)
        }
    }

    /// The framework tells the end of a body and the end of a connection, or of its task, in the same way. A list that
    /// is cut between two lines reads like a shorter one, so this must not rest on the parser.
    private func checkEnd(_ request: Request, received: Int) throws(WindfireError) {
        let declared = request.headers[.contentLength].flatMap { Int($0) }
        guard !Task.isCancelled, declared == nil || declared == received else {
            throw WindfireError(.invalidRequest, "the request body ended early")
        }
    }

    private static func feed(_ piece: ByteBuffer, to intake: inout PushIntake) throws(WindfireError) {
        let result: Result<Void, WindfireError> = piece.withUnsafeReadableBytes { bytes in
            do throws(WindfireError) { return .success(try intake.feed(bytes)) } catch { return .failure(error) }
        }
        try result.get()
    }

    private var tooLarge: WindfireError {
        WindfireError(.bodyTooLarge, "the request body may have \(limits.pushBodyBytesMax) bytes")
    }

    /// Where the chunks of one body go.
    private struct Chunks {
        let jobs: (any JobIntake)?
        let owner: String
        private var job: JobID?
        private var count = 0
        /// Without jobs.
        private var kept: [ClientID] = []

        init(jobs: (any JobIntake)?, owner: String) {
            self.jobs = jobs
            self.owner = owner
        }

        mutating func add(_ chunk: [ClientID]) async throws(WindfireError) {
            guard let jobs else { return kept += chunk }
            let job: JobID
            if let begun = self.job { job = begun } else { job = try await jobs.begin(owner: owner) }
            self.job = job
            try await jobs.add(chunk, index: count, to: job)
            count += 1
        }

        mutating func finish(with rest: [ClientID], isAsync: Bool) async throws(WindfireError) -> Targets {
            guard job != nil || isAsync else { return .here(kept.isEmpty ? rest : kept + rest) }
            try await add(rest)
            return if let job { .job(job, chunks: count) } else { .here(kept) }
        }

        func abandon(because error: WindfireError) async {
            guard let jobs, let job else { return }
            // The caller may be gone, and its request's task cancelled: this has to happen all the same.
            await Task { await jobs.abandon(job, reason: error.message) }.value
        }
    }
}
