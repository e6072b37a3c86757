import Common
import HTTPTypes
import Hummingbird
import Logging

/// The common ground of every HTTP face: a router whose answers carry a trace and whose errors are problems.
package enum HTTPFace {
    /// - Parameters:
    ///   - metrics: counts requests by path, method and status, when given.
    ///   - proxies: balancers whose `X-Forwarded-For` is believed.
    ///   - origins: whose pages may call from a browser; `*` for all.
    package static func router(
        logger: Logger, metrics: PrometheusRegistry? = nil, proxies: TrustedProxies = .none, origins: [String] = []
    ) -> Router<HTTPContext> {
        let router = Router(context: HTTPContext.self, options: [.autoGenerateHeadEndpoints])
        router.add(middleware: TraceMiddleware(logger: logger, proxies: proxies))
        if let metrics { router.add(middleware: RequestMetrics(metrics)) }
        if !origins.isEmpty { router.add(middleware: CrossOrigin(origins)) }
        router.add(middleware: ProblemMiddleware())
        return router
    }
}

extension Router where Context == HTTPContext {
    /// Answers 405 with `Allow` where a path exists and the method does not (RFC 9110, section 15.5.6). Call it once,
    /// after all routes are added: the router itself only knows "not found".
    package func refuseOtherMethods() {
        let methodsByPath = Dictionary(grouping: routes, by: { $0.path.description })
        for described in methodsByPath.values {
            guard let path = described.first?.path else { continue }
            var taken = Set(described.map(\.method))
            if taken.contains(.get) { taken.insert(.head) }
            let allowed = taken.map(\.rawValue).sorted().joined(separator: ", ")
            for method in [HTTPRequest.Method.get, .head, .post, .put, .patch, .delete, .options]
            where !taken.contains(method) {
                on(path, method: method) { _, context -> Response in
                    let failure = WindfireError(.methodNotAllowed, "this address takes \(allowed)")
                    var response = Problem(failure, traceID: context.trace.traceID).response()
                    response.headers[.allow] = allowed
                    return response
                }
            }
        }
    }
}
