import Common

extension Member {
    /// A member with little in it, for tests.
    package static func sample(_ id: String, life: UInt64 = 1, weight: Int = 100) -> Member {
        Member(
            incarnation: Incarnation(node: NodeID(unchecked: id), life: life), weight: weight, capacity: 1000,
            endpoints: Endpoints(ws: "ws://127.0.0.1:1/v1/connect", grpc: "127.0.0.1:2"), version: "test",
            startedAt: 1_700_000_000)
    }
}
