import Testing

@testable import PushClient

@Suite struct BackoffTests {
    private let hints = PushClient.BackoffHints(base: .seconds(1), factor: 2, max: .seconds(10), jitter: 1)

    @Test func `ceilings double up to the maximum, and the wait is drawn from all of it`() {
        var backoff = Backoff(hints: hints)
        #expect((0..<6).map { _ in backoff.failed(random: 0.5) } == [0.5, 1, 2, 4, 5, 5].map { .seconds($0) })
        backoff.succeeded()
        #expect(backoff.failed(random: 0) == .zero)
    }

    @Test func `less jitter leaves a fixed part`() {
        var backoff = Backoff(
            hints: PushClient.BackoffHints(base: .seconds(1), factor: 2, max: .seconds(10), jitter: 0.5))
        #expect(backoff.failed(random: 0) == .milliseconds(500))
        #expect(backoff.failed(random: 0.5) == .milliseconds(1500))
    }

    @Test func `what the server asks for is the least`() {
        var backoff = Backoff(hints: hints)
        #expect(backoff.failed(floor: .seconds(5), random: 0.5) == .milliseconds(5500))
    }

    @Test func `hints out of reason are brought into it`() {
        let mad = PushClient.BackoffHints(
            base: .seconds(-1), factor: .infinity, max: .seconds(1_000_000), jitter: .nan)
        #expect(mad == PushClient.BackoffHints(base: .milliseconds(10), factor: 2, max: .seconds(600), jitter: 1))
        let still = PushClient.BackoffHints(base: .zero, factor: 0, max: .zero, jitter: 0)
        #expect(
            still == PushClient.BackoffHints(base: .milliseconds(10), factor: 1, max: .milliseconds(10), jitter: 0.1))
    }

    @Test func `many failures do not overflow`() {
        var backoff = Backoff(hints: hints)
        for _ in 0..<10_000 { _ = backoff.failed(random: 0.99) }
        #expect(backoff.failed(random: 1) == .seconds(10))
    }
}
