// A whole push server in this process, on ports the system chooses, with every neighbour in memory.

import Common
import Foundation
import Logging
import NIOSSL
import NodeRPC
import ServiceLifecycle
import TestKit
import Testing

@testable import PushServer

/// The neighbours that nodes share.
struct Neighbours: Sendable {
    let registry = InMemoryRegistry(holdBack: .milliseconds(1))
    let routes: SwitchableRoutes
    let key: SigningKey
    let secret: SharedSecret
    /// Where nodes find the keys of tokens; `key` alone when nil.
    var keys: (any VerificationKeySource)?
    var logger = quiet

    init(limits: Limits = .default) throws {
        routes = SwitchableRoutes(limits: limits)
        key = try .generate(.es256, id: try #require(KeyID("k1")))
        secret = try SharedSecret("correct-horse-battery")
    }

    /// A token that ends so many seconds from now.
    func token(
        _ client: String, _ device: String = "phone", seconds: Int64 = 600, generation: UInt64 = 0, send: Bool = false,
        topics: [String] = [], audience: String = "windfire-push", by other: SigningKey? = nil
    ) throws -> String {
        let now = Int64(WallClock.milliseconds() / 1000)
        let claims = TokenClaims(
            client: try ClientID(client), device: try DeviceID(device), id: "j", generation: Generation(generation),
            issuedAt: min(now, now + seconds) - 1, expiresAt: now + seconds, node: nil,
            permissions: Permissions(publish: topics, subscribe: topics, send: send))
        return try TokenSigner(issuer: "windfire", audience: audience).sign(claims, with: other ?? key)
    }

    func routes(of client: String) async throws -> [Route] { try await routes.locate([ClientID(client)])[0] }

    /// Runs a node around `body`, and ends it whatever happens. At the end no connection and no session may be left.
    func withNode(
        _ name: String = "n1", _ change: (inout PushServerConfiguration) -> Void = { _ in },
        _ body: (RunningNode) async throws -> Void
    ) async throws {
        let node = try await start(name, change)
        do {
            try await body(node)
        } catch {
            await node.stop()
            throw error
        }
        await node.stop()
        let left = try await routes.announcedIncarnations()
        #expect(!left.contains(node.bound.incarnation), "a node that stopped is buried")
    }

    func configuration(_ name: String) throws -> PushServerConfiguration {
        var configuration = PushServerConfiguration(node: try NodeID(name))
        configuration.listen = HostPort(host: "127.0.0.1", port: 0)
        configuration.grpcListen = HostPort(host: "127.0.0.1", port: 0)
        configuration.opsListen = HostPort(host: "127.0.0.1", port: 0)
        configuration.threads = 2
        configuration.drainTime = .milliseconds(100)
        configuration.beat = .milliseconds(100)
        configuration.limits.heartbeatJitter = 0
        return configuration
    }

    func service(_ configuration: PushServerConfiguration) throws -> PushServerService {
        PushServerService(
            configuration: configuration, registry: registry, routes: routes,
            verifier: try JWTTokenVerifier(
                .init(issuer: "windfire"), keys: keys ?? SigningKeys(signer: key).verification,
                now: { Int64(WallClock.milliseconds() / 1000) }),
            caller: GRPCNodeCaller(secret: secret, logger: quiet), secret: secret, logger: logger)
    }

    func start(_ name: String, _ change: (inout PushServerConfiguration) -> Void) async throws -> RunningNode {
        var configuration = try configuration(name)
        change(&configuration)
        let service = try service(configuration)
        let group = ServiceGroup(services: [service], logger: quiet)
        let task = Task { try await group.run() }
        do {
            return RunningNode(neighbours: self, bound: try await service.bound, group: group, task: task)
        } catch {
            _ = await task.result
            throw error
        }
    }
}

let quiet = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

struct RunningNode: Sendable {
    let neighbours: Neighbours
    let bound: PushServerService.BoundAddresses
    let group: ServiceGroup
    let task: Task<Void, any Error>

