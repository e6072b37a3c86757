import Common
import PushCore
import Synchronization

/// Equal permissions of many sessions, kept once. Nearly all tokens of an application allow the same, and the lists of
/// patterns would otherwise be an idle session's largest part after its channel.
final class SharedPermissions: Sendable {
    /// Patterns that name their client make every token's permissions different: then there is nothing to share, and
    /// the table must not grow with the clients.
    private static let countMax = 1_024

    private let known = Mutex<[Permissions: SessionPermissions]>([:])

    /// What a token's permissions mean, in storage that other sessions use too.
    func shared(_ permissions: Permissions) -> SessionPermissions {
        known.withLock { known in
            if let same = known[permissions] { return same }
            if known.count >= Self.countMax { known.removeAll(keepingCapacity: true) }
            let made = SessionPermissions(permissions)
            known[permissions] = made
            return made
        }
    }
}
