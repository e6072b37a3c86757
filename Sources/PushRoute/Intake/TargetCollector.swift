import Common

/// The ids of a push as they come in: each once, in the order of first appearance, cut into chunks.
struct TargetCollector {
    private let limits: Limits
    private var seen = TargetSet()
    /// Begun and not full, or full and perhaps the last.
    private var open: [ClientID] = []
    private var full: [[ClientID]] = []
    /// Ids that were named, repetitions included: what the limit counts.
    private(set) var named = 0

    init(limits: Limits) { self.limits = limits }

    /// Different clients.
    var total: Int { seen.count }

    /// - Throws: `too_many_targets`.
    mutating func add(_ client: ClientID) throws(WindfireError) {
        guard named < limits.targetsPerPushMax else {
            throw WindfireError(.tooManyTargets, "the push has more than \(limits.targetsPerPushMax) ids")
        }
        named += 1
        guard seen.insert(client) else { return }
        if open.count == limits.targetsPerChunkMax {
            full.append(open)
            open.removeAll(keepingCapacity: false)
        }
        open.append(client)
    }

    /// Chunks that are full and have others behind them.
    mutating func takeFull() -> [[ClientID]] {
        defer { full.removeAll() }
        return full
    }

    /// The last chunk, which may be the only one. Nobody else is coming.
    mutating func takeLast() -> [ClientID] {
        defer { open.removeAll() }
        return open
    }
}
