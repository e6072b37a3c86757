import HTTPTypes
import Hummingbird
import NIOCore

extension RouterMethods where Context == HTTPContext {
    /// `/metrics`, for Prometheus.
    @discardableResult
    package func addMetrics(_ registry: PrometheusRegistry) -> Self {
        get("metrics") { _, _ -> Response in
            let text = await registry.exposition()
            var headers = HTTPFields()
            headers[.contentType] = PrometheusText.contentType
            return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
        }
    }
}

/// Counts requests and times them, by the route's pattern and never by its parameters.
struct RequestMetrics: RouterMiddleware {
    typealias Context = HTTPContext

    private let registry: PrometheusRegistry

    init(_ registry: PrometheusRegistry) { self.registry = registry }

    func handle(
        _ request: Request, context: HTTPContext, next: (Request, HTTPContext) async throws -> Response
    ) async throws -> Response {
        let start = ContinuousClock.now
        let response = try await next(request, context)
        let path = context.endpointPath ?? "unknown"
        registry.counter(
            "windfire_http_requests_total", help: "HTTP requests answered.",
            labels: ["method": request.method.rawValue, "path": path, "status": String(response.status.code)]
        ).increment()
        registry.histogram(
            "windfire_http_request_seconds", help: "Time from the head of a request to the head of its answer.",
            labels: ["path": path]
        ).record(.now - start)
        return response
    }
}