    func stop() async {
        await group.triggerGracefulShutdown()
        _ = await task.result
    }

    func connect(
        reads: Bool = true, preface: [UInt8] = [], tls: NIOSSLContext? = nil
    ) async throws -> DeviceSocket {
        try await DeviceSocket(port: bound.devices, reads: reads, preface: preface, tls: tls)
    }

    /// A client of hotwheels, on Janus's own port or on the one of all protocols.
    func janus(onOwnPort: Bool = true, preface: [UInt8] = []) async throws -> JanusDevice {
        try await JanusDevice(port: onOwnPort ? try #require(bound.janus) : bound.devices, preface: preface)
    }

    /// A publisher of hotwheels: one message, and the server ends the connection.
    func janusPublish(_ data: String, to topic: String) async throws {
        let publisher = try await janus()
        try await publisher.publish(data, to: topic)
        try await publisher.end()
    }

    /// A device that has been welcomed.
    func login(
        _ client: String, _ device: String = "phone", send: Bool = false, preface: [UInt8] = [],
        tls: NIOSSLContext? = nil
    ) async throws -> DeviceSocket {
        let socket = try await connect(preface: preface, tls: tls)
        try await socket.open()
        try await socket.send(hello(neighbours.token(client, device, send: send)))
        try await socket.text(with: #""op":"welcome""#)
        return socket
    }

    /// A device that may publish and subscribe to these topics, and has been welcomed.
    func login(_ client: String, topics: [String]) async throws -> DeviceSocket {
        let socket = try await connect()
        try await socket.open()
        try await socket.send(hello(neighbours.token(client, topics: topics)))
        try await socket.text(with: #""op":"welcome""#)
        return socket
    }

    func hello(_ token: String) -> String { #"{"op":"hello","token":"\#(token)"}"# }

    /// One figure of `/metrics`, or 0 when it is not there yet.
    func figure(_ line: String) async throws -> Double {
        let answer = try await HTTPCall(url: "http://127.0.0.1:\(bound.ops)/metrics").answer().expect(200)
        let found = answer.text.split(separator: "\n").first { $0.hasPrefix(line + " ") }
        return found.flatMap { $0.split(separator: " ").last.flatMap { Double($0) } } ?? 0
    }

    func ended(_ reason: CloseReason) async throws -> Double {
        try await figure(#"windfire_sessions_ended_total{reason="\#(reason.name)"}"#)
    }

    func endedBeforeLogin(_ reason: CloseReason) async throws -> Double {
        try await figure(#"windfire_connections_ended_before_login_total{reason="\#(reason.name)"}"#)
    }

    /// The node dials its own device port once before it registers, and says nothing.
    func expectItsOwnProbeCounted() async throws {
        try await eventually("the node's own probe has ended") { try await endedBeforeLogin(.connectionLost) == 1 }
    }

    /// Waits until nobody is connected and no session is left.
    func expectNobody() async throws {
        try await eventually("no connection and no session is left") {
            let connections = try await figure("windfire_connections_open")
            let sessions = try await figure("windfire_sessions_online")
            return connections == 0 && sessions == 0
        }
    }

    var member: Member {
        get throws { try #require(neighbours.registry.members(.push).byID[bound.incarnation.node]) }
    }

    /// Calls the node as the other roles do.
    func deliver(_ data: String, to sessions: [SessionID], id: String = "m-1", key: String? = nil) async throws
        -> [DeliveryOutcome]
    {
        let caller = GRPCNodeCaller(secret: neighbours.secret, logger: quiet)
        return try await deliver(data, to: sessions, id: id, key: key, by: caller)
    }

    func deliver(
        _ data: String, to sessions: [SessionID], id: String, key: String? = nil, by caller: GRPCNodeCaller
    ) async throws -> [DeliveryOutcome] {
        try await caller.deliver(
            Delivery(
                message: try MessageID(id), timestampMilliseconds: 7, data: Array(data.utf8), sessions: sessions,
                collapseKey: key),
            to: member)
    }
}
