import Common
import HTTPTypes
import Hummingbird
import Logging

/// The outermost layer: gives each request its trace, its logger and its address, and echoes the trace in the answer.
package struct TraceMiddleware: RouterMiddleware {
    package typealias Context = HTTPContext

    private let logger: Logger
    private let proxies: TrustedProxies

    package init(logger: Logger, proxies: TrustedProxies) {
        self.logger = logger
        self.proxies = proxies
    }

    package func handle(
        _ request: Request, context: HTTPContext, next: (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        var context = context
        let span = UInt64.random(in: .min ... .max)
        context.trace =
            request.headers[.traceparent].flatMap { TraceContext(traceparent: $0, span: span) }
            ?? TraceContext(random: (.random(in: .min ... .max), .random(in: .min ... .max), span))
        context.clientAddress = proxies.clientAddress(
            peer: context.peer?.ipAddress, forwardedFor: request.headers[values: .forwardedFor])
        var logger = logger
        logger[metadataKey: Logger.Metadata.Key.traceID] = .string(context.trace.traceID)
        context.logger = logger
        var response = try await next(request, context)
        response.headers[.traceparent] = context.trace.traceparent
        return response
    }
}

extension HTTPField.Name {
    // The name of a constant is valid; the initialiser is optional because it takes any text.
    static let forwardedFor = HTTPField.Name("X-Forwarded-For")!
}
