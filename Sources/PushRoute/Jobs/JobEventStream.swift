import Common
import HTTPSupport
import Hummingbird
import NIOCore
import ServiceLifecycle
import Synchronization

/// What a watcher of a job is told, as server-sent events (WHATWG HTML, section 9.2): `progress` when something has
/// changed, `finished` at the end, and a comment when nothing was to be said for a while. Pure.
struct JobFeed {
    /// Between two comments, so that proxies do not take the stream for dead.
    static let silenceMax: Duration = .seconds(15)

    private var last: JobReport?
    private var saidAt: ContinuousClock.Instant?

    enum Event: Equatable {
        case progress(JobReport)
        case finished(JobReport)
        case comment
    }

    mutating func look(at report: JobReport, now: ContinuousClock.Instant) -> Event? {
        if ["finished", "cancelled", "failed"].contains(report.state) { return .finished(report) }
        guard report != last else { return silence(now: now) }
        last = report
        saidAt = now
        return .progress(report)
    }

    /// Nothing is known now.
    mutating func silence(now: ContinuousClock.Instant) -> Event? {
        guard let saidAt, now - saidAt >= Self.silenceMax else { return nil }
        self.saidAt = now
        return .comment
    }
}

/// Writes a feed until the job has ended, the caller has gone, or this process stops.
struct JobEventStream {
    /// Four looks a second.
    private static let pause: Duration = .milliseconds(250)

    let first: JobReport
    let report: @Sendable () async throws(WindfireError) -> JobReport

    init(first: JobReport, report: @escaping @Sendable () async throws(WindfireError) -> JobReport) {
        self.first = first
        self.report = report
    }

    func write(to writer: inout any ResponseBodyWriter) async throws {
        var feed = JobFeed()
        var event = feed.look(at: first, now: .now)
        while true {
            if let event { try await writer.write(Self.bytes(event)) }
            if case .finished = event { return }
            try await Task.sleep(for: Self.pause)
            guard !Task.isShuttingDownGracefully else { return }
            do throws(WindfireError) {
                event = feed.look(at: try await report(), now: .now)
            } catch {
                // Swept away; or the store is away, and the next look may find it.
                if error.code == .notFound { return }
                event = feed.silence(now: .now)
            }
        }
    }

    private static func bytes(_ event: JobFeed.Event) -> ByteBuffer {
        var buffer = ByteBuffer()
        switch event {
        case .progress(let report): write("progress", report, to: &buffer)
        case .finished(let report): write("finished", report, to: &buffer)
        case .comment: buffer.writeString(":\n\n")
        }
        return buffer
    }

    private static func write(_ name: StaticString, _ report: JobReport, to buffer: inout ByteBuffer) {
        buffer.writeString("event: \(name)\ndata: ")
        buffer.writeImmutableBuffer(JSONAnswer.encode(report))
        buffer.writeString("\n\n")
    }
}

/// How many may watch jobs here at once: each asks the store four times a second.
final class JobWatchers: Sendable {
    /// One watcher; gives its place back when nobody holds it any more.
    final class Place: Sendable {
        private let watchers: JobWatchers

        fileprivate init(_ watchers: JobWatchers) { self.watchers = watchers }

        deinit { watchers.count.withLock { $0 -= 1 } }
    }

    private let max: Int
    private let count = Mutex(0)

    init(max: Int = 100) { self.max = max }

    /// - Throws: `rate_limited` when there are too many.
    func enter() throws(WindfireError) -> Place {
        let isIn = count.withLock { count in
            guard count < max else { return false }
            count += 1
            return true
        }
        guard isIn else {
            throw WindfireError(.rateLimited, "too many watch jobs here", retryAfter: .seconds(5))
        }
        return Place(self)
    }
}
