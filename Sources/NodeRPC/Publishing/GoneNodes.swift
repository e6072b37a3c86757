import Common

/// Which incarnations a publisher takes out of topics' sets because they are gone. Pure.
///
/// Whoever dies leaves its announcements behind; a publish that meets one skips it. It is taken out only after it was
/// missing for `patience`, so that a list of nodes that lags behind does not erase one that has just come, and at most
/// once in `pause` for each topic. When one is taken out wrongly all the same, the node's next repetition puts it back.
struct GoneNodes: Sendable {
    typealias Instant = ContinuousClock.Instant

    /// As long as routes wait before they are buried.
    var patience: Duration = .seconds(10)
    var pause: Duration = .seconds(1)
    /// Of either table; one that is full begins anew.
    var rowsMax = 1_024

    private var missingSince: [Incarnation: Instant] = [:]
    private var forgottenAt: [Topic?: Instant] = [:]

    init() {}

    /// A look-up named incarnations that are not in the registry.
    /// - Parameter topic: nil for those with wildcards.
    /// - Returns: which of them are to be taken out now.
    mutating func missing(_ nodes: some Sequence<Incarnation>, in topic: Topic?, now: Instant) -> Set<Incarnation> {
        if missingSince.count >= rowsMax { missingSince = [:] }
        var gone: Set<Incarnation> = []
        for node in nodes {
            let since = missingSince[node, default: now]
            missingSince[node] = since
            if since.duration(to: now) >= patience { gone.insert(node) }
        }
        guard !gone.isEmpty else { return [] }
        if let last = forgottenAt[topic], last.duration(to: now) < pause { return [] }
        if forgottenAt.count >= rowsMax { forgottenAt = [:] }
        forgottenAt[topic] = now
        return gone
    }

    /// The registry is away: what it lacks says nothing.
    mutating func lostSight() { missingSince = [:] }
}
