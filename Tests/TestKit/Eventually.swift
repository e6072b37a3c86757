// Waiting without sleeping for a fixed time: a condition is polled until it holds, or a deadline says what did not
// happen.

/// What was waited for and did not come.
package struct NotInTime: Error, CustomStringConvertible {
    package let what: String
    package let limit: Duration
    /// What the condition itself threw at the last look, if it threw.
    package let lastError: (any Error)?

    package var description: String {
        let because = lastError.map { "; the last look threw \($0)" } ?? ""
        return "not within \(limit): \(what)\(because)"
    }
}

/// Polls `condition` until it is true. A condition that throws counts as not yet true, and its last error is reported.
/// - Parameters:
///   - limit: how long it may take. Be generous: a deadline is for failing runs, a passing one never waits for it.
///   - what: what should come true, as it shall read in the failure: "the entry is gone".
///   - poll: pause between two looks.
/// - Throws: `NotInTime`, or `CancellationError` when the test itself is cancelled.
package func eventually(
    within limit: Duration = .seconds(10), _ what: String, poll: Duration = .milliseconds(20),
    isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
    try await eventually(within: limit, what, poll: poll) { try await condition() ? () : nil }
}

/// Polls `value` until it is there, and returns it. Otherwise as above.
@discardableResult
package func eventually<Value>(
    within limit: Duration = .seconds(10), _ what: String, poll: Duration = .milliseconds(20),
    isolation: isolated (any Actor)? = #isolation, _ value: () async throws -> Value?
) async throws -> Value {
    let deadline = ContinuousClock.now + limit
    while true {
        var lastError: (any Error)?
        do {
            if let value = try await value() { return value }
        } catch let error as CancellationError {
            throw error
        } catch {
            lastError = error
        }
        guard ContinuousClock.now < deadline else { throw NotInTime(what: what, limit: limit, lastError: lastError) }
        try await Task.sleep(for: poll)
    }
}

/// The opposite: throws as soon as `condition` is true, returns when it stayed false for all of `time`. Costs that time
/// in every run, so keep it short and use it only where nothing announces that nothing happened.
package func never(
    for time: Duration, _ what: String, poll: Duration = .milliseconds(20),
    isolation: isolated (any Actor)? = #isolation, _ condition: () async throws -> Bool
) async throws {
    struct Happened: Error, CustomStringConvertible { let description: String }
    let end = ContinuousClock.now + time
    repeat {
        if try await condition() { throw Happened(description: "should never be: \(what)") }
        try await Task.sleep(for: poll)
    } while ContinuousClock.now < end
}
