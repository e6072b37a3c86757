import HTTPTypes
import Hummingbird

/// Lets pages of listed origins call this face from a browser (https://fetch.spec.whatwg.org/#http-cors-protocol).
/// Credentials travel in bodies and in `Authorization`, never in cookies, so `*` gives nothing away.
struct CrossOrigin: RouterMiddleware {
    typealias Context = HTTPContext

    private let origins: Set<String>

    init(_ origins: [String]) { self.origins = Set(origins) }

    func handle(
        _ request: Request, context: HTTPContext, next: (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        guard let origin = request.headers[.origin], origins.contains("*") || origins.contains(origin) else {
            return try await next(request, context)
        }
        let isPreflight = request.method == .options && request.headers[.accessControlRequestMethod] != nil
        var response = isPreflight ? Response(status: .noContent) : try await next(request, context)
        response.headers[.accessControlAllowOrigin] = origins.contains("*") ? "*" : origin
        response.headers[.vary] = "Origin"
        response.headers[.accessControlExposeHeaders] = "traceparent, retry-after"
        if isPreflight {
            response.headers[.accessControlAllowMethods] = "GET, POST, PUT, DELETE"
            response.headers[.accessControlAllowHeaders] = "authorization, content-type, traceparent"
            response.headers[.accessControlMaxAge] = "600"
        }
        return response
    }
}
