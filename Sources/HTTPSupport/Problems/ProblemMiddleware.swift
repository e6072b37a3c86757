import Common
import Hummingbird
import Logging
import NIOCore

/// Turns every error into a problem answer. What is ours and unexpected is logged here, once, with its cause.
package struct ProblemMiddleware: RouterMiddleware {
    package typealias Context = HTTPContext

    package init() {}

    package func handle(
        _ request: Request, context: HTTPContext, next: (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let failure = Self.failure(for: error)
            if failure.code.status >= 500 {
                let level: Logger.Level = failure.code == .internalError ? .error : .debug
                context.logger.log(
                    level: level, "Request failed", metadata: [Logger.Metadata.Key.error: "\(failure)"])
            }
            return Problem(failure, traceID: context.trace.traceID).response(retryAfter: failure.retryAfter)
        }
    }

    static func failure(for error: any Error) -> WindfireError {
        switch error {
        case let error as WindfireError:
            return error
        case is NIOTooManyBytesError:
            return WindfireError(.bodyTooLarge, "the request body is larger than allowed", cause: error)
        case let error as HTTPError where error.status == .notFound:
            return WindfireError(.notFound, "there is nothing at this address")
        case let error as HTTPError where (400..<500).contains(error.status.code):
            return WindfireError(.invalidRequest, "the request cannot be read", cause: error)
        default:
            return WindfireError(.internalError, FailureCode.internalError.title, cause: error)
        }
    }
}
