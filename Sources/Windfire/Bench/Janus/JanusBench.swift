import Foundation
import NIOCore
import NIOPosix

/// One run of hotwheels' benchmark.
struct JanusBench: Sendable {
    let host: String
    let port: Int
    let bots: Int
    let topic: String

    /// Connections under way at once: below the listen queue of the original.
    private static let concurrency = 256
    /// How long a bot tries to connect and waits for its ACK.
    private static let patience: Duration = .seconds(60)

    func run() async throws -> JanusReport {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: min(4, System.coreCount))
        let tally = JanusTally(topic: topic)
        do {
            let report = try await run(on: group, tally)
            try await group.shutdownGracefully()
            return report
        } catch {
            try? await group.shutdownGracefully()
            throw error
        }
    }

    private func run(on group: MultiThreadedEventLoopGroup, _ tally: JanusTally) async throws -> JanusReport {
        let start = ContinuousClock.now
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            for number in 0..<bots {
                if number >= Self.concurrency { _ = try await tasks.next() }
                tasks.addTask { try await connectBot(on: group, tally) }
            }
            try await tasks.waitForAll()
        }
        let setup = start.duration(to: .now)
        try await connect(on: group) { JanusPublisher(tally) }
        let end = (tally.publishedAt ?? .now) + JanusReport.patience
        while tally.settled < bots, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(1)) }
        return JanusReport(
            bots: bots, setup: setup, run: (tally.publishedAt ?? .now).duration(to: .now), times: tally.times)
    }

    private func connectBot(on group: MultiThreadedEventLoopGroup, _ tally: JanusTally) async throws {
        let loop = group.next()
        let subscribed = loop.makePromise(of: Void.self)
        let channel: any Channel
        do {
            channel = try await connect(on: loop) { JanusBot(tally, subscribed: subscribed) }
        } catch {
            subscribed.fail(error)
            throw error
        }
        let late = loop.scheduleTask(in: TimeAmount(Self.patience)) { channel.close(promise: nil) }
        defer { late.cancel() }
        do {
            try await subscribed.futureResult.get()
        } catch {
            throw CommandFailure("a connection ended before its ACK; may Janus clients subscribe to \(topic)?")
        }
    }

    /// As hotwheels' bots do: each try has 3 s, and after a failure a random wait below 100 ms.
    @discardableResult
    private func connect(
        on group: any EventLoopGroup, _ handler: @escaping @Sendable () -> any ChannelHandler
    ) async throws -> any Channel {
        let end = ContinuousClock.now + Self.patience
        while true {
            do {
                return try await ClientBootstrap(group: group).connectTimeout(.seconds(3))
                    .channelOption(.socketOption(.tcp_nodelay), value: 1)
                    .channelInitializer { channel in
                        channel.eventLoop.makeCompletedFuture {
                            try channel.pipeline.syncOperations.addHandler(handler())
                        }
                    }
                    .connect(host: host, port: port).get()
            } catch {
                guard ContinuousClock.now < end else {
                    throw CommandFailure("\(host):\(port) takes no connections: \(error)")
                }
                try await Task.sleep(for: .milliseconds(Int.random(in: 0..<100)))
            }
        }
    }
}
