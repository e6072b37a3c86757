import Common

/// Lines of a list that are no ids: the first one refuses the push, or all are left out and counted, as the caller
/// chose with `?on_bad_line=`.
package struct BadLines: Equatable, Sendable {
    package enum Policy: String, Sendable, CaseIterable {
        case refuse, skip
    }

    /// Numbers that are kept.
    package static let namedMax = 100

    package let policy: Policy
    package private(set) var count = 0
    /// Of the first ones, counted from 1.
    package private(set) var first: [Int] = []

    package init(_ policy: Policy) { self.policy = policy }

    /// - Parameters:
    ///   - lines: the lines that are not used: one, unless quotes hold several together.
    ///   - failure: what is wrong, without raw input.
    /// - Throws: that, with the line's number, when the caller wants it so.
    mutating func note(_ lines: ClosedRange<Int>, _ failure: WindfireError) throws(WindfireError) {
        guard policy == .skip else {
            throw WindfireError(failure.code, "line \(lines.lowerBound): \(failure.message)")
        }
        count += lines.count
        first += lines.prefix(max(0, Self.namedMax - first.count))
    }
}
