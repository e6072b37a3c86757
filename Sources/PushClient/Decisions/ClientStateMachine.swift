/// Everything the client decides: when to fetch a token, whom to dial, how long to wait, when a server is dead, and
/// when to give up. No sockets, no clock, no randomness: time and random numbers are handed in, steps are handed out.
///
/// Connections are numbered, because during a move there are two: the old one stays until the new one is welcomed.
/// Whatever is told of a connection that is not (or no longer) one of the two is ignored.
///
/// An attempt counts as a success only when it was welcomed and then lasted; a server that accepts and turns away at
/// once meets ever longer waits.
struct ClientStateMachine: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// What to do next. One thing at a time: whatever else is due is found by `nextDeadline`.
    enum Step: Equatable {
        case none
        case fetchToken
        case dial(connection: Int, PushClient.Node)
        case hello(connection: Int, token: String)
        case presentToken(connection: Int, token: String)
        case ping(connection: Int)
        /// Close it politely: another one took its place.
        case leave(connection: Int)
        /// Close it at once: it does not answer.
        case drop(connection: Int)
        case finish(PushClient.Ending)
    }

    /// From the first byte to the other side's answer.
    struct Attempt: Equatable {
        let connection: Int
        let node: PushClient.Node
        /// When the node is taken for dead.
        let deadline: Instant
    }

    /// Going to another node because the present one asked for it.
    enum Move: Equatable {
        case scheduled(at: Instant, PushClient.Node)
        case under(Attempt)
    }

    struct Link: Equatable {
        let connection: Int
        let node: PushClient.Node
        let since: Instant
        var liveness: Liveness
        var move: Move?
    }

    enum Next: Equatable {
        case fetch, dial
    }

    enum State: Equatable {
        /// Not started. → fetching
        case idle
        /// A token is being fetched and there is no connection. → attempting, waiting, closed
        case fetching
        /// A node was dialled and has not welcomed us. → linked, waiting, closed
        case attempting(Attempt)
        /// Welcomed. → waiting, attempting (of a move), closed
        case linked(Link)
        /// Nothing happens until then. → fetching, attempting
        case waiting(until: Instant, Next)
        /// For good.
        case closed(PushClient.Ending)
    }

    /// A connection that lasted this long was a success.
    static let lasting = Duration.seconds(5)
    /// A token that ends within this time is not worth a dial.
    static let tokenRemainderMin = Duration.seconds(2)
    /// Taken when the clock here and the clock there disagree so much that a fresh token looks ended.
    static let lifetimeMin = Duration.seconds(10)

    let welcomeTimeout: Duration
    var state = State.idle
    var assignment: PushClient.Assignment?
    var tokenEnds: Instant?
    var refreshAt: Instant?
    /// A refresh of the token is under way beside the connection.
    var isRefreshing = false
    /// The token that the server refused last: getting the same again leads nowhere.
    var refusedToken: String?
    /// Where to dial, in order; the first is the current one.
    var candidates: [PushClient.Node] = []
    var backoff = Backoff(hints: .default)
    var refreshBackoff = Backoff(hints: .default)
    private var connections = 0

    init(welcomeTimeout: Duration) { self.welcomeTimeout = welcomeTimeout }

    /// When `deadlineReached` wants to be called; nil when only news from outside leads on.
    var nextDeadline: Instant? {
        switch state {
        case .idle, .fetching, .closed: return nil
        case .attempting(let attempt): return attempt.deadline
        case .waiting(let until, _): return until
        case .linked(let link):
            var deadlines = [link.liveness.deadline]
            if let refreshAt, !isRefreshing { deadlines.append(refreshAt) }
            switch link.move {
            case .scheduled(let at, _): deadlines.append(at)
            case .under(let attempt): deadlines.append(attempt.deadline)
            case nil: break
            }
            return deadlines.min()
        }
    }

    mutating func start() -> Step {
        guard state == .idle else { return .none }
        state = .fetching
        return .fetchToken
    }

    mutating func close() -> Step { finish(.closedByUser) }

    mutating func finish(_ ending: PushClient.Ending) -> Step {
        if case .closed = state { return .none }
        state = .closed(ending)
        return .finish(ending)
    }

    /// Whether anything is still expected of this connection.
    func concerns(_ connection: Int) -> Bool {
        switch state {
        case .attempting(let attempt): attempt.connection == connection
        case .linked(let link): link.connection == connection || link.attempt?.connection == connection
        case .idle, .fetching, .waiting, .closed: false
        }
    }

    // Steps that several inputs lead to.

    mutating func wait(_ duration: Duration, then next: Next, now: Instant) -> Step {
        state = .waiting(until: now + duration, next)
        return .none
    }

    /// Dials the first candidate, or fetches a token when there is none left or the token is about to end.
    mutating func dialOrFetch(now: Instant) -> Step {
        let isTokenGood = tokenEnds.map { $0 - now > Self.tokenRemainderMin } ?? false
        guard let node = candidates.first, isTokenGood else {
            state = .fetching
            return .fetchToken
        }
        let attempt = newAttempt(to: node, now: now)
        state = .attempting(attempt)
        return .dial(connection: attempt.connection, node)
    }

    mutating func newAttempt(to node: PushClient.Node, now: Instant) -> Attempt {
        connections += 1
        return Attempt(connection: connections, node: node, deadline: now + welcomeTimeout)
    }
}

extension ClientStateMachine.Link {
    /// The attempt of a move that is under way.
    var attempt: ClientStateMachine.Attempt? {
        if case .under(let attempt) = move { attempt } else { nil }
    }
}
