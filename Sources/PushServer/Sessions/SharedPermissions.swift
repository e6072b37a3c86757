import Common
import Synchronization

/// Equal permissions of many sessions, kept once. Nearly all tokens of an application allow the same, and the lists of
/// patterns would otherwise be an idle session's largest part after its channel.
final class SharedPermissions: Sendable {
    /// Patterns that name their client make every token's permissions different: then there is nothing to share, and
    /// the set must not grow with the clients.
    private static let countMax = 1_024

    private let known = Mutex<Set<Permissions>>([])

    /// The same permissions, in storage that others use too.
    func shared(_ permissions: Permissions) -> Permissions {
        known.withLock { known in
            if let same = known.firstIndex(of: permissions) { return known[same] }
            if known.count >= Self.countMax { known.removeAll(keepingCapacity: true) }
            known.insert(permissions)
            return permissions
        }
    }
}
