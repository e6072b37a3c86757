import Common
import Logging
import PushCore
import ServiceLifecycle

/// Finds stored messages whose delivery to this node was lost: a route server died between storing and telling, or the
/// call failed. Every so often each session's place is compared with the end of its inbox, a thousand clients in one
/// pipelined question; a session that is behind reads what it misses.
struct InboxSweep: Service {
    private static let batchSize = 1_000

    let hub: Hub
    let desk: InboxDesk
    let interval: Duration
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while (try? await Task.sleep(for: interval)) != nil { await sweep() }
        }
    }

    func sweep() async {
        let identities = await hub.claimedIdentities()
        do throws(WindfireError) {
            for start in stride(from: 0, to: identities.count, by: Self.batchSize) {
                let batch = identities[start..<min(start + Self.batchSize, identities.count)]
                let heads = try await desk.heads(of: batch.map(\.client))
                await hub.reach(zip(batch, heads).compactMap { identity, head in head.map { (identity.session, $0) } })
            }
        } catch {
            logger.debug("inboxes not compared", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
        }
    }
}
