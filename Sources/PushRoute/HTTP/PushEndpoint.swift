import Common
import HTTPSupport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// `POST /v1/push`: reads the body, lets repeated calls and fast callers wait outside, and carries the push out or
/// hands it to a job.
struct PushEndpoint: Sendable {
    let dispatcher: Dispatcher
    let topics: TopicPush
    let inboxes: any InboxStore
    /// nil where there is no store of jobs: every push is then carried out at once.
    let jobs: (any JobIntake)?
    let paces: KeyPaces
    let admission: PushAdmission
    let limits: Limits
    let metrics: PushRouteMetrics

    func add(to group: RouterGroup<HTTPContext>) {
        group.post("push") { request, context in
            do throws(WindfireError) {
                return try await admission.admit(bytes: bytesMax(of: request)) {
                    () async throws(WindfireError) in try await push(request, context)
                }
            } catch {
                metrics.refused(error.code)
                throw error
            }
        }
    }

    /// How large the body may become. Without a declared length, or packed, as large as any.
    private func bytesMax(of request: Request) -> Int {
        let isPlain = request.headers[.contentEncoding] == nil
        let declared = isPlain ? request.headers[.contentLength].flatMap { Int($0) } : nil
        return min(max(declared ?? limits.pushBodyBytesMax, 0), limits.pushBodyBytesMax)
    }

    private func push(_ request: Request, _ context: HTTPContext) async throws(WindfireError) -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        let form = try PushForm(request, limits: limits)
        let owner = context.apiKey?.name ?? ""
        let received = try await PushReception(limits: limits, jobs: jobs, owner: owner).receive(request, form)
        let parse = clock.now - start
        if let lines = received.badLines { metrics.skippedLines(lines.count) }

        let dedupe = PushDedupe(inboxes: inboxes, memory: limits.dedupeMemory, logger: context.logger)
        let key = received.parameters.dedupeKey.map { PushDedupe.Key(owner: owner, key: $0) }
        let id = UUIDv7.new()
        let accepted: AcceptedPush =
            switch received.targets {
            case .here, .publish: .push(id)
            case .job(let job, _): .job(job)
            }
        do throws(WindfireError) {
            if let key, let earlier = try await dedupe.enter(key, as: accepted) {
                if case .job(let job) = accepted { await jobs?.abandon(job, reason: "duplicate") }
                return answer(to: earlier)
            }
        } catch {
            if case .job(let job) = accepted { await jobs?.abandon(job, reason: error.code.name) }
            throw error
        }
        do throws(WindfireError) {
            switch received.targets {
            case .here(let targets):
                let receipt = try await push(targets, received.parameters, as: id, owner: owner, context)
                let timing = PushAnswer.Timing(
                    parse: parse, lookup: receipt.phases.lookup, delivery: receipt.phases.delivery,
                    total: clock.now - start)
                metrics.pushed(receipt.ledger.counts, timing)
                let isTimed = request.uri.queryParameters["timing"] == "1"
                return .jsonBytes(
                    PushAnswer.json(receipt, badLines: received.badLines, timing: isTimed ? timing : nil))
            case .job(let job, let chunks):
                return try await seal(job, received, chunks: chunks)
            case .publish(let call):
                try keepPace(of: owner, call.publishCount)
                let receipt = try await topics.push(call, as: id, traceID: context.trace.traceID)
                metrics.published(receipt, in: clock.now - start)
                return .jsonBytes(PublishAnswer.json(receipt))
            }
        } catch {
            if let key { await dedupe.takeBack(key, accepted) }
            throw error
        }
    }

    /// - Throws: before anything was sent.
    private func push(
        _ targets: [ClientID], _ parameters: PushParameters, as id: UUIDv7, owner: String, _ context: HTTPContext
    ) async throws(WindfireError) -> Dispatcher.Receipt {
        try keepPace(of: owner, targets.count)
        return try await dispatcher.push(
            targets, parameters, as: id, traceID: context.trace.traceID, logger: context.logger)
    }

    private func keepPace(of owner: String, _ count: Int) throws(WindfireError) {
        guard let wait = paces.pacer(of: owner)?.take(count) else { return }
        throw WindfireError(.rateLimited, "the API key has used up its targets per second", retryAfter: wait)
    }

    private func seal(
        _ job: JobID, _ received: PushReception.Received, chunks: Int
    ) async throws(WindfireError) -> Response {
        do throws(WindfireError) {
            try await jobs?.seal(
                job, push: received.parameters, total: received.total, chunks: chunks,
                skippedLines: received.badLines?.count ?? 0)
        } catch {
            await jobs?.abandon(job, reason: error.code.name)
            throw error
        }
        metrics.answered("job")
        let body = AcceptedPush.jobJSON(job, total: received.total, badLines: received.badLines)
        return .jsonBytes(body, status: .accepted, job: job)
    }

    private func answer(to earlier: AcceptedPush) -> Response {
        metrics.answered("duplicate")
        return switch earlier {
        case .push: .jsonBytes(earlier.duplicateJSON)
        case .job(let job): .jsonBytes(earlier.duplicateJSON, status: .accepted, job: job)
        }
    }

}

extension UUIDv7 {
    /// Of this moment, from the system's random numbers.
    static func new() -> UUIDv7 {
        UUIDv7(
            unixMilliseconds: WallClock.milliseconds(),
            random: (.random(in: .min ... .max), .random(in: .min ... .max)))
    }
}

extension Response {
    /// A body that is JSON already.
    /// - Parameter job: where the rest of the story is told.
    static func jsonBytes(_ bytes: [UInt8], status: HTTPResponse.Status = .ok, job: JobID? = nil) -> Response {
        var headers: HTTPFields = [.contentType: "application/json", .cacheControl: "no-store"]
        if let job { headers[.location] = "/v1/jobs/\(job)" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
