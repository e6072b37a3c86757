import AsyncHTTPClient
import Common
import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The keys of an issuer, fetched from its JWKS address and kept: verifiers read them without waiting.
///
/// - Fetched at the start, again every five minutes, and once more when a token names an unknown key, at most once a
///   minute for that reason, whatever anybody sends.
/// - While the source is away or answers nonsense, the last good set stays.
package final class RemoteKeySet: VerificationKeySource, Service {
    package struct Configuration: Sendable {
        package var url: String
        package var refresh: Duration = .seconds(300)
        /// How often unknown keys may cause a fetch.
        package var missingPause: Duration = .seconds(60)
        /// After a failed fetch; doubled each time up to `refresh`.
        package var retry: Duration = .seconds(1)
        package var timeout: TimeAmount = .seconds(5)
        /// Largest answer that is read. A key takes some 200 bytes, an RSA key some 500.
        package var bytesMax = 256 << 10

        package init(url: String) { self.url = url }
    }

    private struct State {
        var keys = VerificationKeys.none
        var isLoaded = false
        var missingAsked: ContinuousClock.Instant?
        var fetching: Task<VerificationKeys?, Never>?
    }

    private let configuration: Configuration
    private let client: HTTPClient
    private let logger: Logger
    private let now: @Sendable () -> ContinuousClock.Instant
    private let state = Mutex(State())

    package init(
        _ configuration: Configuration, client: HTTPClient = .shared, logger: Logger,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        self.configuration = configuration
        self.client = client
        self.logger = logger
        self.now = now
    }

    package var current: VerificationKeys { state.withLock { $0.keys } }

    /// For `/readyz`: nothing can be verified before the first fetch.
    package var readiness: ReadinessCheck {
        ReadinessCheck("keys") { [self] in
            state.withLock { $0.isLoaded } ? nil : "the key set at the issuer was not fetched yet"
        }
    }

    package func refreshed(missing id: KeyID) async -> VerificationKeys? {
        let task: Task<VerificationKeys?, Never>? = state.withLock { state in
            if let under = state.fetching { return under }
            let now = now()
            if let asked = state.missingAsked, now < asked + configuration.missingPause { return nil }
            state.missingAsked = now
            return begin(&state)
        }
        return await task?.value
    }

    /// Fetches now, or joins the fetch under way.
    /// - Returns: the new set; nil when it could not be had, and the old one stays.
    @discardableResult
    package func fetch() async -> VerificationKeys? {
        let task = state.withLock { state in state.fetching ?? begin(&state) }
        return await task.value
    }

    /// Refreshes until cancelled or shut down.
    package func run() async throws {
        await cancelWhenGracefulShutdown { [self] in
            var pause = configuration.retry
            while !Task.isCancelled {
                let succeeded = await fetch() != nil
                pause = succeeded ? configuration.refresh : min(pause * 2, configuration.refresh)
                // Spread, so that a fleet that started together does not ask together.
                try? await Task.sleep(for: pause * Double.random(in: 0.8...1.0))
                if succeeded { pause = configuration.retry }
            }
        }
    }

    private func begin(_ state: inout State) -> Task<VerificationKeys?, Never> {
        let task = Task { [self] in
            let fetched = await load()
            self.state.withLock { state in
                state.fetching = nil
                guard let fetched else { return }
                state.keys = fetched
                state.isLoaded = true
            }
            return fetched
        }
        state.fetching = task
        return task
    }

    private func load() async -> VerificationKeys? {
        do {
            var request = HTTPClientRequest(url: configuration.url)
            request.headers.add(name: "accept", value: "application/json")
            let response = try await client.execute(request, timeout: configuration.timeout)
            guard response.status == .ok else {
                throw WindfireError(.backendUnavailable, "the key set's address answered \(response.status.code)")
            }
            let body = try await response.body.collect(upTo: configuration.bytesMax)
            return try await VerificationKeys(jwks: Array(body.readableBytesView))
        } catch {
            logger.warning("Key set not fetched", metadata: [Logger.Metadata.Key.error: "\(error)"])
            return nil
        }
    }
}
