import Common
import Foundation
import GRPCCore

// Topics, as calls to a node.

extension GRPCNodeCaller {
    package func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome] {
        let connection = try connection(to: member)
        let request = Windfire_Node_V1_PublishRequest.with { request in
            request.incarnation = member.incarnation.description
            request.link = batch.link
            request.number = batch.number
            request.publications = batch.publications.map(Windfire_Node_V1_Publication.init)
        }
        let reply: Windfire_Node_V1_PublishReply
        do {
            reply = try await connection.stub.publish(request, options: options)
        } catch {
            throw Self.failure(error)
        }
        guard reply.delivered.count == batch.publications.count, reply.refused.count == reply.delivered.count else {
            throw WindfireError(.nodeUnavailable, "the node's answer does not match the call")
        }
        return zip(reply.delivered, reply.refused).map { PublishOutcome(delivered: $0, refused: $1) }
    }

    package func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures {
        let connection = try connection(to: member)
        do {
            let reply = try await connection.stub.describeTopic(
                .with {
                    $0.incarnation = member.incarnation.description
                    $0.topic = topic.text
                }, options: options)
            return TopicFigures(subscribers: reply.subscribers)
        } catch {
            throw Self.failure(error)
        }
    }
}

extension Windfire_Node_V1_Publication {
    fileprivate init(_ publication: Publication) {
        self.init()
        switch publication.audience {
        case .topic(let topic): self.topic = topic.text
        case .everyone(let perSecondMax): self.perSecondMax = perSecondMax ?? 0
        }
        messageID = publication.message.id.text
        timestampMs = publication.message.timestampMilliseconds
        data = Data(publication.message.data)
        from = publication.message.from?.text ?? ""
        historyEpoch = publication.position?.epoch ?? 0
        historyOffset = publication.position?.offset ?? 0
        traceID = publication.traceID
    }
}
