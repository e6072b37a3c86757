import Common
import Logging
import NIOConcurrencyHelpers
import NodeRPC
import PushCore
import ServiceLifecycle

/// All nodes, this one included, as one: what is here is done here, what is elsewhere is asked for by gRPC.
final class Peers: NodeCaller, Sendable {
    private let registry: any Registry
    private let caller: any NodeCaller
    private let logger: Logger
    private let here = NIOLockedValueBox<(any NodeService)?>(nil)
    private let clock: @Sendable () -> UInt64

    /// - Parameter clock: Unix milliseconds.
    init(registry: any Registry, caller: any NodeCaller, clock: @escaping @Sendable () -> UInt64, logger: Logger) {
        self.registry = registry
        self.caller = caller
        self.clock = clock
        self.logger = logger
    }

    /// Names the service of this node; called once, while the node is put together.
    func attach(_ service: any NodeService) { here.withLockedValue { $0 = service } }

    /// Closes sessions wherever they are, in the background. One that cannot be reached finds out by itself: the node
    /// it is on compares its sessions with the route store.
    func close(_ routes: [Route], for reason: CloseReason) {
        Task {
            for (incarnation, routes) in Dictionary(grouping: routes, by: \.incarnation) {
                await close(routes.map(\.session), on: incarnation, for: reason)
            }
        }
    }

    private func close(_ sessions: [SessionID], on incarnation: Incarnation, for reason: CloseReason) async {
        guard let member = member(incarnation) else { return }
        do throws(WindfireError) {
            _ = try await kick(sessions, for: reason, on: member)
        } catch {
            logger.info(
                "displaced session not closed",
                metadata: [
                    Logger.Metadata.Key.incarnation: "\(incarnation)", Logger.Metadata.Key.error: "\(error.code)",
                ])
        }
    }

    /// Delivers a live message to sessions wherever they are.
    /// - Returns: how many took it.
    func deliver(_ data: [UInt8], from sender: ClientID, to routes: [Route]) async -> Int {
        let now = clock()
        let id = UUIDv7(unixMilliseconds: now, random: (.random(in: .min ... .max), .random(in: .min ... .max)))
        var delivered = 0
        for (incarnation, routes) in Dictionary(grouping: routes, by: \.incarnation) {
            let delivery = Delivery(
                message: MessageID(unchecked: id.description), timestampMilliseconds: now, data: data,
                sessions: routes.map(\.session), from: sender)
            delivered += await deliver(delivery, on: incarnation).count { $0 == .written }
        }
        return delivered
    }

    private func deliver(_ delivery: Delivery, on incarnation: Incarnation) async -> [DeliveryOutcome] {
        guard let member = member(incarnation) else { return [] }
        do throws(WindfireError) {
            return try await deliver(delivery, to: member)
        } catch {
            return []
        }
    }

    /// This node knows itself, whatever the registry says of it.
    private func member(_ incarnation: Incarnation) -> Member? {
        if service(of: incarnation) != nil { return .here(incarnation) }
        let member = registry.members(.push).byID[incarnation.node]
        return member?.incarnation == incarnation ? member : nil
    }

    // MARK: NodeCaller

    func deliver(_ delivery: Delivery, to member: Member) async throws(WindfireError) -> [DeliveryOutcome] {
        if let service = service(of: member.incarnation) { return await service.deliver(delivery) }
        return try await caller.deliver(delivery, to: member)
    }

    func kick(_ sessions: [SessionID], for reason: CloseReason, on member: Member) async throws(WindfireError) -> Int {
        if let service = service(of: member.incarnation) { return await service.kick(sessions, for: reason) }
        return try await caller.kick(sessions, for: reason, on: member)
    }

    func publish(_ batch: PublishBatch, on member: Member) async throws(WindfireError) -> [PublishOutcome] {
        if let service = service(of: member.incarnation) { return try await service.publish(batch) }
        return try await caller.publish(batch, on: member)
    }

    func figures(of topic: Topic, on member: Member) async throws(WindfireError) -> TopicFigures {
        if let service = service(of: member.incarnation) { return await service.figures(of: topic) }
        return try await caller.figures(of: topic, on: member)
    }

    /// The service of this node, if that is who is meant.
    private func service(of incarnation: Incarnation) -> (any NodeService)? {
        here.withLockedValue { $0 }.flatMap { $0.incarnation == incarnation ? $0 : nil }
    }
}

extension Member {
    /// This node, for calls that do not leave it: whatever the registry says of it, and before it is listed.
    static func here(_ incarnation: Incarnation) -> Member {
        Member(incarnation: incarnation, capacity: 0, endpoints: Endpoints(), version: "", startedAt: 0)
    }
}
