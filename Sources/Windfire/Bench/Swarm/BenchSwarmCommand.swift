import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// A helper process of `bench push`: its devices live here. Started by the bench, steered over its input and output.
struct BenchSwarmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "swarm", abstract: "Helper of `bench push`.", shouldDisplay: false)

    @Option var auth: String
    @Option var secret: String
    @Option var prefix: String
    /// Number of the first device of this helper.
    @Option var first: Int
    @Option var count: Int
    @Option var messages: Int
    @Option(name: .customLong("run-id")) var runID: UInt32
    @Option var concurrency: Int
    @Option var sourceAddresses: Int
    @Flag var acknowledge = false

    func run() async throws {
        raiseDescriptorLimit()
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let tally = try await loop.submit {
            NIOLoopBound(
                SwarmTally(run: runID, devices: count, messages: messages) { Self.tell(.complete) }, eventLoop: loop)
        }.get()
        let orders = Self.orders()
        do {
            Self.tell(.connected(try await SwarmLogin(options: self, loop: loop, tally: tally).all()))
        } catch {
            Self.tell(.failed("\(error)"))
            throw ExitCode.failure
        }
        for await order in orders {
            switch order {
            case .report: Self.tell(.report(try await loop.submit { tally.value.current() }.get()))
            case .quit:
                // Ending the process closes its 15,000 connections faster than asking each.
                throw ExitCode.success
            }
        }
    }

    /// Orders until the bench closes the pipe, also by dying: then it is time to quit.
    private static func orders() -> AsyncStream<SwarmOrder> {
        AsyncStream { continuation in
            Thread.detachNewThread {
                while let line = readLine() {
                    if let order = try? JSONDecoder().decode(SwarmOrder.self, from: Data(line.utf8)) {
                        continuation.yield(order)
                    }
                }
                // The bench is gone, maybe while devices are still being logged in: there is nobody to report to.
                Foundation.exit(0)
            }
        }
    }

    private static func tell(_ news: SwarmNews) {
        guard let line = try? JSONEncoder().encode(news) else { return }
        Output.line(json: line)
    }

    /// Each device is a descriptor.
    private func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
