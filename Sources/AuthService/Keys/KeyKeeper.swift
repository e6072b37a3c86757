import Common
import Logging
import Synchronization

/// Holds the signing keys in force, and reads their files again when they change. What that means is decided by
/// `KeyRotation`; this acts.
///
/// To rotate: put the new key's file after the present one (published, does not sign), wait for the verifiers' refresh
/// of five minutes, then put it first. Remove the old file an hour later, or at once if no process restarts meanwhile:
/// a running one goes on publishing it until its last token has expired. Whoever puts a new key first at once is
/// forgiven: it signs when it has been published long enough.
package final class KeyKeeper: VerificationKeySource, Sendable {
    private struct State {
        var rotation: KeyRotation
        var inForce: SigningKeys
        var stamp: [String: ConfiguredFile.Stamp]?
    }

    private let files: KeyFiles?
    private let state: Mutex<State>
    private let logger: Logger
    /// Unix seconds.
    private let now: @Sendable () -> Int64

    /// - Parameter files: nil for keys that exist in memory only.
    init(
        _ keys: [SigningKey], files: KeyFiles?, timing: KeyRotation.Timing, logger: Logger,
        now: @escaping @Sendable () -> Int64
    ) throws(WindfireError) {
        self.files = files
        self.logger = logger
        self.now = now
        let start = now()
        var rotation = try KeyRotation(keys, timing: timing, now: start)
        let inForce = rotation.keys(now: start)
        state = Mutex(State(rotation: rotation, inForce: inForce, stamp: files?.stamp()))
    }

    package var signing: SigningKeys { state.withLock { $0.inForce } }

    package var current: VerificationKeys { signing.verification }

    package func refreshed(missing id: KeyID) async -> VerificationKeys? { nil }

    /// Reads the files now, as on SIGHUP. A reading that is not valid changes nothing.
    package func reload() throws(WindfireError) {
        guard let files else { return }
        let stamp = files.stamp()
        let keys = try files.load()
        try apply(keys, stamp: stamp)
    }

    /// Lets time pass: a lead may be over, a retention too.
    func tick() {
        let now = now()
        state.withLock { state in
            let previous = state.inForce
            let next = state.rotation.keys(now: now)
            guard next.signer.id != previous.signer.id || next.published.map(\.id) != previous.published.map(\.id)
            else { return }
            state.inForce = next
        }
    }

    /// Watches the files until cancelled.
    func watch(every interval: Duration) async {
        while !Task.isCancelled {
            try? await Task.sleep(for: interval)
            guard !Task.isCancelled else { return }
            look()
            tick()
        }
    }

    /// Reloads if a file has changed. A file that is half written fails to parse and is read again at the next look.
    func look() {
        guard let files, let stamp = files.stamp(), stamp != state.withLock({ $0.stamp }) else { return }
        do {
            try reload()
            let keys = signing
            logger.notice(
                "Signing keys read",
                metadata: [
                    Logger.Metadata.Key.count: "\(keys.published.count)", "signer": "\(keys.signer.id)",
                ])
        } catch {
            logger.error("Signing keys not read", metadata: [Logger.Metadata.Key.error: "\(error)"])
        }
    }

    private func apply(_ keys: [SigningKey], stamp: [String: ConfiguredFile.Stamp]?) throws(WindfireError) {
        let now = now()
        let result: Result<Void, WindfireError> = state.withLock { state in
            do throws(WindfireError) {
                try state.rotation.loaded(keys, now: now)
            } catch {
                return .failure(error)
            }
            state.inForce = state.rotation.keys(now: now)
            state.stamp = stamp
            return .success(())
        }
        try result.get()
    }
}
