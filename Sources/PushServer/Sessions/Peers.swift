import Common
import Logging
import NIOConcurrencyHelpers
import NodeRPC
import PushCore
import ServiceLifecycle

/// The sessions of this node and of all others, as one: what is here is done here, what is elsewhere is asked for by
/// gRPC.
final class Peers: Sendable {
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
        if let service = here.withLockedValue({ $0 }), service.incarnation == incarnation {
            _ = await service.kick(sessions, for: reason)
            return
        }
        guard let member = member(incarnation) else { return }
        do throws(WindfireError) {
            _ = try await caller.kick(sessions, for: reason, on: member)
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
        if let service = here.withLockedValue({ $0 }), service.incarnation == incarnation {
            return await service.deliver(delivery)
        }
        guard let member = member(incarnation) else { return [] }
        do throws(WindfireError) {
            return try await caller.deliver(delivery, to: member)
        } catch {
            return []
        }
    }

    private func member(_ incarnation: Incarnation) -> Member? {
        let member = registry.members(.push).byID[incarnation.node]
        return member?.incarnation == incarnation ? member : nil
    }
}
