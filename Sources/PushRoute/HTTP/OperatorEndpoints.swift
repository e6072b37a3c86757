import Common
import HTTPSupport
import Hummingbird

/// What operators look at and steer: `/v1/online`, `/v1/nodes`, `/v1/clients/{id}`, `/v1/topics/{topic}`.
struct OperatorEndpoints: Sendable {
    let operations: Operations
    let topics: TopicOperations

    func add(to group: RouterGroup<HTTPContext>) {
        group.get("online") { _, _ in Response.json(try await operations.online(now: Self.now)) }
        group.get("nodes") { _, _ in Response.json(try await operations.nodes(now: Self.now)) }
        group.get("clients/:id") { _, context in
            Response.json(try await operations.sessions(of: try Self.client(context)))
        }
        group.get("topics/:topic") { _, context in
            let topic = try Topic(PathText.decode(try context.parameters.require("topic")))
            return Response.json(try await topics.report(on: topic))
        }
        group.delete("clients/:id/sessions") { request, context in
            // The framework has decoded query values already.
            let device = try request.uri.queryParameters["device"].map { try DeviceID(String($0)) }
            let report = try await operations.kick(try Self.client(context), device: device)
            context.logger.info(
                "Sessions were closed by an operator",
                metadata: ["key": "\(context.apiKey?.name ?? "")", "count": "\(report.kicked)"])
            return Response.json(report)
        }
    }

    private static func client(_ context: HTTPContext) throws -> ClientID {
        try ClientID(PathText.decode(try context.parameters.require("id")))
    }

    /// Unix milliseconds.
    private static var now: UInt64 { WallClock.microseconds() / 1_000 }
}
