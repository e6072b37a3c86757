import TestKit
import Testing

extension EndToEnd {
    @Test(.timeLimit(.minutes(1))) func theSameDeviceOnASecondNodeReplacesItsFirstConnectionWithinASecond() async throws
    {
        try await onCluster { cluster in
            let first = try await cluster.connect("twice", device: "phone", node: "n1")
            let other = try await cluster.connect("twice", device: "tablet", node: "n1")
            let second = try await cluster.connect("twice", device: "phone", node: "n2")

            try await eventually("the first one is closed") { !first.isOpen }
            #expect(first.heard.closed == 4001)
            #expect(first.heard.lastWords == "replaced")
            let closedAt = try #require(first.heard.closedAt)
            #expect(second.welcomedAt.duration(to: closedAt) < .seconds(1))
            #expect(second.isOpen && other.isOpen, "the winner stays, and so do the client's other devices")

            let receipt = try await cluster.push(["twice"])
            try await eventually("both have it") {
                second.heard.messages == [receipt.id: 1] && other.heard.messages == [receipt.id: 1]
            }
            #expect(first.heard.messages.isEmpty)
        }
    }

    @Test(.timeLimit(.minutes(1))) func revokingAClientClosesItsLiveConnectionWithinFiveSeconds() async throws {
        try await onCluster { cluster in
            let old = try await cluster.token("revoked")
            let url = try #require(old.node.endpoints.ws)
            let device = try await SwarmDevice.connect("revoked", token: old.token, to: url)
            let bystander = try await cluster.connect("not-revoked")

            let start = ContinuousClock.now
            try await cluster.revoke("revoked")
            try await eventually("the connection is closed") { !device.isOpen }
            #expect(device.heard.closed == 4007)
            #expect(device.heard.lastWords == "token_revoked")
            let closedAt = try #require(device.heard.closedAt)
            #expect(start.duration(to: closedAt) < .seconds(5))
            #expect(bystander.isOpen)

            await #expect(throws: Refused.self, "the old token is of no use any more") {
                try await SwarmDevice.connect("revoked", token: old.token, to: url)
            }
            _ = try await cluster.connect("revoked")
        }
    }
}
