import Common
import TestKit
import Testing
import Webhooks

/// The owner's endpoint in every kind of trouble: what that does to pushes and devices (nothing), and what is told when
/// it is back.
@Suite(.serialized, .toldCluster) struct WebhookTests {
    @Test(.timeLimit(.minutes(2))) func anEndpointInTroubleHoldsUpNothingButItsOwnNews() async throws {
        let (cluster, receiver, port) = try #require(ToldClusterTrait.told, "the cluster runs")
        let route = cluster.routes[0]
        let there = try await cluster.connect("mover", device: "phone", node: "n1")
        let leaver = try await cluster.connect("leaver", device: "phone", node: "n2")
        try await eventually("it is told who came") { receiver.accepted("/presence").count == 2 }

        // It is slow: nothing is answered until the end of this part, and yet every push is.
        receiver.answer(.init(isHeld: true))
        var pushed = try await cluster.pushSome()
        try await eventually("it is called") { receiver.calls("/offline").count == 1 }
        let second = try await cluster.connect("mover", device: "phone", node: "n2")
        pushed += try await cluster.pushSome()
        try await eventually("it is called for the newcomer") { receiver.events("/presence").count == 3 }
        #expect(receiver.calls("/offline").count == 1, "the second call waits for the first one's answer")

        // It fails.
        receiver.answer(.init(500))
        receiver.release()
        pushed += try await cluster.pushSome()
        let third = try await cluster.connect("mover", device: "phone", node: "n1")
        try await eventually("both have got their 500") {
            receiver.failed("/offline") >= 2 && receiver.failed("/presence") >= 1
        }

        // It is gone.
        await receiver.vanish()
        let tries = try await route.retries("offline")
        pushed += try await cluster.pushSome()
        let last = try await cluster.connect("mover", device: "phone", node: "n2")
        try await leaver.close()
        try await eventually("both have tried in vain") {
            let node = try await cluster.node("n2").retries("presence")
            return try await route.retries("offline") > tries && node > 0
        }
        pushed += try await cluster.pushSome()
        #expect(try await route.dropped() == 0)

        // It is back.
        receiver.answer(.init())
        try await receiver.start(port: port)
        try await eventually(within: .seconds(30), "all that was kept is told") {
            receiver.accepted("/offline").count >= pushed.count && receiver.story(of: "leaver").last?.isEnd == true
                && receiver.story(of: "mover").count == 3
        }
        try await last.close()
        try await eventually("and that the last one left") { receiver.story(of: "mover").last?.isEnd == true }

        #expect(receiver.accepted("/offline").compactMap { $0["push"] as? String } == pushed, "in order, each once")
        let seen = receiver.events("/presence").filter { $0["client"] as? String == "mover" }.compactMap(Step.init)
        #expect(seen.map(\.epoch) == seen.map(\.epoch).sorted(), "also in calls that it answered with 500")
        let story = receiver.story(of: "mover")
        #expect(
            story.map(\.isEnd) == [false, false, false, true], "the third came when nobody heard, and was old news")
        #expect(Set(story.map(\.epoch)).count == 3)
        #expect(story.last?.epoch == story.dropLast().last?.epoch)
        #expect(receiver.story(of: "leaver").map(\.isEnd) == [false, true])
        try receiver.expectGenuineCallsAndNoHiddenRepeat()
        #expect(!there.isOpen && !second.isOpen && !third.isOpen, "each was displaced by the next")
    }

    @Test(.timeLimit(.minutes(1))) func whatAFullQueueCannotKeepIsCountedAndToldAsAGap() async throws {
        let (cluster, receiver, port) = try #require(ToldClusterTrait.told, "the cluster runs")
        receiver.answer(.init())
        await receiver.vanish()
        let route = cluster.routes[0]
        let before = (
            calls: receiver.calls.count, dropped: try await route.dropped(), tries: try await route.retries("offline")
        )
        var nobody = (1...30).map { "nobody-0-\($0)" }
        #expect(try await cluster.push(nobody).offline == 30)
        try await eventually("the first batch is under way") { try await route.retries("offline") > before.tries }
        for round in 1...2 {
            let clients = (1...30).map { "nobody-\(round)-\($0)" }
            let receipt = try await cluster.push(clients)
            #expect(receipt.offline == 30 && receipt.failed == 0)
            nobody += clients
        }
        // More at once than the queue can ever hold.
        let crowd = (1...60).map { "crowd-\($0)" }
        #expect(try await cluster.push(crowd).offline == 60)
        nobody += crowd
        let dropped = try await route.dropped() - before.dropped

        try await receiver.start(port: port)
        try await eventually(within: .seconds(30), "the newest are told") {
            receiver.events("/offline").last?["client"] as? String == nobody.last
        }
        let calls = receiver.calls.dropFirst(before.calls).filter { $0.path == "/offline" }
        let told = calls.flatMap(\.events).compactMap { $0["client"] as? String }
        #expect(dropped > 0 && told.count + dropped == nobody.count)
        #expect(calls.map(\.lost).reduce(0, +) == dropped, "the endpoint knows how many it missed")
        // The queue, and before it the batch that was under way.
        #expect(told == Array(nobody.prefix(ToldClusterTrait.batchMax) + nobody.suffix(ToldClusterTrait.queueMax)))
        try receiver.expectGenuineCallsAndNoHiddenRepeat()
    }
}

