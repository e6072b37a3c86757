import Common

/// Which connections to nodes are open: one per incarnation, opened on first use, given up when unused for a while,
/// which is what happens to a node that is gone. Pure: time comes in, connections that are to be closed come out.
struct NodeConnectionTable<Connection> {
    private struct Entry {
        let endpoint: String
        let connection: Connection
        var lastUsed: ContinuousClock.Instant
    }

    /// How long an unused connection stays.
    let idleMax: Duration
    /// More than this many nodes, and the one unused for longest gives way.
    let countMax: Int
    private var entries: [Incarnation: Entry] = [:]
    private var isClosed = false

    init(idleMax: Duration, countMax: Int) {
        precondition(countMax > 0, "a table needs room for one connection")
        self.idleMax = idleMax
        self.countMax = countMax
    }

    var count: Int { entries.count }

    enum Use {
        /// Use `connection`; close `displaced`, which lets its calls in progress end.
        case use(_ connection: Connection, displaced: Connection?)
        /// The table was closed.
        case refused
    }

    /// - Parameter open: makes a connection; called at most once.
    mutating func use(
        _ incarnation: Incarnation, at endpoint: String, now: ContinuousClock.Instant,
        open: () throws(WindfireError) -> Connection
    ) throws(WindfireError) -> Use {
        guard !isClosed else { return .refused }
        var displaced: Connection?
        if let entry = entries[incarnation] {
            if entry.endpoint == endpoint {
                entries[incarnation]?.lastUsed = now
                return .use(entry.connection, displaced: nil)
            }
            displaced = entry.connection
        }
        let connection = try open()
        if displaced == nil, entries.count >= countMax,
            let oldest = entries.min(by: { $0.value.lastUsed < $1.value.lastUsed })
        {
            displaced = oldest.value.connection
            entries[oldest.key] = nil
        }
        entries[incarnation] = Entry(endpoint: endpoint, connection: connection, lastUsed: now)
        return .use(connection, displaced: displaced)
    }

    /// - Returns: the connections that nobody used for `idleMax`; they are no longer in the table.
    mutating func sweep(now: ContinuousClock.Instant) -> [Connection] {
        let idle = entries.filter { $0.value.lastUsed.duration(to: now) >= idleMax }
        for incarnation in idle.keys { entries[incarnation] = nil }
        return idle.values.map(\.connection)
    }

    /// - Returns: all connections; the table refuses from now on.
    mutating func close() -> [Connection] {
        isClosed = true
        defer { entries = [:] }
        return entries.values.map(\.connection)
    }
}
