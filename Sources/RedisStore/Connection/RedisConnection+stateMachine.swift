import DequeModule
import NIOCore

/// Which request a reply belongs to, and when to give a connection up.
///
/// RESP2 has no request ids: replies come in the order of the commands, so the queue of waiting requests is all there
/// is to match them. Two rules follow. A reply that never comes cannot be skipped: after a timeout the connection is
/// closed. And a reply that nobody waits for means that the count is off: the connection is closed too.
///
/// A request is one or more commands written together. `Request` is the caller's: production passes the object that
/// holds the continuation, tests pass a number.
struct RedisConnectionStateMachine<Request>: ~Copyable {
    private struct Waiting {
        let request: Request
        let deadline: NIODeadline
        var repliesMissing: Int
    }

    private struct Open: ~Copyable {
        var waiting: Deque<Waiting> = []
        var repliesMissing = 0
        /// Most replies that may be awaited at once.
        let repliesMissingMax: Int
    }

    private enum State: ~Copyable {
        /// Commands are written and replies awaited. Can become: closed.
        case open(Open)
        /// Nothing is accepted and nothing is delivered any more. Final.
        case closed(RedisFailure)
    }

    private var state: State

    init(repliesMissingMax: Int) { state = .open(Open(repliesMissingMax: repliesMissingMax)) }

    /// Puts a state back: `self = …` after it was consumed.
    private init(_ state: consuming State) { self.state = state }

    enum SubmitAction: Equatable {
        /// Write it. `schedule`: no deadline is being watched yet; watch this one.
        case write(schedule: NIODeadline?)
        case refuse(RedisFailure)
    }

    /// Commands are to be sent.
    mutating func submit(_ request: Request, commands: Int, deadline: NIODeadline) -> SubmitAction {
        precondition(commands > 0, "a request has at least one command")
        switch consume state {
        case .open(var open):
            // A single large request is let through when nothing else waits: it cannot be made smaller by waiting.
            guard open.waiting.isEmpty || open.repliesMissing + commands <= open.repliesMissingMax else {
                self = Self(.open(open))
                return .refuse(.overloaded)
            }
            let isFirst = open.waiting.isEmpty
            open.waiting.append(Waiting(request: request, deadline: deadline, repliesMissing: commands))
            open.repliesMissing += commands
            self = Self(.open(open))
            return .write(schedule: isFirst ? deadline : nil)
        case .closed(let failure):
            self = Self(.closed(failure))
            // Whatever ended it, this command was never sent: the caller may use another connection.
            return .refuse(.connectionLost("already closed"))
        }
    }

    enum ReplyAction {
        /// It belongs to this request. `isLast`: the request is complete.
        case deliver(Request, isLast: Bool)
        case close(RedisFailure)
        /// It came after the end.
        case ignore
    }

    /// A whole reply has arrived.
    mutating func receivedReply() -> ReplyAction {
        switch consume state {
        case .open(var open):
            guard !open.waiting.isEmpty else {
                let failure = RedisFailure.malformedReply("a reply that nobody asked for")
                self = Self(.closed(failure))
                return .close(failure)
            }
            open.repliesMissing -= 1
            open.waiting[0].repliesMissing -= 1
            let request = open.waiting[0].request
            let isLast = open.waiting[0].repliesMissing == 0
            if isLast { open.waiting.removeFirst() }
            self = Self(.open(open))
            return .deliver(request, isLast: isLast)
        case .closed(let failure):
            self = Self(.closed(failure))
            return .ignore
        }
    }

    enum DeadlineAction {
        /// Watch this one next.
        case reschedule(NIODeadline)
        /// Nothing waits.
        case none
        /// Close the connection and fail these.
        case close(failing: [Request], RedisFailure)
    }

    /// The deadline that was being watched has come.
    mutating func deadlineReached(now: NIODeadline) -> DeadlineAction {
        switch consume state {
        case .open(let open):
            guard let first = open.waiting.first else {
                self = Self(.open(open))
                return .none
            }
            guard first.deadline <= now else {
                self = Self(.open(open))
                return .reschedule(first.deadline)
            }
            let requests = open.waiting.map(\.request)
            self = Self(.closed(.timedOut))
            return .close(failing: requests, .timedOut)
        case .closed(let failure):
            self = Self(.closed(failure))
            return .none
        }
    }

    /// The connection has ended, or must end, for this reason.
    /// - Returns: the requests to fail with it.
    mutating func close(_ failure: RedisFailure) -> [Request] {
        switch consume state {
        case .open(let open):
            let requests = open.waiting.map(\.request)
            self = Self(.closed(failure))
            return requests
        case .closed(let earlier):
            self = Self(.closed(earlier))
            return []
        }
    }
}
