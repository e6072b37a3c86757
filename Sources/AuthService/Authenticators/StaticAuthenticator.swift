import Common
import Crypto
import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Clients and secrets from a file, read again when it changes.
///
/// scrypt is slow on purpose, so it runs on threads of its own and never on those that serve requests, with a bounded
/// queue. A secret that was right is remembered for ten minutes (as an HMAC under a key that lives only in this
/// process), so that a storm of reconnects does not cost a scrypt each.
package final class StaticAuthenticator: Authenticator {
    package let name = "static"

    private static let rememberedFor: Duration = .seconds(600)
    private static let rememberedMax = 50_000
    /// Checks waiting for a thread; at 40 ms and two threads, five seconds' worth.
    private static let waitingMax = 256

    private struct State {
        var file: ClientFile
        var remembered: [[UInt8]: ContinuousClock.Instant] = [:]
        var waiting = 0
    }

    private let path: String?
    private let state: Mutex<State>
    private let threads: NIOThreadPool
    private let processKey = SymmetricKey(size: .bits256)
    /// What an unknown client is checked against, so that it costs what a known one does.
    private let nobody: SecretHash
    private let now: @Sendable () -> ContinuousClock.Instant

    package init(
        _ file: ClientFile, path: String? = nil, threads: NIOThreadPool = .singleton,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) throws(WindfireError) {
        self.path = path
        self.threads = threads
        self.now = now
        state = Mutex(State(file: file))
        let cost = file.entries.values.first?.hash.cost ?? SecretHash.costDefault
        nobody = try SecretHash(
            secret: "", salt: (0..<16).map { _ in .random(in: .min ... .max) }, cost: cost)
    }

    package func recognises(_ attempt: AuthenticationAttempt) -> Bool { attempt.secret != nil && attempt.client != nil }

    package func authenticate(_ attempt: AuthenticationAttempt) async throws(WindfireError) -> AuthenticatedClient {
        guard let client = attempt.client, let secret = attempt.secret,
            secret.utf8.count <= SecretHash.secretBytesMax
        else { throw .credentialsRefused() }
        let entry = state.withLock { $0.file.entries[client] }
        let hash = entry?.hash ?? nobody
        let proof = proof(of: secret, against: hash)
        let now = now()
        if let entry, state.withLock({ $0.remembered[proof].map { now < $0 } ?? false }) {
            return AuthenticatedClient(client: client, permissions: entry.permissions)
        }
        guard try await check(secret, against: hash), let entry else { throw .credentialsRefused() }
        state.withLock { state in
            if state.remembered.count >= Self.rememberedMax { state.remembered.removeAll(keepingCapacity: true) }
            state.remembered[proof] = now + Self.rememberedFor
        }
        return AuthenticatedClient(client: client, permissions: entry.permissions)
    }

    /// Takes a new reading of the file. What was remembered is bound to the hash it was checked against, so a changed
    /// secret is asked for again.
    package func replace(with file: ClientFile) { state.withLock { $0.file = file } }

    /// Reads the file again whenever it changes, until cancelled. A file that cannot be read changes nothing.
    func watch(every interval: Duration, logger: Logger) async {
        guard let path else { return }
        var seen = ConfiguredFile.stamp(path)
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            let stamp = ConfiguredFile.stamp(path)
            guard stamp != seen else { continue }
            seen = stamp
            do {
                let file = try ClientFile(path: path)
                replace(with: file)
                logger.notice("Client file read", metadata: [Logger.Metadata.Key.count: "\(file.entries.count)"])
            } catch {
                logger.error("Client file not read", metadata: [Logger.Metadata.Key.error: "\(error)"])
            }
        }
    }

    private func check(_ secret: String, against hash: SecretHash) async throws(WindfireError) -> Bool {
        let isFull = state.withLock { state in
            guard state.waiting < Self.waitingMax else { return true }
            state.waiting += 1
            return false
        }
        guard !isFull else {
            throw WindfireError(.rateLimited, "too many secrets are being checked", retryAfter: .seconds(5))
        }
        defer { state.withLock { $0.waiting -= 1 } }
        do {
            return try await threads.runIfActive { hash.matches(secret) }
        } catch {
            throw WindfireError(.notReady, "the service is stopping", cause: error)
        }
    }

    private func proof(of secret: String, against hash: SecretHash) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: Array("\(hash)|\(secret)".utf8), using: processKey))
    }
}
