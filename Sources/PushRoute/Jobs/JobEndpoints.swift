import Common
import HTTPSupport
import HTTPTypes
import Hummingbird
import NIOCore

/// `/v1/jobs`: what became of large pushes, and what may still be done about them.
struct JobEndpoints: Sendable {
    private static let pageDefault = 50
    /// Undelivered clients that are read at a time.
    private static let undeliveredPage = 1_000

    let desk: JobDesk
    let watchers: JobWatchers

    func add(to group: RouterGroup<HTTPContext>) {
        group.get("jobs") { request, context in
            let cursor = try request.uri.queryParameters["after"].map { try JobID(String($0)) }
            let limit = try Self.limit(request)
            return Response.json(try await desk.list(after: cursor, limit: limit, for: try Self.key(context)))
        }
        group.get("jobs/:id") { _, context in
            Response.json(try await desk.report(try Self.job(context), for: try Self.key(context)))
        }
        group.get("jobs/:id/events") { _, context in try await events(context) }
        group.get("jobs/:id/undelivered") { _, context in try await undelivered(context) }
        group.post("jobs/:id/cancel") { _, context in
            let report = try await desk.cancel(try Self.job(context), for: try Self.key(context))
            context.logger.info(
                "A job was cancelled", metadata: ["job": "\(report.job)", "key": "\(context.apiKey?.name ?? "")"])
            return Response.json(report)
        }
        group.post("jobs/:id/resend") { _, context in
            let key = try Self.key(context)
            guard key.role.includes(.push) else {
                throw WindfireError(.forbidden, "the API key lacks the role push")
            }
            let original = try Self.job(context)
            let (job, total) = try await desk.resend(original, for: key)
            var response = Response.json(
                ResendAnswer(job: job.description, total: total, resendOf: original.description), status: .accepted)
            response.headers[.location] = "/v1/jobs/\(job)"
            return response
        }
    }

    private struct ResendAnswer: Encodable {
        let job: String
        let total: Int
        let resendOf: String

        enum CodingKeys: String, CodingKey {
            case job, total
            case resendOf = "resend_of"
        }
    }

    // MARK: Streams

    private func events(_ context: HTTPContext) async throws -> Response {
        let (id, key) = (try Self.job(context), try Self.key(context))
        let first = try await desk.report(id, for: key)
        let place = try watchers.enter()
        let headers: HTTPFields = [.contentType: "text/event-stream", .cacheControl: "no-store"]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { [desk] writer in
                // Held as long as the body is written, and given back also when the caller has gone before that.
                defer { withExtendedLifetime(place) {} }
                let stream = JobEventStream(first: first) { () async throws(WindfireError) in
                    try await desk.report(id, for: key)
                }
                try await stream.write(to: &writer)
                try await writer.finish(nil)
            })
    }

    private func undelivered(_ context: HTTPContext) async throws -> Response {
        let id = try await desk.job(try Self.job(context), for: try Self.key(context)).id
        let store = desk.store
        let first = try await store.undelivered(id, from: .start, limit: Self.undeliveredPage)
        let headers: HTTPFields = [.contentType: "application/x-ndjson", .cacheControl: "no-store"]
        return Response(
            status: .ok, headers: headers,
            body: ResponseBody { writer in
                var page = first
                while true {
                    if !page.rows.isEmpty { try await writer.write(Self.lines(page.rows)) }
                    guard let next = page.next else { break }
                    page = try await store.undelivered(id, from: next, limit: Self.undeliveredPage)
                }
                try await writer.finish(nil)
            })
    }

    private static func lines(_ rows: [Undelivered]) -> ByteBuffer {
        var buffer = ByteBuffer()
        for row in rows {
            var writer = JSONWriter(capacity: 64)
            writer.beginObject()
            writer.key("client")
            writer.string(row.client.text)
            writer.key("reason")
            writer.string(row.reason.name)
            writer.endObject()
            buffer.writeBytes(writer.bytes)
            buffer.writeInteger(UInt8(ascii: "\n"))
        }
        return buffer
    }

    // MARK: Requests

    /// - Throws: `not_found` for what is no id of a job: there is none of that name.
    private static func job(_ context: HTTPContext) throws -> JobID {
        guard let id = try? JobID(try context.parameters.require("id")) else { throw JobFailure.notFound() }
        return id
    }

    private static func key(_ context: HTTPContext) throws(WindfireError) -> APIKey {
        guard let key = context.apiKey else { throw WindfireError(.unauthorized, "an API key is missing") }
        return key
    }

    private static func limit(_ request: Request) throws(WindfireError) -> Int {
        guard let text = request.uri.queryParameters["limit"] else { return pageDefault }
        guard let limit = Int(text), (1...JobLimits.jobsPerPageMax).contains(limit) else {
            throw WindfireError(.invalidRequest, "limit takes 1 to \(JobLimits.jobsPerPageMax)")
        }
        return limit
    }
}

extension Undelivered.Reason {
    /// A stable name: `offline`, `stored`, `not_tried`, or that of the failure.
    var name: String {
        switch self {
        case .offline: "offline"
        case .stored: "stored"
        case .failed(let name): name
        case .notTried: "not_tried"
        }
    }
}