/// One thing told of a device.
private struct Step {
    let isEnd: Bool
    let epoch: Int64

    init?(_ event: [String: any Sendable]) {
        guard let type = event["type"] as? String, let epoch = event["epoch"] as? Int64 else { return nil }
        isEnd = type == "offline"
        self.epoch = epoch
    }
}

extension WindfireCluster {
    /// A few pushes to somebody who is there and somebody who is not, whatever the endpoint does.
    /// - Returns: their ids.
    fileprivate func pushSome() async throws -> [String] {
        var ids: [String] = []
        for _ in 0..<5 {
            let receipt = try await push(["mover", "away"])
            #expect(receipt.delivered == 1 && receipt.offline == 1 && receipt.failed == 0)
            ids.append(receipt.id)
        }
        return ids
    }
}

extension WindfireProcess {
    /// One figure of `/metrics`.
    private func figure(_ line: String) async throws -> Int {
        let answer = try await HTTPCall(url: "\(url)/metrics").answer().expect(200)
        let found = try #require(answer.text.split(separator: "\n").first { $0.hasPrefix(line + " ") }, "\(line)")
        return try #require(found.split(separator: " ").last.flatMap { Double($0) }.map { Int($0) })
    }

    fileprivate func retries(_ destination: String) async throws -> Int {
        try await figure("windfire_webhook_retries_total{destination=\"\(destination)\"}")
    }

    /// Events of the full queue, by the metric that docs/webhooks.md names.
    fileprivate func dropped() async throws -> Int {
        try await figure(#"windfire_webhook_events_total{destination="offline",outcome="dropped"}"#)
    }
}

extension WebhookReceiver {
    fileprivate func calls(_ path: String) -> [Call] { calls.filter { $0.path == path } }

    /// All that was said, also in calls that were not accepted.
    fileprivate func events(_ path: String) -> [[String: any Sendable]] { calls(path).flatMap(\.events) }

    fileprivate func accepted(_ path: String) -> [[String: any Sendable]] {
        calls(path).filter { $0.status == 200 }.flatMap(\.events)
    }

    fileprivate func failed(_ path: String) -> Int { calls(path).count { $0.status == 500 } }

    /// What was accepted about one client.
    fileprivate func story(of client: String) -> [Step] {
        accepted("/presence").filter { $0["client"] as? String == client }.compactMap(Step.init)
    }

    /// Every call is signed; what comes twice comes under the call's same id, and none comes again once accepted.
    fileprivate func expectGenuineCallsAndNoHiddenRepeat() throws {
        var callOfEvent: [String: String] = [:]
        var taken: Set<String> = []
        for call in calls {
            #expect(
                WebhookSignature.isValid(
                    try #require(call.header(WebhookSignature.header)), body: call.body,
                    secret: ToldClusterTrait.secret, unixSeconds: Int64(WallClock.milliseconds() / 1_000)))
            let id = try #require(call.header("windfire-event-id"))
            for event in call.events {
                let name = try #require(event["id"] as? String)
                #expect(callOfEvent.updateValue(id, forKey: name) ?? id == id)
                #expect(!taken.contains(name))
                if call.status == 200 { taken.insert(name) }
            }
        }
    }
}

/// A small cluster whose webhooks all lead to one receiver of the test, with a queue that a test can fill.
struct ToldClusterTrait: SuiteTrait, TestScoping {
    @TaskLocal static var told: (cluster: WindfireCluster, receiver: WebhookReceiver, port: Int)?
    static let secret = "an endpoint's secret"
    static let queueMax = 40
    static let batchMax = 10

    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let port = try FreePorts.one()
        let receiver = WebhookReceiver()
        let cluster = try await WindfireCluster(
            auths: 1, nodes: 2, routes: 1,
            configuration: [
                "WINDFIRE_WEBHOOKS_OFFLINE_URL": "http://127.0.0.1:\(port)/offline",
                "WINDFIRE_WEBHOOKS_PRESENCE_URL": "http://127.0.0.1:\(port)/presence",
                "WINDFIRE_WEBHOOKS_SECRET": Self.secret,
                "WINDFIRE_WEBHOOKS_ALLOW_PRIVATE": "true",
                "WINDFIRE_LIMITS_WEBHOOK_QUEUE_MAX": "\(Self.queueMax)",
                "WINDFIRE_LIMITS_WEBHOOK_BATCH_MAX": "\(Self.batchMax)",
                "WINDFIRE_LIMITS_WEBHOOK_BATCH_DELAY": "50ms",
            ])
        do {
            // Not earlier: the processes would inherit its socket, and so the port would stay open when it has gone.
            try await receiver.start(port: port)
            try await Self.$told.withValue((cluster, receiver, port)) { try await function() }
        } catch {
            print(cluster.logTails())
            await cluster.stop()
            await receiver.stop()
            throw error
        }
        await cluster.stop()
        await receiver.stop()
    }
}

extension Trait where Self == ToldClusterTrait {
    static var toldCluster: Self { ToldClusterTrait() }
}
