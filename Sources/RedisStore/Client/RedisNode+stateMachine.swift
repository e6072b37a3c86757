import DequeModule

/// The connections to one server, and who waits for one. Generic over both, so that tests need neither.
struct RedisNodeStateMachine<Connection, Waiter> {
    private var connections: [Connection?]
    /// Which connection is handed out next.
    private var next = 0
    /// In the order they came; those that gave up are taken out.
    private var waiters: Deque<(id: UInt64, waiter: Waiter)> = []
    private var nextWaiterID: UInt64 = 0
    private let waitersMax: Int
    /// Why there is no connection, when the reason will not go away by waiting.
    private var refusal: RedisFailure?
    private var isShutDown = false

    init(connections: Int, waitersMax: Int) {
        precondition(connections > 0, "a node has at least one connection")
        self.connections = Array(repeating: nil, count: connections)
        self.waitersMax = waitersMax
    }

    var open: [Connection] { connections.compactMap(\.self) }

    enum LeaseAction {
        case use(Connection)
        case wait
        case refuse(RedisFailure)
    }

    /// A caller wants a connection. Connections are shared; they are handed out in turn.
    mutating func lease() -> LeaseAction {
        guard !isShutDown else { return .refuse(.shutDown) }
        for _ in connections {
            next = (next + 1) % connections.count
            if let connection = connections[next] { return .use(connection) }
        }
        if let refusal { return .refuse(refusal) }
        return waiters.count < waitersMax ? .wait : .refuse(.overloaded)
    }

    enum WaitAction {
        /// A number to say `waiterExpired` with.
        case waiting(UInt64)
        /// No need to wait any more.
        case use(Connection)
        case refuse(RedisFailure)
    }

    /// The caller is ready to wait, for whichever connection comes first.
    mutating func wait(_ waiter: Waiter) -> WaitAction {
        switch lease() {
        case .use(let connection): return .use(connection)
        case .refuse(let failure): return .refuse(failure)
        case .wait:
            nextWaiterID += 1
            waiters.append((nextWaiterID, waiter))
            return .waiting(nextWaiterID)
        }
    }

    /// A caller has waited long enough.
    /// - Returns: the caller, unless it was served meanwhile.
    mutating func waiterExpired(_ id: UInt64) -> Waiter? {
        guard let index = waiters.firstIndex(where: { $0.id == id }) else { return nil }
        return waiters.remove(at: index).waiter
    }

    enum ConnectedAction {
        /// Serve these with it.
        case serve([Waiter])
        /// Nobody wants it any more.
        case close
    }

    mutating func connected(_ connection: Connection, at index: Int) -> ConnectedAction {
        guard !isShutDown else { return .close }
        connections[index] = connection
        refusal = nil
        defer { waiters.removeAll() }
        return .serve(waiters.map(\.waiter))
    }

    mutating func disconnected(at index: Int) { connections[index] = nil }

    /// An attempt to connect has failed.
    /// - Returns: the callers to fail at once, because waiting longer is of no use.
    mutating func attemptFailed(_ failure: RedisFailure) -> [Waiter] {
        guard case .refused = failure else {
            refusal = nil
            return []
        }
        refusal = failure
        defer { waiters.removeAll() }
        return waiters.map(\.waiter)
    }

    /// - Returns: what to close, and whom to fail with `shutDown`.
    mutating func shutDown() -> (connections: [Connection], waiters: [Waiter]) {
        defer {
            isShutDown = true
            waiters.removeAll()
            connections = Array(repeating: nil, count: connections.count)
        }
        return (open, waiters.map(\.waiter))
    }
}

extension RedisNodeStateMachine: Sendable where Connection: Sendable, Waiter: Sendable {}
