import Common
import Testing

@testable import PushServer

@Suite struct SharedPermissionsTests {
    private func permissions(_ pattern: String) -> Permissions { Permissions(publish: [pattern], subscribe: [pattern]) }

    @Test func equalPermissionsAreKeptOnce() {
        let pool = SharedPermissions()
        let first = pool.shared(permissions("room/+"))
        #expect(pool.shared(permissions("room/+")) === first)
        #expect(pool.shared(permissions("other")) != first)
    }

    @Test func permissionsThatAllDifferAreNotCollected() {
        let pool = SharedPermissions()
        let kept = pool.shared(permissions("user/0/#"))
        for number in 1...2_000 { #expect(pool.shared(permissions("user/\(number)/#")).send == false) }
        // The first one was forgotten meanwhile: the pool is bounded.
        let again = pool.shared(permissions("user/0/#"))
        #expect(again == kept && again !== kept)
    }
}
