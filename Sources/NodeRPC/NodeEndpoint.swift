import Common
import Foundation
import GRPCCore

/// Translates calls of `node.proto` into calls of a `NodeService`, and checks what came: a caller that knows the secret
/// may still be an older or newer version of ourselves.
struct NodeEndpoint: Windfire_Node_V1_Node.SimpleServiceProtocol {
    let service: any NodeService
    let limits: Limits

    func deliver(
        request: Windfire_Node_V1_DeliverRequest, context: ServerContext
    ) async throws -> Windfire_Node_V1_DeliverReply {
        try checkIncarnation(request.incarnation)
        let sessions = try unpack(request.sessions)
        let places = try unpackPlaces(request.places, of: sessions.count)
        guard request.data.count <= limits.payloadBytesMax else {
            throw RPCError(code: .invalidArgument, message: "data is longer than \(limits.payloadBytesMax) bytes")
        }
        let delivery = Delivery(
            message: try checked { () throws(WindfireError) in try MessageID(request.messageID) },
            timestampMilliseconds: request.timestampMs,
            data: Array(request.data),
            sessions: sessions,
            from: request.from.isEmpty
                ? nil : try checked { () throws(WindfireError) in try ClientID(request.from) },
            collapseKey: request.collapseKey.isEmpty ? nil : request.collapseKey,
            traceID: request.traceID,
            places: places,
            isChunk: request.isChunk)
        let outcomes = await service.deliver(delivery)
        precondition(outcomes.count == sessions.count, "a node service answers once per session")
        return .with { $0.outcomes = Data(outcomes.lazy.map(\.rawValue)) }
    }

    func kick(request: Windfire_Node_V1_KickRequest, context: ServerContext) async throws -> Windfire_Node_V1_KickReply
    {
        try checkIncarnation(request.incarnation)
        let sessions = try unpack(request.sessions)
        guard let number = UInt16(exactly: request.reason), let reason = CloseReason(number: number) else {
            throw RPCError(code: .invalidArgument, message: "reason is no number of the close-reason table")
        }
        let closed = await service.kick(sessions, for: reason)
        return .with { $0.closed = UInt32(clamping: closed) }
    }

    func publish(
        request: Windfire_Node_V1_PublishRequest, context: ServerContext
    ) async throws -> Windfire_Node_V1_PublishReply {
        try checkIncarnation(request.incarnation)
        guard request.publications.count <= PublishBatch.publicationsMax else {
            throw RPCError(code: .invalidArgument, message: "more than \(PublishBatch.publicationsMax) publications")
        }
        let batch = PublishBatch(
            link: request.link, number: request.number,
            publications: try request.publications.map { try publication($0) })
        let outcomes: [PublishOutcome]
        do throws(WindfireError) {
            outcomes = try await service.publish(batch)
        } catch {
            throw RPCError(code: .aborted, message: error.message)
        }
        precondition(outcomes.count == batch.publications.count, "a node service answers once per publication")
        return .with {
            $0.delivered = outcomes.map(\.delivered)
            $0.refused = outcomes.map(\.refused)
        }
    }

    func describeTopic(
        request: Windfire_Node_V1_DescribeTopicRequest, context: ServerContext
    ) async throws -> Windfire_Node_V1_DescribeTopicReply {
        try checkIncarnation(request.incarnation)
        let topic = try checked { () throws(WindfireError) in try Topic(request.topic) }
        let figures = await service.figures(of: topic)
        return .with { $0.subscribers = figures.subscribers }
    }

    private func publication(_ received: Windfire_Node_V1_Publication) throws -> Publication {
        guard received.data.count <= limits.payloadBytesMax else {
            throw RPCError(code: .invalidArgument, message: "data is longer than \(limits.payloadBytesMax) bytes")
        }
        let message = TopicMessage(
            id: try checked { () throws(WindfireError) in try MessageID(received.messageID) },
            timestampMilliseconds: received.timestampMs, data: Array(received.data),
            from: received.from.isEmpty
                ? nil : try checked { () throws(WindfireError) in try ClientID(received.from) })
        let audience: Publication.Audience =
            if received.topic.isEmpty {
                .everyone(perSecondMax: received.perSecondMax == 0 ? nil : received.perSecondMax)
            } else {
                .topic(try checked { () throws(WindfireError) in try Topic(received.topic) })
            }
        let position =
            received.historyOffset == 0
            ? nil : HistoryPosition(epoch: received.historyEpoch, offset: received.historyOffset)
        return Publication(to: audience, message, at: position, traceID: received.traceID)
    }

    private func checkIncarnation(_ named: String) throws {
        guard named == service.incarnation.description else {
            throw RPCError(code: .failedPrecondition, message: "this node is another incarnation")
        }
    }

    private func unpack(_ packed: Data) throws -> [SessionID] {
        guard packed.count <= limits.sessionsPerDeliverMax * SessionID.byteCount else {
            throw RPCError(code: .invalidArgument, message: "more than \(limits.sessionsPerDeliverMax) sessions")
        }
        guard let sessions = PackedSessions.unpack(packed) else {
            throw RPCError(code: .invalidArgument, message: "sessions are not 16 bytes each")
        }
        return sessions
    }

    private func unpackPlaces(_ packed: Data, of count: Int) throws -> [StoredPlace] {
        guard packed.isEmpty || packed.count == count * PackedPlaces.byteCount else {
            throw RPCError(code: .invalidArgument, message: "places are not 32 bytes for each session")
        }
        return PackedPlaces.unpack(packed)
    }

    private func checked<Value>(_ make: () throws(WindfireError) -> Value) throws -> Value {
        do { return try make() } catch { throw RPCError(code: .invalidArgument, message: error.message) }
    }
}
