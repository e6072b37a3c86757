import Foundation

/// A running helper, seen from the bench.
final class SwarmHelper: Sendable {
    /// Connections of one process: the usual descriptor limit of 20,000, less what else it needs.
    static let devicesMax = 15_000

    private let process: Process
    private let input: FileHandle
    private let news: News
    let devices: Int

    init(arguments: [String], devices: Int) throws {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = arguments
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        self.process = process
        self.input = input.fileHandleForWriting
        self.devices = devices
        news = News(output.fileHandleForReading)
    }

    func tell(_ order: SwarmOrder) {
        guard let line = try? JSONEncoder().encode(order) else { return }
        // A helper that is gone shows by the end of its news.
        try? input.write(contentsOf: line + Data("\n".utf8))
    }

    func stop() {
        tell(.quit)
        try? input.close()
    }

    /// Ends it for certain, as it is a process we started.
    func kill() { if process.isRunning { process.terminate() } }

    func logins() async throws -> SwarmLogins {
        for await result in news.logins { return try result.get() }
        throw CommandFailure("a helper ended while it connected its devices")
    }

    /// Returns when each device has each message, when the helper ended, or when the task is cancelled.
    func complete() async {
        for await _ in news.complete { return }
    }

    func report() async throws -> SwarmReport {
        tell(.report)
        for await report in news.reports { return report }
        throw CommandFailure("a helper ended before its report")
    }

    /// One stream for each kind, because a wait that is cancelled ends its stream, and must not end the others.
    private struct News: Sendable {
        let logins: AsyncStream<Result<SwarmLogins, CommandFailure>>
        let complete: AsyncStream<Void>
        let reports: AsyncStream<SwarmReport>

        /// One item per line of the pipe, read on a thread of its own: reads block.
        init(_ handle: FileHandle) {
            let logins = AsyncStream.makeStream(of: Result<SwarmLogins, CommandFailure>.self)
            let complete = AsyncStream.makeStream(of: Void.self)
            let reports = AsyncStream.makeStream(of: SwarmReport.self)
            (self.logins, self.complete, self.reports) = (logins.stream, complete.stream, reports.stream)
            Thread.detachNewThread {
                var buffer = Data()
                while case let chunk = handle.availableData, !chunk.isEmpty {
                    buffer.append(chunk)
                    while let end = buffer.firstIndex(of: UInt8(ascii: "\n")) {
                        switch try? JSONDecoder().decode(SwarmNews.self, from: buffer[..<end]) {
                        case .connected(let report): logins.continuation.yield(.success(report))
                        case .failed(let why):
                            logins.continuation.yield(
                                .failure(CommandFailure("a helper could not connect its devices: \(why)")))
                        case .complete: complete.continuation.yield()
                        case .report(let report): reports.continuation.yield(report)
                        case nil: break
                        }
                        buffer = Data(buffer[(end + 1)...])
                    }
                }
                logins.continuation.finish()
                complete.continuation.finish()
                reports.continuation.finish()
            }
        }
    }
}
