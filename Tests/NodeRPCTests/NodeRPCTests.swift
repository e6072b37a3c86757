import Common
import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Logging
import NodeRPC
import ServiceLifecycle
import Testing

/// Real sockets on loopback, both ends ours.
@Suite struct NodeRPCTests {
    @Test func everythingOfADeliveryArrivesAndTheOutcomesComeBackInOrder() async throws {
        let sessions = makeSessions(3)
        let node = try RecordingNode { session in
            session == sessions[1] ? .gone : session == sessions[2] ? .refused : .written
        }
        let delivery = try makeDelivery(sessions)
        let outcomes = try await withServer(of: node) { member in
            try await GRPCNodeCaller(secret: try makeSecret(), logger: quiet).deliver(delivery, to: member)
        }
        #expect(outcomes == [.written, .gone, .refused])
        #expect(node.deliveries == [delivery])
    }

    @Test func absentFieldsStayAbsent() async throws {
        let node = try RecordingNode()
        let delivery = Delivery(
            message: try MessageID("1"), timestampMilliseconds: 0, data: Array("null".utf8), sessions: [])
        let outcomes = try await withServer(of: node) { member in
            try await GRPCNodeCaller(secret: try makeSecret(), logger: quiet)
                .deliver(delivery.with(makeSessions(1)), to: member)
        }
        #expect(outcomes == [.written])
        #expect(node.deliveries == [delivery.with(makeSessions(1))])
    }

    @Test func kickNamesItsReasonAndAnswersHowMany() async throws {
        let node = try RecordingNode()
        let closed = try await withServer(of: node) { member in
            try await GRPCNodeCaller(secret: try makeSecret(), logger: quiet)
                .kick(makeSessions(2), for: .replaced, on: member)
        }
        #expect(closed == 2)
        #expect(node.kicks.map(\.sessions) == [makeSessions(2)])
        #expect(node.kicks.map(\.reason) == [.replaced])
    }

    @Test func fiftyThousandSessionsAndALargePayloadTravelInOneCall() async throws {
        let node = try RecordingNode()
        let sessions = makeSessions(50_000)
        let payload = "\"" + String(repeating: "x", count: (256 << 10) - 2) + "\""
        let delivery = try makeDelivery(sessions, data: payload)
        let outcomes = try await withServer(of: node) { member in
            try await GRPCNodeCaller(secret: try makeSecret(), logger: quiet).deliver(delivery, to: member)
        }
        #expect(outcomes.count == 50_000)
        #expect(outcomes.allSatisfy { $0 == .written })
        #expect(node.deliveries == [delivery])
    }

    @Test func aLongerListIsCutAndItsOutcomesStayInOrder() async throws {
        var limits = Limits.default
        limits.sessionsPerDeliverMax = 10
        let node = try RecordingNode { $0.low.isMultiple(of: 3) ? .gone : .written }
        let sessions = makeSessions(25)
        var configuration = GRPCNodeCaller.Configuration()
        configuration.limits = limits
        let caller = GRPCNodeCaller(secret: try makeSecret(), configuration: configuration, logger: quiet)
        let outcomes = try await withServer(of: node, limits: limits) { member in
            let outcomes = try await caller.deliver(try makeDelivery(sessions), to: member)
            #expect(try await caller.kick(sessions, for: .kicked, on: member) == 25)
            return outcomes
        }
        #expect(outcomes == sessions.map { $0.low.isMultiple(of: 3) ? .gone : .written })
        #expect(node.deliveries.map(\.sessions.count) == [10, 10, 5])
        #expect(node.kicks.map(\.sessions.count) == [10, 10, 5])
    }

    @Test func manyCallsAtOnceShareOneConnection() async throws {
        let node = try RecordingNode()
        let caller = GRPCNodeCaller(secret: try makeSecret(), logger: quiet)
        try await withServer(of: node) { member in
            try await withThrowingTaskGroup(of: Int.self) { group in
                for count in 1...100 {
                    group.addTask {
                        try await caller.deliver(try makeDelivery(makeSessions(count)), to: member).count
                    }
                }
                let counts = try await group.reduce(into: []) { $0.append($1) }
                #expect(counts.sorted() == Array(1...100))
            }
            #expect(caller.connectionCount == 1)
        }
    }

    // Who may call.

    @Test(arguments: [
        nil, "", "Bearer ", "Bearer wrong-secret-of-some-length", "correct-horse-battery",
        "bearer correct-horse-battery", "Bearer correct-horse-batter", "Bearer correct-horse-battery ",
    ])
    func withoutTheSecretACallerGetsNothingAndTheNodeIsNotAsked(_ credentials: String?) async throws {
        let node = try RecordingNode()
        let code = try await withServer(of: node) { member in
            var metadata = Metadata()
            if let credentials { metadata.addString(credentials, forKey: "authorization") }
            return try await rawKick(member, metadata: metadata)
        }
        #expect(code == .unauthenticated)
        #expect(node.kicks.isEmpty)
    }

    @Test func twoSecretsAreNone() async throws {
        let node = try RecordingNode()
        let code = try await withServer(of: node) { member in
            var metadata = Metadata()
            metadata.addString("Bearer correct-horse-battery", forKey: "authorization")
            metadata.addString("Bearer another", forKey: "authorization")
            return try await rawKick(member, metadata: metadata)
        }
        #expect(code == .unauthenticated)
        #expect(node.kicks.isEmpty)
    }

