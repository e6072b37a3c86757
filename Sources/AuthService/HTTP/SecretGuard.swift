import Common
import HTTPSupport
import Synchronization

/// Slows down whoever tries secrets: by address and client, and by address alone.
final class SecretGuard: Sendable {
    private struct State {
        var byClient: FailureLimiter
        var byAddress: FailureLimiter
    }

    private let state: Mutex<State>
    private let now: @Sendable () -> ContinuousClock.Instant

    init(
        perClient: FailureLimiter.Configuration, perAddress: FailureLimiter.Configuration,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        state = Mutex(State(byClient: FailureLimiter(perClient), byAddress: FailureLimiter(perAddress)))
        self.now = now
    }

    /// - Throws: `rate_limited` while either count is full.
    func check(_ attempt: AuthenticationAttempt) throws(WindfireError) {
        let now = now()
        let verdicts = state.withLock { state in
            [
                state.byAddress.verdict(for: attempt.address, now: now),
                state.byClient.verdict(for: Self.subject(attempt), now: now),
            ]
        }
        for case .closed(let retryAfter) in verdicts {
            throw WindfireError(.rateLimited, "too many wrong credentials from this address", retryAfter: retryAfter)
        }
    }

    func failed(_ attempt: AuthenticationAttempt) {
        let now = now()
        state.withLock { state in
            state.byAddress.failed(attempt.address, now: now)
            state.byClient.failed(Self.subject(attempt), now: now)
        }
    }

    /// `|` is in no client id.
    private static func subject(_ attempt: AuthenticationAttempt) -> String {
        "\(attempt.address)|\(attempt.client?.text ?? "")"
    }
}
