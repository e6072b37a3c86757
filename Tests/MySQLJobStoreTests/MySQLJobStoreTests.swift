import TestKit
import Testing

extension OnOneServer {
    @Suite struct MySQLJobStoreTests {
        @Test(arguments: JobStoreContract.all)
        func contract(_ promise: JobStoreContract) async throws {
            try await withStores { try await promise.check($0) }
        }
    }
}
