// What is published, on its way from other processes to the shards.

import Common
import NIOCore
import NodeRPC
import PushCore

extension Hub {
    func publish(_ batch: PublishBatch) async throws(WindfireError) -> [PublishOutcome] {
        let started = ContinuousClock.now
        let result = await withCheckedContinuation { waiter in
            intake.loop.execute { [self] in intake.take(batch) { waiter.resume(returning: $0) } }
        }
        fanOutTime?(started.duration(to: .now))
        return try result.get()
    }

    func figures(of topic: Topic) async -> TopicFigures {
        let counts = await onEach { $0.subscriberCount(of: topic) }
        return TopicFigures(subscribers: UInt32(clamping: counts.reduce(0, +)))
    }

    func intakeCounters() async -> PublishIntake.Counters {
        (try? await intake.loop.submit { [self] in intake.counters }.get()) ?? .init()
    }

    /// Gives every shard the same work, and sums up what they say of it.
    static func forward(
        _ work: [PublishIntake.Work], of count: Int, to shards: [Shard], _ answer: PublishIntake.Answer?
    ) {
        guard let answer else {
            for shard in shards { shard.loop.execute { shard.take(work, of: count, nil) } }
            return
        }
        let futures = shards.map { shard in
            let promise = shard.loop.makePromise(of: [PublishOutcome].self)
            shard.loop.execute { shard.take(work, of: count, promise) }
            return promise.futureResult
        }
        EventLoopFuture.whenAllSucceed(futures, on: shards[0].loop).whenComplete { result in
            let outcomes = (try? result.get()) ?? []
            answer(
                .success(
                    outcomes.reduce(into: [PublishOutcome](repeating: .none, count: count)) { sums, ofShard in
                        for (index, outcome) in ofShard.enumerated() {
                            sums[index].delivered += outcome.delivered
                            sums[index].refused += outcome.refused
                        }
                    }))
        }
    }
}
