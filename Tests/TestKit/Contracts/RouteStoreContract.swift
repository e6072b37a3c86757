import Common
import Testing

/// Somewhere routes are kept. Each store it makes stands for a process of its own, looking at the same place as the
/// others of this harness. The place need not be empty: every promise uses names of its own.
package protocol RouteStoreHarness: Sendable {
    func makeStore(_ limits: Limits) async throws -> any RouteStore
}

/// What every route store promises, one case a promise. A suite runs them all:
///
///     @Test(arguments: RouteStoreContract.all) func contract(_ promise: RouteStoreContract) async throws {
///         try await promise.check(MyHarness())
///     }
package struct RouteStoreContract: Sendable, CustomTestStringConvertible {
    package let name: String
    private let body: @Sendable (any RouteStoreHarness, Cast) async throws -> Void

    package var testDescription: String { name }

    package func check(_ harness: any RouteStoreHarness) async throws { try await body(harness, Cast()) }

    init(_ name: String, _ body: @escaping @Sendable (any RouteStoreHarness, Cast) async throws -> Void) {
        self.name = name
        self.body = body
    }

    package static let all: [RouteStoreContract] = claims + endings + nodes + races

    /// The names one promise uses: nobody else's, so that promises can run side by side on one server.
    struct Cast: Sendable {
        let run = UInt64.random(in: .min ... .max)

        func client(_ name: String) -> ClientID { ClientID(unchecked: "\(name)-\(run.hex16)") }
        func incarnation(_ name: String, life: UInt64 = 1) -> Incarnation {
            Incarnation(node: NodeID(unchecked: "\(name)-\(run.hex16)"), life: life)
        }
        func session(_ number: UInt64) -> SessionID { SessionID(high: number, low: run) }

        func claim(
            _ client: String, _ device: String = "phone", on node: String = "n1", session number: UInt64,
            generation: Generation = .first
        ) -> RouteClaim {
            RouteClaim(
                client: self.client(client), device: DeviceID(unchecked: device), incarnation: incarnation(node),
                session: session(number), generation: generation)
        }
    }
}

extension RouteClaim {
    /// The route this claim makes when it is granted this epoch.
    func route(_ epoch: Epoch) -> Route {
        Route(device: device, incarnation: incarnation, session: session, epoch: epoch)
    }

    /// The same, with whose it is.
    func entry(_ epoch: Epoch) -> ClientRoute { ClientRoute(client: client, route: route(epoch)) }
}

extension RouteStore {
    /// Claims what nothing must stand in the way of, and gives the epoch.
    @discardableResult
    func grant(
        _ claim: RouteClaim, displacing expected: [Route] = [], _ location: SourceLocation = #_sourceLocation
    ) async throws -> Epoch {
        let result = try await self.claim(claim)
        guard case .granted(let epoch, let displaced, _) = result else {
            Issue.record("not granted but \(result)", sourceLocation: location)
            return .none
        }
        #expect(displaced == expected, sourceLocation: location)
        return epoch
    }

    /// The routes of one client, in the order of their epochs.
    func routes(of client: ClientID) async throws -> [Route] {
        try await locate([client])[0].sorted { $0.epoch < $1.epoch }
    }
}
