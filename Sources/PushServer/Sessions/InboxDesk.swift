import Common
import Logging
import NIOConcurrencyHelpers
import PushCore
import ServiceLifecycle

/// What sessions ask of their clients' inboxes, away from their loops: pages, and to note what was acknowledged. It
/// also counts acknowledgements for the jobs they belong to, and reports them once a second.
final class InboxDesk: Service {
    private static let reportInterval: Duration = .seconds(1)

    private let inboxes: any InboxStore
    private let logger: Logger
    private let counts = NIOLockedValueBox<[JobID: Int]>([:])

    init(inboxes: any InboxStore, logger: Logger) {
        self.inboxes = inboxes
        self.logger = logger
    }

    /// - Returns: nil when the store does not answer.
    func read(_ identity: SessionIdentity, after position: StreamPosition) async -> InboxPage? {
        do throws(WindfireError) {
            return try await inboxes.readInbox(of: identity.client, for: identity.route.device, after: position)
        } catch {
            logger.debug("inbox not read", metadata: [Logger.Metadata.Key.error: "\(error.code)"])
            return nil
        }
    }

    /// - Returns: the places in the list that are to be tried again.
    func acknowledge(_ acknowledgements: [Acknowledgement]) async -> [Int] {
        var failed: [Int] = []
        var first: [JobID: Int] = [:]
        for (index, result) in await inboxes.acknowledge(acknowledgements).enumerated() {
            switch result {
            case .acknowledged(_, let jobs): first.merge(jobs, uniquingKeysWith: +)
            case .failed: failed.append(index)
            }
        }
        if !first.isEmpty { counts.withLockedValue { $0.merge(first, uniquingKeysWith: +) } }
        return failed
    }

    /// The last place of each client's inbox.
    func heads(of clients: [ClientID]) async throws(WindfireError) -> [StreamPosition?] {
        try await inboxes.inboxHeads(clients)
    }

    func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            while (try? await Task.sleep(for: Self.reportInterval)) != nil { await report() }
        }
        await report()
    }

    private func report() async {
        let counted = counts.withLockedValue { counts in
            defer { counts = [:] }
            return counts
        }
        guard !counted.isEmpty else { return }
        do throws(WindfireError) {
            try await inboxes.countAcknowledged(counted)
        } catch {
            // Some may have been added: adding them again would count messages twice.
            logger.warning(
                "acknowledgements of jobs not counted",
                metadata: [
                    Logger.Metadata.Key.error: "\(error.code)", "count": "\(counted.values.reduce(0, +))",
                ])
        }
    }
}
