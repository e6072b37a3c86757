import Common

/// Decides which incarnations are to be buried: announced in the route store, and absent from the registry for longer
/// than the grace period, as seen by this process without interruption. Pure: time comes in.
///
/// The grace period covers a node that lost its registry session and registers again. What is missing from a list that
/// is not current proves nothing, so out of touch with the registry nobody is buried, and all waiting starts anew.
struct BurialWatch: Sendable {
    let grace: Duration
    private var missingSince: [Incarnation: ContinuousClock.Instant] = [:]

    init(grace: Duration) { self.grace = grace }

    /// - Returns: who is to be buried now; again with each look, until the announcement is gone.
    mutating func look(
        announced: Set<Incarnation>, members: Members, registry: RegistryState, now: ContinuousClock.Instant
    ) -> [Incarnation] {
        guard registry.isConnected, members.isKnown else {
            missingSince = [:]
            return []
        }
        var stillMissing: [Incarnation: ContinuousClock.Instant] = [:]
        for incarnation in announced where !members.contains(incarnation) {
            stillMissing[incarnation] = missingSince[incarnation] ?? now
        }
        missingSince = stillMissing
        return stillMissing.filter { $0.value.duration(to: now) >= grace }.keys.sorted()
    }
}
