import Common
import Logging

/// Serves one chunk of a job: in one push, or step by step when there is a pace to keep.
struct ChunkServer: Sendable {
    enum Outcome: Sendable {
        case served(ChunkReceipt)
        /// Not now, for this reason. What was sent until then is sent again without harm.
        case notNow(WindfireError)
        /// This process stops.
        case stopped(hasBegun: Bool)
        /// Somebody else has the chunk.
        case lost
    }

    /// What is asked between two steps.
    enum Order: Sendable {
        case goOn, stop, lost
        /// The job was cancelled.
        case leaveOut
    }

    let dispatcher: Dispatcher
    let logger: Logger

    /// - Parameter order: asked before each step of a paced job.
    func serve(_ chunk: LeasedChunk, _ plan: JobPlan, order: @Sendable () async -> Order) async -> Outcome {
        guard let step = plan.stepMax else { return await push(chunk.clients[...], of: chunk, plan) }
        var receipt = ChunkReceipt.empty
        for start in stride(from: 0, to: chunk.clients.count, by: step) {
            let clients = chunk.clients[start..<min(start + step, chunk.clients.count)]
            do {
                try await plan.waitForTurn(clients.count)
            } catch {
                return .stopped(hasBegun: start > 0)
            }
            switch await order() {
            case .goOn: break
            case .stop: return .stopped(hasBegun: start > 0)
            case .lost: return .lost
            case .leaveOut: return .served(receipt.leavingOut(chunk.clients[start...]))
            }
            let outcome = await push(clients, of: chunk, plan)
            guard case .served(let more) = outcome else { return outcome }
            receipt = receipt.followed(by: more)
        }
        return .served(receipt)
    }

    /// The job's id is the push's: the same for every chunk and every attempt, so that nodes and inboxes know what they
    /// have already.
    private func push(_ clients: ArraySlice<ClientID>, of chunk: LeasedChunk, _ plan: JobPlan) async -> Outcome {
        let id = chunk.lease.job.uuid
        let targets = Array(clients)
        var logger = logger
        logger[metadataKey: Logger.Metadata.Key.job] = "\(chunk.lease.job)"
        do throws(WindfireError) {
            let receipt = try await dispatcher.push(
                targets, plan.parameters, as: id, isRepeat: chunk.lease.attempt > 1, job: chunk.lease.job,
                traceID: id.high.hex16 + id.low.hex16, logger: logger)
            return .served(ChunkReceipt(targets, receipt.ledger))
        } catch {
            return .notNow(error)
        }
    }
}
