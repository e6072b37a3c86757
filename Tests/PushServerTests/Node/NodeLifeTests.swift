import Common
import Foundation
import TestKit
import Testing

@testable import PushServer

/// A node's start, its troubles with its neighbours, and its end.
@Suite struct NodeLifeTests {
    @Test func theOperatorsPortTellsHowItIs() async throws {
        try await Neighbours().withNode { node in
            for path in ["healthz", "readyz"] {
                _ = try await HTTPCall(url: "http://127.0.0.1:\(node.bound.ops)/\(path)").answer().expect(200)
            }
            let device = try await node.login("alice")
            try await eventually("one session online") { try await node.figure("windfire_sessions_online") == 1 }
            #expect(try await node.figure("windfire_logins_total") == 1)
            try await device.close()
            try await node.expectNobody()
            node.neighbours.routes.goAway()
            try await eventually("not ready without the store") {
                try await HTTPCall(url: "http://127.0.0.1:\(node.bound.ops)/readyz").answer().status == 503
            }
            node.neighbours.routes.comeBack()
            try await eventually("ready again") {
                try await HTTPCall(url: "http://127.0.0.1:\(node.bound.ops)/readyz").answer().status == 200
            }
        }
    }

    @Test func aPortInUseIsNamed() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            let changes: [(inout PushServerConfiguration) -> Void] = [
                { $0.listen = HostPort(host: "127.0.0.1", port: node.bound.devices) },
                { $0.grpcListen = HostPort(host: "127.0.0.1", port: node.bound.grpc) },
                { $0.opsListen = HostPort(host: "127.0.0.1", port: node.bound.ops) },
            ]
            for change in changes {
                var configuration = try neighbours.configuration("n2")
                change(&configuration)
                let service = try neighbours.service(configuration)
                let error = await #expect(throws: WindfireError.self) { try await service.run() }
                #expect(error?.code == .addressInUse)
                #expect(neighbours.registry.members(.push).byID[configuration.node] == nil)
            }
        }
    }

    @Test func anAddressThatCannotBeReachedRefusesTheStart() async throws {
        let neighbours = try Neighbours()
        for key in ["push.advertise-ws", "push.advertise-grpc"] {
            var configuration = try neighbours.configuration("n1")
            let port = try FreePorts.one()
            if key == "push.advertise-ws" {
                configuration.advertisedWebSocket = "ws://127.0.0.1:\(port)/v1/connect"
            } else {
                configuration.advertisedGRPC = "127.0.0.1:\(port)"
            }
            let service = try neighbours.service(configuration)
            let error = await #expect(throws: WindfireError.self) { try await service.run() }
            #expect(error?.code == .configurationInvalid)
            #expect(error?.message.contains(key) == true)
        }
    }

    @Test func beyondTheConnectionLimitNewcomersAreToldToComeBack() async throws {
        try await Neighbours().withNode {
            $0.limits.connectionsMax = 2
        } _: { node in
            try await node.expectNobody()
            let first = try await node.login("alice")
            let second = try await node.login("bob")
            let third = try await node.connect()
            let answer = try await third.open()
            #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.contains("retry-after: 5"))
            try await third.end()
            #expect(!first.isClosed && !second.isClosed)
            try await first.close()
            try await eventually("there is room again") { try await node.figure("windfire_connections_open") == 1 }
            _ = try await node.login("carol")
        }
    }

    @Test func aboveTheAcceptPaceNewcomersAreToldToComeBack() async throws {
        try await Neighbours().withNode {
            $0.limits.acceptsPerSecondMax = 1
            $0.limits.acceptsBurstMax = 3
        } _: { node in
            var refused = 0
            for _ in 0..<8 {
                let answer = try await node.connect().open()
                if answer.hasPrefix("HTTP/1.1 503 "), answer.contains("retry-after: 1") { refused += 1 }
            }
            #expect(refused >= 3)
            #expect(try await node.figure("windfire_connections_refused_total") == Double(refused))
        }
    }

    @Test func aLoginWithoutTheRouteStoreIsClaimedLater() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode { node in
            neighbours.routes.goAway()
            let device = try await node.login("alice")
            try await eventually("the node has noticed") {
                try await HTTPCall(url: "http://127.0.0.1:\(node.bound.ops)/readyz").answer().status == 503
            }
            neighbours.routes.comeBack()
            try await eventually("the session is claimed") { try await neighbours.routes(of: "alice").count == 1 }
            #expect(!device.isClosed)
            try await device.close()
            try await eventually("and given back") { try await neighbours.routes(of: "alice").isEmpty }
        }
    }

    @Test func aWipedStoreFillsUpAgain() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.reconcileInterval = .milliseconds(200)
        } _: { node in
            let devices = [try await node.login("alice"), try await node.login("bob")]
            let before = [try await neighbours.routes(of: "alice"), try await neighbours.routes(of: "bob")]
            neighbours.routes.wipe()
            try await eventually("the same routes are back") {
                try await [neighbours.routes(of: "alice"), neighbours.routes(of: "bob")] == before
            }
            #expect(devices.allSatisfy { !$0.isClosed })
        }
    }

    /// The store has one session too few and one too many in the same bucket: the counts agree.
    @Test func aGhostThatHidesAMissingSessionIsFoundToo() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.reconcileInterval = .milliseconds(50)
        } _: { node in
            let device = try await node.login("alice")
            let bucket = Bucket(of: try ClientID("alice"))
            let neighbour = try #require(
                (0..<100_000).lazy.map { "c\($0)" }.first { Bucket(of: ClientID(unchecked: $0)) == bucket })
            let route = try #require(try await neighbours.routes(of: "alice").first)
            let ghost = RouteClaim(
                client: try ClientID(neighbour), device: .default, incarnation: node.bound.incarnation,
                session: SessionID(shard: 0, random: (1, 2)), generation: Generation(0))
            _ = try await neighbours.routes.claim(ghost)
            #expect(try await neighbours.routes.release(ClientRoute(client: try ClientID("alice"), route: route)))
            try await eventually("the ghost is gone and alice is back") {
                let ghosts = try await neighbours.routes(of: neighbour)
                return try await neighbours.routes(of: "alice") == [route] && ghosts.isEmpty
            }
            #expect(!device.isClosed)
        }
    }

    @Test func aSessionWhoseClientMovedMeanwhileEndsAndHarmsNoNewerRoute() async throws {
        let neighbours = try Neighbours()
        try await neighbours.withNode {
            $0.reconcileInterval = .milliseconds(200)
        } _: { node in
            let device = try await node.login("alice")
            // The other node cannot tell this one, as when this one was frozen.
            let elsewhere = RouteClaim(
                client: try ClientID("alice"), device: try DeviceID("phone"),
                incarnation: Incarnation(node: try NodeID("n9"), life: 9), session: SessionID(high: 1, low: 1),
                generation: .first)
            guard case .granted = try await neighbours.routes.claim(elsewhere) else {
                Issue.record("the claim was not granted")
                return
            }
            #expect(try await device.closeNumber() == CloseReason.superseded.number)
            try await node.expectNobody()
            #expect(try await neighbours.routes(of: "alice").map(\.session) == [elsewhere.session])
        }
    }

    @Test func aStoppingNodeWithdrawsSendsItsDevicesAwayAndLeavesNoRoute() async throws {
        let neighbours = try Neighbours()
        let node = try await neighbours.start("n1") { _ in }
        var devices: [DeviceSocket] = []
        for number in 0..<20 { devices.append(try await node.login("client-\(number)")) }
        let silent = try await node.connect()
        try await silent.open()
        await node.stop()
        for device in devices {
            #expect(try await device.closeNumber() == CloseReason.nodeStopping.number)
        }
        try await silent.end()
        for number in 0..<20 { #expect(try await neighbours.routes(of: "client-\(number)").isEmpty) }
        #expect(try await neighbours.routes.announcedIncarnations().isEmpty)
        try await eventually("nobody is registered") {
            neighbours.registry.members(.push).byID[node.bound.incarnation.node] == nil
        }
    }
}
