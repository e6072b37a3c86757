import Common
import Testing

@testable import PushServer

@Suite struct SharedPermissionsTests {
    /// Where an array keeps its elements: equal only for arrays that share them.
    private func storage(_ permissions: Permissions) -> UnsafeRawPointer? {
        permissions.subscribe.withUnsafeBytes { $0.baseAddress }
    }

    private func permissions(_ pattern: String) -> Permissions { Permissions(publish: [pattern], subscribe: [pattern]) }

    @Test func equalPermissionsAreKeptOnce() {
        let pool = SharedPermissions()
        let first = pool.shared(permissions("room/+"))
        let second = pool.shared(permissions("room/+"))
        #expect(first == second && storage(first) == storage(second))
        #expect(pool.shared(permissions("other")) == permissions("other"))
    }

    @Test func permissionsThatAllDifferAreNotCollected() {
        let pool = SharedPermissions()
        let kept = pool.shared(permissions("user/0/#"))
        for number in 1...2_000 { #expect(pool.shared(permissions("user/\(number)/#")).send == false) }
        // The first one was forgotten meanwhile: the pool is bounded.
        #expect(storage(pool.shared(permissions("user/0/#"))) != storage(kept))
    }
}
