import TestKit
import Testing

extension EndToEnd {
    /// The main promise: everyone who is there gets it, once; everyone who is not is named.
    @Test(.timeLimit(.minutes(5))) func aListPushReachesEveryOnlineDeviceOnceAndNamesTheOthers() async throws {
        try await onCluster { cluster in
            let online = (0..<3_000).map { "list-\($0)" }
            let absent = (0..<200).map { "absent-\($0)" }
            let devices = try await Swarm.connect(online, to: cluster)
            let nodes = Set(devices.map(\.node))
            try #require(nodes.count == 3, "every node has some of them: \(nodes)")

            // Both kinds in turn, and a few ids twice: each target counts once.
            let mixed = (online + absent + Array(online.prefix(10))).shuffled()
            let receipt = try await cluster.push(mixed)
            #expect(receipt.total == 3_200)
            #expect(receipt.delivered == 3_000)
            #expect(receipt.offline == 200)
            #expect(receipt.failed == 0)
            let undelivered = try #require(receipt.undelivered, "a large push names what was not delivered")
            #expect(undelivered.map(\.client).sorted() == absent.sorted())
            #expect(undelivered.allSatisfy { $0.status == "offline" })

            // What comes later on the same connection shows that nothing came twice before it.
            let second = try await cluster.push(online)
            try await eventually(within: .seconds(30), "everyone has heard both pushes") {
                devices.allSatisfy { $0.heard.messages.count == 2 }
            }
            for device in devices {
                try #require(device.heard.messages == [receipt.id: 1, second.id: 1], "\(device.client)")
            }
            try await cluster.expectOnline(3_000)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSmallPushTellsWhatBecameOfEachTarget() async throws {
        try await onCluster { cluster in
            let device = try await cluster.connect("small-here")
            let receipt = try await cluster.push(["small-here", "small-away"])
            let rows = try #require(receipt.results)
            try #require(rows.count == 2)
            #expect(rows[0].client == "small-here" && rows[0].status == "delivered" && rows[0].node == device.node)
            #expect(rows[1].client == "small-away" && rows[1].status == "offline")
            try await eventually("the device has it") { device.heard.messages == [receipt.id: 1] }
        }
    }

    @Test(.timeLimit(.minutes(1))) func everyDeviceOfAClientGetsThePush() async throws {
        try await onCluster { cluster in
            let phone = try await cluster.connect("several", device: "phone")
            let tablet = try await cluster.connect("several", device: "tablet")
            let receipt = try await cluster.push(["several"])
            #expect(receipt.total == 1 && receipt.delivered == 1)
            #expect(receipt.results?.compactMap(\.device).sorted() == ["phone", "tablet"])
            try await eventually("both have it") {
                phone.heard.messages == [receipt.id: 1] && tablet.heard.messages == [receipt.id: 1]
            }
        }
    }
}

extension WindfireCluster {
    /// The nodes' own counts reach the route servers every two seconds.
    func expectOnline(_ count: Int) async throws {
        try await eventually(within: .seconds(30), "\(count) online, and as many routes") {
            let online = try await online()
            return online.online == count && online.routes == count
        }
    }
}
