import Common

/// A publisher's copy of what nodes subscribe to by wildcards, and who waits for it to be read again. One reading at a
/// time serves all lanes. Pure.
///
/// A lane that was told a version waits for a reading that began after that, unless the copy is as new already. A copy
/// that is newer than what the lane was told is fine as well: whoever was subscribed when the look-up began is in it,
/// or has left since.
struct PatternCopy: Sendable {
    enum Need: Equatable {
        /// The copy will do.
        case none
        /// Wait, and begin a reading.
        case read
        /// Wait: a reading is under way.
        case wait
    }

    private struct Waiter {
        let target: PublishTarget
        let version: UInt64
        /// The reading that settles it, at the latest.
        let reading: Int
    }

    private(set) var directory = PatternDirectory()
    /// Readings begun.
    private var begun = 0
    private var isReading = false
    private var waiters: [Waiter] = []

    /// - Parameter version: what the store said with the look-up.
    mutating func need(_ version: UInt64, for target: PublishTarget) -> Need {
        guard !isCurrent(version) else { return .none }
        // The reading under way may have begun before the version rose.
        waiters.append(Waiter(target: target, version: version, reading: begun + 1))
        guard !isReading else { return .wait }
        begin()
        return .read
    }

    /// - Returns: the targets that wait no longer, and whether another reading begins for the others.
    mutating func read(_ rows: [PatternDirectory.Row], version: UInt64) -> (ready: [PublishTarget], readAgain: Bool) {
        directory.replace(rows, version: version)
        isReading = false
        let known = directory.version ?? 0
        return release { [begun] in $0.reading <= begun || $0.version <= known }
    }

    /// - Returns: the targets that waited in vain, and whether another reading begins for the others.
    mutating func failed() -> (refused: [PublishTarget], readAgain: Bool) {
        isReading = false
        return release { [begun] in $0.reading <= begun }
    }

    /// Version 0 says that nobody ever announced a pattern, also after the store was wiped: the copy then knows more.
    private func isCurrent(_ version: UInt64) -> Bool { version <= directory.version ?? 0 }

    private mutating func begin() {
        begun += 1
        isReading = true
    }

    private mutating func release(where isReleased: (Waiter) -> Bool) -> ([PublishTarget], Bool) {
        let released = waiters.filter(isReleased).map(\.target)
        waiters.removeAll(where: isReleased)
        if !waiters.isEmpty { begin() }
        return (released, isReading)
    }
}
