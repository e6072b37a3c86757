// What can happen to a client, one method each.

extension ClientStateMachine {
    // The token.

    /// - Parameters:
    ///   - lifetime: until the token ends, by the clock on the wall.
    ///   - random: 0 ≤ random < 1.
    mutating func tokenFetched(
        _ fetched: PushClient.Assignment, lifetime: Duration, now: Instant, random: Double
    ) -> Step {
        if case .closed = state { return .none }
        guard fetched.token != refusedToken else { return finish(.tokenRefused(code: "token_invalid")) }
        let lifetime = max(lifetime, Self.lifetimeMin)
        assignment = fetched
        tokenEnds = now + lifetime
        // Between 75 % and 90 % of its life, so that tokens handed out together are not renewed together.
        refreshAt = now + lifetime * (0.75 + 0.15 * random)
        isRefreshing = false
        refreshBackoff = Backoff(hints: fetched.backoff)
        backoff.hints = fetched.backoff
        switch state {
        case .fetching:
            candidates = [fetched.node] + fetched.alternatives
            return dialOrFetch(now: now)
        case .linked(let link):
            candidates = [link.node] + ([fetched.node] + fetched.alternatives).filter { $0 != link.node }
            return .presentToken(connection: link.connection, token: fetched.token)
        case .attempting, .waiting:
            // A refresh that came back after its connection was lost: good for the next attempt.
            candidates = [fetched.node] + fetched.alternatives
            return .none
        case .idle, .closed: return .none
        }
    }

    /// - Parameter failure: `refused` is final: the credentials are not good. Anything else is tried again.
    mutating func tokenFailed(_ failure: PushClientError, now: Instant, random: Double) -> Step {
        let wait = failure.retryAfter ?? .zero
        switch state {
        case .fetching:
            if failure.kind == .refused { return finish(.tokenRefused(code: failure.code ?? "unauthorized")) }
            return self.wait(backoff.failed(floor: wait, random: random), then: .fetch, now: now)
        case .linked:
            // The connection is good until the token ends; the server closes it then, and that leads on.
            isRefreshing = false
            refreshAt = now + refreshBackoff.failed(floor: max(wait, .seconds(1)), random: random)
            return .none
        case .attempting, .waiting:
            isRefreshing = false
            return .none
        case .idle, .closed: return .none
        }
    }

    // A connection.

    /// The upgrade succeeded. This is not a success yet.
    mutating func opened(_ connection: Int) -> Step {
        guard concerns(connection), let token = assignment?.token else { return .drop(connection: connection) }
        return .hello(connection: connection, token: token)
    }

    /// - Parameter heartbeat: of the welcome; nil keeps that of the token's answer.
    mutating func welcomed(_ connection: Int, heartbeat: Duration?, now: Instant) -> Step {
        func link(_ attempt: Attempt) -> State {
            let interval = heartbeat ?? assignment?.heartbeat ?? .seconds(25)
            return .linked(
                Link(
                    connection: connection, node: attempt.node, since: now,
                    liveness: Liveness(heartbeat: interval, now: now)))
        }
        switch state {
        case .attempting(let attempt) where attempt.connection == connection:
            refusedToken = nil
            state = link(attempt)
            return .none
        case .linked(let old):
            guard let attempt = old.attempt, attempt.connection == connection else { return .none }
            candidates = [attempt.node] + candidates.filter { $0 != attempt.node && $0 != old.node }
            state = link(attempt)
            return .leave(connection: old.connection)
        case .idle, .fetching, .attempting, .waiting, .closed: return .none
        }
    }

    mutating func heard(_ connection: Int, now: Instant) {
        guard case .linked(var link) = state, link.connection == connection else { return }
        link.liveness.heard(now: now)
        state = .linked(link)
    }

