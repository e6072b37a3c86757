import Common
import TestKit
import Testing
import Webhooks

@testable import PushServer

/// A whole node tells a real receiver who comes and goes.
@Suite struct PresenceTests {
    private func telling(_ receiver: WebhookReceiver) throws -> PresenceConfiguration {
        PresenceConfiguration(
            webhook: try WebhookConfiguration(
                url: receiver.url, key: "webhooks.presence-url", secret: "an ordinary secret", allowsPrivate: true,
                limits: .default),
            settle: .milliseconds(200))
    }

    /// "online alice/phone", "offline alice/phone connection_lost".
    private func news(_ receiver: WebhookReceiver) -> [String] {
        receiver.events.map { event in
            let words = ["type", "client", "device", "reason"].map { event[$0] as? String }
            return "\(words[0] ?? "?") \(words[1] ?? "?")/\(words[2] ?? "?")" + (words[3].map { " \($0)" } ?? "")
        }
    }

    /// Devices that stay connected until their test ends.
    private actor Room {
        private var devices: [DeviceSocket] = []
        func keep(_ device: DeviceSocket) { devices.append(device) }
    }

    private let room = Room()

    private func withNode(
        _ neighbours: Neighbours, _ change: @escaping (inout PushServerConfiguration) -> Void = { _ in },
        _ body: (RunningNode, WebhookReceiver) async throws -> Void
    ) async throws -> [String] {
        let receiver = WebhookReceiver()
        try await receiver.serving { receiver in
            let presence = try telling(receiver)
            try await neighbours.withNode {
                $0.presence = presence
                change(&$0)
            } _: {
                try await body($0, receiver)
            }
        }
        return news(receiver)
    }

    @Test func comingAndGoingIsTold() async throws {
        let told = try await withNode(Neighbours()) { node, receiver in
            let device = try await node.login("alice")
            try await eventually("the online has come") { news(receiver) == ["online alice/phone"] }
            let route = try #require(try await node.neighbours.routes(of: "alice").first)
            let event = try #require(receiver.events.first)
            #expect(event["epoch"] as? Int64 == Int64(route.epoch.value))
            #expect(event["session"] as? String == "\(route.session)")
            #expect(event["node"] as? String == "n1")
            try await device.close()
            try await eventually("the offline has come") { news(receiver).count == 2 }
            #expect(receiver.events.last?["epoch"] as? Int64 == Int64(route.epoch.value))
            let figure = #"windfire_webhook_events_total{destination="presence",outcome="sent"}"#
            try await eventually("both are counted") { try await node.figure(figure) == 2 }
        }
        #expect(told == ["online alice/phone", "offline alice/phone connection_lost"])
    }

    @Test func aNodeThatStopsTellsTheEndsOfItsSessions() async throws {
        let told = try await withNode(Neighbours()) { node, receiver in
            await room.keep(try await node.login("alice"))
            try await eventually("the online has come") { news(receiver).count == 1 }
        }
        #expect(told == ["online alice/phone", "offline alice/phone node_stopping"])
    }

    @Test func aSessionThatCameWhileTheStoreWasAwayIsToldWhenItIsClaimed() async throws {
        let told = try await withNode(Neighbours(), { $0.reconcileInterval = .milliseconds(100) }) { node, receiver in
            node.neighbours.routes.goAway()
            await room.keep(try await node.login("alice"))
            try await never(for: .milliseconds(500), "news without an epoch") { !receiver.calls.isEmpty }
            node.neighbours.routes.comeBack()
            try await eventually("the online has come") { news(receiver) == ["online alice/phone"] }
            #expect(try #require(receiver.events.first?["epoch"] as? Int64) > 0)
        }
        #expect(told == ["online alice/phone", "offline alice/phone node_stopping"])
    }

    @Test func aReconnectOfTheSameDeviceIsOneOnlineMoreAndNoOffline() async throws {
        _ = try await withNode(Neighbours()) { node, receiver in
            await room.keep(try await node.login("alice"))
            try await eventually("the online has come") { news(receiver).count == 1 }
            await room.keep(try await node.login("alice"))
            try await eventually("the second online has come") { news(receiver).count == 2 }
            try await never(for: .milliseconds(500), "an offline") { news(receiver).contains { $0.hasPrefix("off") } }
        }
    }

    @Test func aDeviceThatGivesWayForWantOfRoomIsToldByWhoDisplacedIt() async throws {
        var limits = Limits.default
        limits.devicesPerClientMax = 1
        _ = try await withNode(Neighbours(limits: limits), { $0.limits.devicesPerClientMax = 1 }) { node, receiver in
            await room.keep(try await node.login("alice", "phone"))
            try await eventually("the online has come") { news(receiver).count == 1 }
            await room.keep(try await node.login("alice", "tv"))
            try await eventually("both have come") { news(receiver).count == 3 }
            #expect(
                Set(news(receiver)) == ["online alice/phone", "online alice/tv", "offline alice/phone replaced"])
        }
    }

    @Test func aReceiverThatIsAwayHoldsNobodyUp() async throws {
        let gone = WebhookReceiver()
        try await gone.start()
        let presence = try telling(gone)
        await gone.stop()
        try await Neighbours().withNode {
            $0.presence = presence
            $0.presence?.webhook.flushMax = .milliseconds(100)
        } _: { node in
            for number in 1...20 {
                let device = try await node.login("c\(number)")
                try await device.close()
            }
            try await node.expectNobody()
        }
    }
}
