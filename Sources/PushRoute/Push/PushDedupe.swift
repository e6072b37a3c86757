import Common
import Logging

/// Lets a push with a `dedupe_key` through once. The route store keeps the keys, so this holds over all PushRoutes; of
/// two calls at the same moment exactly one is the first.
struct PushDedupe: Sendable {
    /// A key of one caller. Names of API keys have no colon, so no two callers have the same.
    struct Key: Equatable, Sendable {
        let text: String

        init(owner: String, key: String) { text = "\(owner):\(key)" }
    }

    /// Seconds between tries to take a key back, about a minute in all.
    private static let pauses: [Duration] = [1, 2, 4, 8, 15, 30].map { .seconds($0) }

    let inboxes: any InboxStore
    let memory: Duration
    let logger: Logger

    /// - Returns: what an earlier call with this key became; nil when this is the first.
    /// - Throws: `routes_unavailable`. The key is taken back then, should it have been written.
    func enter(_ key: Key, as accepted: AcceptedPush) async throws(WindfireError) -> AcceptedPush? {
        let earlier: String?
        do throws(WindfireError) {
            earlier = try await inboxes.rememberPush(key: key.text, as: accepted.text, for: memory)
        } catch {
            takeBackLater(key, accepted)
            throw error
        }
        guard let earlier else { return nil }
        guard let push = AcceptedPush(earlier) else {
            throw WindfireError(.internalError, "a remembered push has not the form this version writes")
        }
        return push
    }

    /// The push was refused before anything was sent: the next call with this key is the first again.
    func takeBack(_ key: Key, _ accepted: AcceptedPush) async {
        // In a task of its own: the caller may be gone, and its request's task cancelled.
        await Task {
            do throws(WindfireError) {
                try await inboxes.forgetPush(key: key.text)
            } catch {
                takeBackLater(key, accepted)
            }
        }.value
    }

    /// While the store is away nobody knows what it remembers. A retry of the caller must not be answered with a push
    /// that nobody sent, so this goes on trying; if the process ends first, the key ends with its time.
    private func takeBackLater(_ key: Key, _ accepted: AcceptedPush) {
        Task {
            for pause in Self.pauses {
                do { try await Task.sleep(for: pause) } catch { return }
                do throws(WindfireError) {
                    // Ours is remembered again without harm; another call's is left alone.
                    let other = try await inboxes.rememberPush(key: key.text, as: accepted.text, for: memory)
                    if other == nil { try await inboxes.forgetPush(key: key.text) }
                    return
                } catch {
                    continue
                }
            }
            logger.notice("The key of a push that was refused could not be taken back")
        }
    }
}
