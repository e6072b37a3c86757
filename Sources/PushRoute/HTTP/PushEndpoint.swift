import Common
import HTTPSupport
import HTTPTypes
import Hummingbird
import Logging
import NIOCore

/// `POST /v1/push`.
struct PushEndpoint: Sendable {
    let dispatcher: Dispatcher
    let admission: PushAdmission
    let limits: Limits
    let metrics: PushRouteMetrics

    func add(to group: RouterGroup<HTTPContext>) {
        group.post("push") { request, context in
            do throws(WindfireError) {
                // Without a declared length the body may become as long as any.
                let declared = request.headers[.contentLength].flatMap { Int($0) } ?? limits.pushBodyBytesMax
                return try await admission.admit(bytes: min(max(declared, 0), limits.pushBodyBytesMax)) {
                    () async throws(WindfireError) in try await push(request, context)
                }
            } catch {
                metrics.refused(error.code)
                throw error
            }
        }
    }

    private func push(_ request: Request, _ context: HTTPContext) async throws(WindfireError) -> Response {
        let clock = ContinuousClock()
        let start = clock.now
        let body = try await request.body(upTo: limits.pushBodyBytesMax)
        let readAt = clock.now
        let push = try parse(body)
        let parse = clock.now - readAt

        let milliseconds = WallClock.microseconds() / 1_000
        let id = UUIDv7(
            unixMilliseconds: milliseconds, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        let receipt = try await dispatcher.push(
            push, as: MessageID(unchecked: id.description), timestampMilliseconds: milliseconds,
            traceID: context.trace.traceID, logger: context.logger)
        let timing = PushAnswer.Timing(
            parse: parse, lookup: receipt.phases.lookup, delivery: receipt.phases.delivery, total: clock.now - start)
        metrics.pushed(receipt.ledger.counts, timing)
        let isTimed = request.uri.queryParameters["timing"] == "1"
        return .jsonBytes(PushAnswer.json(receipt, timing: isTimed ? timing : nil))
    }

    private func parse(_ body: ByteBuffer) throws(WindfireError) -> PushRequest {
        let result: Result<PushRequest, WindfireError> = body.withUnsafeReadableBytes { bytes in
            do throws(WindfireError) { return .success(try PushRequest.parse(bytes, limits: limits)) } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension Response {
    /// A body that is JSON already.
    static func jsonBytes(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