    @Test func theRightSecretByHandIsTaken() async throws {
        let node = try RecordingNode()
        let code = try await withServer(of: node) { member in
            try await rawKick(member, metadata: ["authorization": "Bearer correct-horse-battery"])
        }
        #expect(code == nil)
        #expect(node.kicks.count == 1)
    }

    @Test func aCallerWithAnotherSecretIsToldThatTheNodeRefuses() async throws {
        let node = try RecordingNode()
        let caller = GRPCNodeCaller(secret: try makeSecret("another"), logger: quiet)
        await #expect(throws: WindfireError(.nodeUnavailable, "the node refuses the shared secret")) {
            try await withServer(of: node) { member in
                try await caller.deliver(try makeDelivery(makeSessions(1)), to: member)
            }
        }
        #expect(node.deliveries.isEmpty)
    }

    @Test func secretsAreNeverShownAndMustFitAHeader() throws {
        #expect("\(try makeSecret())" == "***")
        for bad in ["", "with space", "läck", "new\nline", String(repeating: "x", count: 1025)] {
            #expect(throws: WindfireError.self) { try SharedSecret(bad) }
        }
    }

    // What may be said.

    @Test func anotherIncarnationIsNotFound() async throws {
        let node = try RecordingNode(life: 2)
        await #expect(throws: WindfireError(.notFound, "the node is another incarnation now")) {
            try await withServer(of: node) { member in
                let old = Incarnation(node: member.id, life: 1)
                return try await GRPCNodeCaller(secret: try makeSecret(), logger: quiet)
                    .deliver(
                        try makeDelivery(makeSessions(1)),
                        to: makeMember(old, at: try #require(member.endpoints.grpc)))
            }
        }
        #expect(node.deliveries.isEmpty)
    }

    @Test(arguments: [
        Malformed("half a session") { $0.sessions.removeLast() },
        Malformed("too many sessions") { $0.sessions = .init(count: 16 * 50_001) },
        Malformed("payload over the limit") { $0.data = .init(count: 256 << 10 | 1) },
        Malformed("places for other sessions") { $0.places = .init(count: 3 * 32) },
        Malformed("no message id") { $0.messageID = "" },
        Malformed("sender that is no client id") { $0.from = "a|b" },
    ])
    func malformedDeliveriesAreInvalidArguments(_ malformed: Malformed) async throws {
        let node = try RecordingNode()
        let code = try await withServer(of: node) { member in
            var request = Windfire_Node_V1_DeliverRequest()
            request.incarnation = member.incarnation.description
            request.messageID = "1"
            request.data = .init("1".utf8)
            request.sessions = .init(count: 32)
            malformed.spoil(&request)
            let immutable = request
            return try await rawCode(member) { stub in
                _ = try await stub.deliver(immutable, metadata: ["authorization": "Bearer correct-horse-battery"])
            }
        }
        #expect(code == .invalidArgument)
        #expect(node.deliveries.isEmpty)
    }

    @Test func aReasonOutsideTheTableIsAnInvalidArgument() async throws {
        let node = try RecordingNode()
        for reason: UInt32 in [0, 4999, 70_000] {
            let code = try await withServer(of: node) { member in
                try await rawKick(
                    member, metadata: ["authorization": "Bearer correct-horse-battery"], reason: reason)
            }
            #expect(code == .invalidArgument)
        }
        #expect(node.kicks.isEmpty)
    }
}

struct Malformed: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let spoil: @Sendable (inout Windfire_Node_V1_DeliverRequest) -> Void

    init(_ name: String, _ spoil: @escaping @Sendable (inout Windfire_Node_V1_DeliverRequest) -> Void) {
        testDescription = name
        self.spoil = spoil
    }
}

extension Delivery {
    fileprivate func with(_ sessions: [SessionID]) -> Delivery {
        var copy = self
        copy.sessions = sessions
        return copy
    }
}

/// A call by a bare gRPC client, without our caller's interceptor: the code of its failure, nil when it succeeded.
private func rawCode(
    _ member: Member,
    _ call: @Sendable (Windfire_Node_V1_Node.Client<HTTP2ClientTransport.Posix>) async throws -> Void
) async throws -> RPCError.Code? {
    let address = try #require(member.endpoints.grpc.flatMap(HostPort.init))
    let transport = try HTTP2ClientTransport.Posix(
        target: .ipv4(address: address.host, port: address.port), transportSecurity: .plaintext)
    return try await withGRPCClient(transport: transport) { client in
        do {
            try await call(Windfire_Node_V1_Node.Client(wrapping: client))
            return nil
        } catch let error as RPCError {
            return error.code
        }
    }
}

private func rawKick(
    _ member: Member, metadata: Metadata, reason: UInt32 = UInt32(CloseReason.kicked.number)
) async throws -> RPCError.Code? {
    try await rawCode(member) { stub in
        let request = Windfire_Node_V1_KickRequest.with {
            $0.incarnation = member.incarnation.description
            $0.sessions = .init(count: 16)
            $0.reason = reason
        }
        _ = try await stub.kick(request, metadata: metadata)
    }
}
