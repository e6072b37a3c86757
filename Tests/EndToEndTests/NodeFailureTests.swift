import TestKit
import Testing

extension EndToEnd {
    @Test(.timeLimit(.minutes(3))) func devicesOfAKilledNodeAreReachedOnOthersAndItsRoutesAreBuried() async throws {
        try await onCluster { cluster in
            let devices = try await LibraryDevice.connect(120, named: "killed", on: cluster)
            let victim = try #require(devices[0].node)
            let incarnation = try await cluster.incarnation(of: victim)

            try await cluster.node(victim).kill()
            try await eventually(within: .seconds(60), "all are on other nodes") {
                devices.allSatisfy { $0.node != nil && $0.node != victim }
            }
            let receipt = try await cluster.push(devices.clients)
            #expect(receipt.delivered == devices.count)
            try await eventually("each has got it once") { devices.haveEachOnce(receipt.id) }

            try await eventually(within: .seconds(30), "nothing names the dead incarnation any more") {
                try await !cluster.redisKnows(incarnation)
            }
            try await cluster.expectOnline(devices.count)
            await devices.close()
        }
    }

    @Test(.timeLimit(.minutes(3))) func aNodeFrozenBeyondItsSessionHarmsNoNewerRouteWhenItWakes() async throws {
        try await onCluster { cluster in
            let devices = try await LibraryDevice.connect(60, named: "frozen", on: cluster)
            let victim = try #require(devices[0].node)

            try cluster.node(victim).pause()
            try await eventually(within: .seconds(30), "it is off the list") {
                try await cluster.online().up.allSatisfy { $0.id != victim }
            }
            try await eventually(within: .seconds(60), "its devices have moved") {
                devices.allSatisfy { $0.node != nil && $0.node != victim }
            }
            let homes = Dictionary(uniqueKeysWithValues: devices.map { ($0.client, $0.node) })

            try cluster.node(victim).resume()
            try await eventually(
                within: .seconds(60), "it is on the list again, with no session that it should not have"
            ) {
                let online = try await cluster.online()
                return online.up.count == 3 && online.difference == 0 && online.online == devices.count
            }
            for device in devices {
                let sessions = try await cluster.client(device.client).sessions
                try #require(sessions.map(\.node) == [homes[device.client]], "\(device.client) has its newer route")
            }
            let receipt = try await cluster.push(devices.clients)
            #expect(receipt.delivered == devices.count)
            try await eventually("each has got it once") { devices.haveEachOnce(receipt.id) }
            await devices.close()
        }
    }

    @Test(.timeLimit(.minutes(2))) func aNodeThatIsStoppedSendsItsDevicesOn() async throws {
        try await onCluster { cluster in
            let devices = try await LibraryDevice.connect(60, named: "stopped", on: cluster)
            let victim = try #require(devices[0].node)
            let exit = try await cluster.node(victim).end(grace: .seconds(30))
            #expect(exit == .code(0))
            try await eventually(within: .seconds(30), "all are on other nodes") {
                devices.allSatisfy { $0.node != nil && $0.node != victim }
            }
            let receipt = try await cluster.push(devices.clients)
            #expect(receipt.delivered == devices.count)
            try await eventually("each has got it once") { devices.haveEachOnce(receipt.id) }
            await devices.close()
        }
    }

    @Test(.timeLimit(.minutes(1))) func aKilledAuthServerIsReplacedByTheOther() async throws {
        try await onCluster { cluster in
            let before = try await cluster.connect("auth-before")
            try await cluster.auths[0].kill()
            let after = try await cluster.connect("auth-after")
            let receipt = try await cluster.push(["auth-before", "auth-after"])
            #expect(receipt.delivered == 2)
            try await eventually("both have it") {
                before.heard.messages == [receipt.id: 1] && after.heard.messages == [receipt.id: 1]
            }
        }
    }
}

extension WindfireCluster {
    func incarnation(of node: String) async throws -> String {
        try #require(try await online().nodes.first { $0.id == node && $0.state == "up" }).incarnation
    }

    /// Whether any key or member in Redis still names this incarnation.
    func redisKnows(_ incarnation: String) async throws -> Bool {
        let keys = try await redis.cli("--scan", "--pattern", "wf:*:node:\(incarnation)")
        let announced = try await redis.cli("ZRANGE", "wf:incarnations", "0", "-1")
        return !keys.isEmpty || announced.contains(incarnation)
    }
}