    /// The node asks to go to another one. The present connection stays until that one has welcomed us.
    mutating func moveAsked(_ connection: Int, to node: PushClient.Node, after: Duration, now: Instant) {
        guard case .linked(var link) = state, link.connection == connection, link.attempt == nil else { return }
        link.move = .scheduled(at: now + after, node)
        state = .linked(link)
    }

    mutating func ended(_ connection: Int, _ end: ConnectionEnd, now: Instant, random: Double) -> Step {
        switch state {
        case .attempting(let attempt) where attempt.connection == connection:
            return afterEnd(end, hasWelcomed: false, now: now, random: random)
        case .linked(var link):
            if let attempt = link.attempt {
                if attempt.connection == connection {
                    // The move failed: stay where we are until that ends, too.
                    link.move = nil
                    state = .linked(link)
                } else if link.connection == connection {
                    // The old one ended (as `replaced`, most likely: the new one has claimed). All rests on the new
                    // one.
                    state = .attempting(attempt)
                }
                return .none
            }
            guard link.connection == connection else { return .none }
            if now - link.since >= Self.lasting { backoff.succeeded() }
            return afterEnd(end, hasWelcomed: true, now: now, random: random)
        case .idle, .fetching, .attempting, .waiting, .closed: return .none
        }
    }

    // Time.

    /// - Parameter isReadingPaused: the application does not take its messages and reading has stopped; silence then
    ///   says nothing about the server.
    mutating func deadlineReached(now: Instant, random: Double, isReadingPaused: Bool) -> Step {
        switch state {
        case .waiting(let until, let next) where now >= until:
            guard next == .fetch else { return dialOrFetch(now: now) }
            state = .fetching
            return .fetchToken
        case .attempting(let attempt) where now >= attempt.deadline:
            _ = afterEnd(.silent, hasWelcomed: false, now: now, random: random)
            return .drop(connection: attempt.connection)
        case .linked(let link):
            return linkedDeadline(link, now: now, random: random, isReadingPaused: isReadingPaused)
        case .idle, .fetching, .attempting, .waiting, .closed: return .none
        }
    }

    private mutating func linkedDeadline(
        _ before: Link, now: Instant, random: Double, isReadingPaused: Bool
    ) -> Step {
        var link = before
        if isReadingPaused { link.liveness.heard(now: now) }
        defer { if case .linked = state { state = .linked(link) } }

        switch link.move {
        case .scheduled(let at, let node) where now >= at:
            let attempt = newAttempt(to: node, now: now)
            link.move = .under(attempt)
            return .dial(connection: attempt.connection, node)
        case .under(let attempt) where now >= attempt.deadline:
            link.move = nil
            return .drop(connection: attempt.connection)
        case .scheduled, .under, nil: break
        }
        switch link.liveness.deadlineReached(now: now) {
        case .ask: return .ping(connection: link.connection)
        case .dead:
            if now - link.since >= Self.lasting { backoff.succeeded() }
            _ = afterEnd(.silent, hasWelcomed: true, now: now, random: random)
            return .drop(connection: link.connection)
        case .wait: break
        }
        if let refreshAt, now >= refreshAt, !isRefreshing {
            isRefreshing = true
            return .fetchToken
        }
        return .none
    }

    /// Decides by the way it ended. Always waits, if only for the jitter: never a hot loop.
    private mutating func afterEnd(
        _ end: ConnectionEnd, hasWelcomed: Bool, now: Instant, random: Double
    ) -> Step {
        switch end.consequence {
        case .giveUp: return finish(end.final)
        case .fetchToken(let least):
            refusedToken = assignment?.token
            return wait(backoff.failed(floor: least, random: random), then: .fetch, now: now)
        case .comeBack(let least, let elsewhere):
            let isUnreachable = !hasWelcomed && end.number == nil
            if (elsewhere || isUnreachable), !candidates.isEmpty { candidates.removeFirst() }
            return wait(backoff.failed(floor: least, random: random), then: .dial, now: now)
        }
    }
}
