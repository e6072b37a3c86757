import Common
import Testing

/// Somewhere to register. Each registry it makes stands for a process of its own, looking at the same place as the
/// others of this harness; it is connected, or will be. The place is empty at first.
package protocol RegistryHarness: Sendable {
    func makeRegistry() async throws -> any Registry
}

/// What every registry promises, one case a promise. A suite runs them all:
///
///     @Test(arguments: RegistryContract.all) func contract(_ promise: RegistryContract) async throws {
///         try await promise.check(MyHarness(holdBack: promise.holdBack))
///     }
package struct RegistryContract: Sendable, CustomTestStringConvertible {
    package let name: String
    /// The hold-back of the more-than-half rule the harness shall set: short, where a promise is not about it.
    package let holdBack: Duration
    private let body: @Sendable (any RegistryHarness) async throws -> Void

    package var testDescription: String { name }

    package func check(_ harness: any RegistryHarness) async throws { try await body(harness) }

    private init(
        _ name: String, holdBack: Duration = .milliseconds(50),
        _ body: @escaping @Sendable (any RegistryHarness) async throws -> Void
    ) {
        self.name = name
        self.holdBack = holdBack
        self.body = body
    }

    package static let all: [RegistryContract] = [
        RegistryContract("an empty registry is known to be empty, for every role") { harness in
            let registry = try await harness.makeRegistry()
            for role in Member.Role.allCases {
                try await eventually("\(role) is known") { registry.members(role).isKnown }
                #expect(registry.members(role) == Members([]))
            }
        },

        RegistryContract("who registers is seen by another process, with all that was said") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            let member = Member(
                incarnation: .new(of: NodeID(unchecked: "n-1.x_Y")), state: .draining, weight: 0, capacity: 20_000,
                zone: "zürich/a",
                endpoints: Endpoints(ws: "wss://a/", mqtt: "b:1", stomp: "c", janus: "d", grpc: "e:2"),
                version: "1.2.3", startedAt: .max)
            try await one.register(member, as: .push)
            try await eventually("it is seen") { other.members(.push) == Members([member]) }
        },

        RegistryContract("roles are apart, also under one node id") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            let (push, route) = (Member.sample("n1", life: 1), Member.sample("n1", life: 2))
            try await one.register(push, as: .push)
            try await one.register(route, as: .route)
            try await eventually("both are seen") {
                other.members(.push) == Members([push]) && other.members(.route) == Members([route])
            }
        },

        RegistryContract("an update replaces what the entry says") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            var member = Member.sample("n1")
            try await one.register(member, as: .push)
            for weight in 1...20 {
                member.weight = weight
                try await one.update(member, as: .push)
            }
            member.state = .draining
            try await one.update(member, as: .push)
            try await eventually("the last update is seen") { other.members(.push) == Members([member]) }
        },

        RegistryContract("updating what was never registered says not_found") { harness in
            let registry = try await harness.makeRegistry()
            let error = await #expect(throws: WindfireError.self) {
                try await registry.update(.sample("n1"), as: .push)
            }
            #expect(error?.code == .notFound)
        },

        RegistryContract("who withdraws is gone; withdrawing again, or what never was, is fine") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            let members = [Member.sample("n1"), .sample("n2"), .sample("n3")]
            for member in members { try await one.register(member, as: .push) }
            try await eventually("all are seen") { other.members(.push) == Members(members) }
            try await one.withdraw(members[0].id, as: .push)
            try await eventually("it is gone") { other.members(.push) == Members(Array(members.dropFirst())) }
            try await one.withdraw(members[0].id, as: .push)
            try await one.withdraw(NodeID(unchecked: "never"), as: .route)
            try await one.register(members[0], as: .push)
            try await eventually("it is back") { other.members(.push) == Members(members) }
        },

        RegistryContract("registering again under the same incarnation is an update") { harness in
            let registry = try await harness.makeRegistry()
            try await registry.register(.sample("n1", weight: 1), as: .push)
            try await registry.register(.sample("n1", weight: 2), as: .push)
            try await eventually("the second one counts") {
                registry.members(.push) == Members([.sample("n1", weight: 2)])
            }
        },

        RegistryContract("a second process with the same node id is refused, by name, and harms nothing") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            let (first, second) = (Member.sample("n1", life: 0xA), Member.sample("n1", life: 0xB))
            try await one.register(first, as: .push)
            let error = await #expect(throws: WindfireError.self) { try await other.register(second, as: .push) }
            #expect(error?.code == .nodeIDTaken)
            #expect(error?.message.contains(first.incarnation.description) == true)
            try await eventually("the first one stands") { other.members(.push) == Members([first]) }
        },

        RegistryContract("a node id is free again after its holder withdrew") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            let (first, second) = (Member.sample("n1", life: 1), Member.sample("n1", life: 2))
            try await one.register(first, as: .push)
            try await one.withdraw(first.id, as: .push)
            try await other.register(second, as: .push)
            try await eventually("the second one stands") { one.members(.push) == Members([second]) }
        },

        RegistryContract("the stream begins with the list now, and ends at the newest") { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            var member = Member.sample("n1")
            try await one.register(member, as: .push)
            try await eventually("it is seen") { !other.members(.push).byID.isEmpty }
            var lists = other.changes(.push).makeAsyncIterator()
            #expect(await lists.next() == Members([member]))
            for weight in 1...30 {
                member.weight = weight
                try await one.update(member, as: .push)
            }
            // Nobody reads meanwhile: what waits is the newest list alone.
            try await eventually("the last update is known") { other.members(.push) == Members([member]) }
            #expect(await lists.next() == Members([member]))
        },

        RegistryContract(
            "losing more than half at once is held back, and believed after the time",
            holdBack: .seconds(2)
        ) { harness in
            let (one, other) = (try await harness.makeRegistry(), try await harness.makeRegistry())
            let members = (1...3).map { Member.sample("n\($0)") }
            for member in members { try await one.register(member, as: .push) }
            try await eventually("all are seen") { other.members(.push) == Members(members) }
            let start = ContinuousClock.now
            // One of three is believed, two of the remaining two are not.
            for member in members { try await one.withdraw(member.id, as: .push) }
            try await eventually(within: .seconds(30), "none is left", poll: .milliseconds(5)) {
                let known = other.members(.push).byID.count
                if start.duration(to: .now) < .milliseconds(1900) { #expect(known > 0) }
                return known == 0
            }
            #expect(start.duration(to: .now) >= .seconds(2))
        },

        RegistryContract("the state says connected, at once to who asks later") { harness in
            let registry = try await harness.makeRegistry()
            var states = registry.stateChanges().makeAsyncIterator()
            while let state = await states.next(), !state.isConnected { #expect(state == .connecting) }
            #expect(registry.state == .connected(afterExpiry: false))
            var later = registry.stateChanges().makeAsyncIterator()
            #expect(await later.next() == .connected(afterExpiry: false))
        },
    ]
}
