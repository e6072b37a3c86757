import Common
import Foundation
import NIOCore
import NIOPosix
import NodeRPC
import Testing

/// Nodes that are not there, not listening, or leaving.
@Suite struct NodeFailureTests {
    private func makeCaller(deadline: Duration) throws -> GRPCNodeCaller {
        var configuration = GRPCNodeCaller.Configuration()
        configuration.deadline = deadline
        return GRPCNodeCaller(secret: try makeSecret(), configuration: configuration, logger: quiet)
    }

    @Test func whereNobodyListensTheCallFailsWithinItsDeadline() async throws {
        // A port that was free a moment ago: bound, read, and closed again.
        let holder = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(holder.localAddress?.port)
        try await holder.close()

        let member = makeMember(try RecordingNode().incarnation, at: "127.0.0.1:\(port)")
        let caller = try makeCaller(deadline: .seconds(5))
        let start = ContinuousClock.now
        let error = await #expect(throws: WindfireError.self) {
            try await caller.deliver(try makeDelivery(makeSessions(1)), to: member)
        }
        #expect(error?.code == .nodeUnavailable)
        #expect(start.duration(to: .now) < .seconds(6))
    }

    @Test func whereSomethingAcceptsAndNeverAnswersTheDeadlineHolds() async throws {
        // The kernel accepts into the backlog; nobody ever reads.
        let silent = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .serverChannelOption(.autoRead, value: false)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(silent.localAddress?.port)
        let member = makeMember(try RecordingNode().incarnation, at: "127.0.0.1:\(port)")
        let caller = try makeCaller(deadline: .milliseconds(300))
        let start = ContinuousClock.now
        await #expect(throws: WindfireError(.nodeUnavailable, "the node did not answer in time")) {
            try await caller.deliver(try makeDelivery(makeSessions(1)), to: member)
        }
        let elapsed = start.duration(to: .now)
        #expect(elapsed >= .milliseconds(300))
        #expect(elapsed < .seconds(3))
        try await silent.close()
    }

    @Test func aNodeThatReturnsOnItsAddressIsReachedAgain() async throws {
        let node = try RecordingNode()
        let caller = try makeCaller(deadline: .seconds(5))
        let member = try await withServer(of: node) { member in
            _ = try await caller.deliver(try makeDelivery(makeSessions(1)), to: member)
            return member
        }
        let again = try NodeRPCServer(
            service: node, bind: try #require(member.endpoints.grpc.flatMap(HostPort.init)), secret: makeSecret(),
            logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await again.run() }
            _ = try await again.boundAddress
            var outcomes: [DeliveryOutcome] = []
            let giveUp = ContinuousClock.now + .seconds(10)
            while outcomes.isEmpty, ContinuousClock.now < giveUp {
                outcomes = (try? await caller.deliver(try makeDelivery(makeSessions(1)), to: member)) ?? []
            }
            #expect(outcomes == [.written])
            group.cancelAll()
        }
    }

    @Test(arguments: ["nonsense", "127.0.0.1", "127.0.0.1:99999", ":1", "a:b:1", ""])
    func anEndpointThatIsNoAddressIsUnavailable(_ endpoint: String) async throws {
        let member = makeMember(try RecordingNode().incarnation, at: endpoint)
        let caller = try makeCaller(deadline: .seconds(1))
        let error = await #expect(throws: WindfireError.self) {
            try await caller.kick(makeSessions(1), for: .kicked, on: member)
        }
        #expect(error?.code == .nodeUnavailable)
    }

    @Test func aMemberWithoutEndpointIsUnavailable() async throws {
        var member = makeMember(try RecordingNode().incarnation, at: "")
        member.endpoints.grpc = nil
        let immutable = member
        let caller = try makeCaller(deadline: .seconds(1))
        await #expect(throws: WindfireError(.nodeUnavailable, "the node announces no gRPC endpoint")) {
            try await caller.deliver(try makeDelivery(makeSessions(1)), to: immutable)
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        let node = try RecordingNode()
        try await withServer(of: node) { member in
            let address = try #require(member.endpoints.grpc.flatMap(HostPort.init))
            let second = try NodeRPCServer(service: node, bind: address, secret: makeSecret(), logger: quiet)
            await #expect(throws: WindfireError(.addressInUse, "another process listens on \(address)")) {
                try await second.run()
            }
        }
    }

    @Test(arguments: ["example.org", "1.2.3", ""])
    func aBindAddressThatIsNoneIsAConfigurationError(_ host: String) async throws {
        let error = #expect(throws: WindfireError.self) {
            try NodeRPCServer(
                service: try RecordingNode(), bind: HostPort(host: host, port: 80), secret: makeSecret(), logger: quiet)
        }
        #expect(error?.code == .configurationInvalid)
    }
}
