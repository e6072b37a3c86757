import Synchronization
import TestKit
import Testing

extension EndToEnd {
    @Test(.timeLimit(.minutes(3))) func aPublishReachesTheSubscribersOfAllNodesInItsOrder() async throws {
        try await onCluster { cluster in
            let listeners = try await Self.follow("room/1", 9, "topic", on: cluster)
            #expect(Set(listeners.compactMap(\.node)).count == 3, "they are on all three nodes")
            for first in stride(from: 0, to: 1_000, by: 100) {
                let answer = try await cluster.publish(Array(first..<first + 100), to: "room/1")
                #expect(answer.messages.allSatisfy { $0.delivered == 9 && $0.failed_nodes.isEmpty })
            }
            for listener in listeners {
                try await eventually(within: .seconds(20), "all is heard") { listener.heard.count >= 1_000 }
                #expect(listener.heard == Array(0..<1_000), "\(listener.client)")
            }
            try await listeners[0].leave("room/1")
            try await eventually("one fewer is subscribed") {
                try await cluster.subscribers(of: "room/1") == 8
            }
            _ = try await cluster.publish([1_000], to: "room/1")
            try await eventually("the others hear on") { listeners[1].heard.last == 1_000 }
            #expect(listeners[0].heard.count == 1_000)
            for listener in listeners { await listener.close() }
        }
    }

    /// Who stays hears everything; who comes and goes hears each of its stays without a hole.
    @Test(.timeLimit(.minutes(5))) func whoComesAndGoesDuringPublishingDisturbsNobody() async throws {
        try await onCluster { cluster in
            let (rounds, perStay) = (5, 30)
            let staying = try await Self.follow("room/busy", 6, "stays", on: cluster)
            let isOver = Flag()
            let publishing = Task {
                var next = 0
                while !isOver.isSet {
                    let answer = try await cluster.publish(Array(next..<next + 5), to: "room/busy")
                    #expect(answer.messages.allSatisfy { $0.delivered >= 6 && $0.failed_nodes.isEmpty })
                    next += 5
                }
                return next
            }
            let passing = (0..<9).map { TopicListener("passes-\($0)", on: cluster) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for listener in passing {
                    group.addTask {
                        for _ in 0..<rounds {
                            let before = listener.heard.count
                            try await listener.follow("room/busy")
                            try await eventually(within: .seconds(60), "\(listener.client) hears of its stay") {
                                listener.heard.count >= before + perStay
                            }
                            try await listener.leave("room/busy")
                        }
                    }
                }
                try await group.waitForAll()
            }
            isOver.set()
            let count = try await publishing.value
            #expect(Set((staying + passing).compactMap(\.node)).count == 3, "they are on all three nodes")
            for listener in staying {
                try await eventually(within: .seconds(20), "all is heard") { listener.heard.count >= count }
                #expect(listener.heard == Array(0..<count), "\(listener.client)")
            }
            for listener in passing {
                let steps = zip(listener.heard, listener.heard.dropFirst()).map { $1 - $0 }
                #expect(steps.allSatisfy { $0 > 0 }, "\(listener.client) hears nothing twice, and all in order")
                #expect(steps.count { $0 > 1 } < rounds, "\(listener.client) misses messages between its stays only")
            }
            for listener in staying + passing { await listener.close() }
        }
    }

    /// The topic keeps what is published; the library asks for what it missed when it is back.
    @Test(.timeLimit(.minutes(5))) func whoseNodeIsKilledDuringABurstMissesNothing() async throws {
        try await onCluster { cluster in
            var random = SplitMix.printed()
            let listeners = try await Self.follow("kept/burst", 12, "burst", on: cluster)
            let killed = cluster.nodes.randomElement(using: &random) ?? cluster.nodes[0]
            let publishing = Task {
                for first in stride(from: 0, to: 3_000, by: 5) {
                    _ = try await cluster.publish(Array(first..<first + 5), to: "kept/burst")
                }
            }
            try await eventually(within: .seconds(60), "the burst is under way") {
                listeners.allSatisfy { $0.heard.count >= 300 }
            }
            let stranded = listeners.filter { $0.node == killed.name }
            #expect(!stranded.isEmpty, "somebody is on \(killed.name)")
            try await killed.kill()
            try await publishing.value
            for listener in listeners {
                try await eventually(within: .seconds(60), "\(listener.client) has heard all") {
                    listener.heard.count >= 3_000
                }
                #expect(listener.heard == Array(0..<3_000), "\(listener.client)")
                #expect(await listener.missed(of: "kept/burst") == 0)
            }
            for listener in listeners { await listener.close() }
        }
    }

    private static func follow(
        _ topic: String, _ count: Int, _ prefix: String, on cluster: WindfireCluster
    ) async throws -> [TopicListener] {
        var listeners: [TopicListener] = []
        // Clients are hashed to nodes: enough names to have some on each.
        for number in 0..<count {
            let listener = TopicListener("\(prefix)-\(number)", on: cluster)
            try await listener.follow(topic)
            listeners.append(listener)
        }
        return listeners
    }
}

/// Set once, by another task.
private final class Flag: Sendable {
    private let state = Atomic(false)
    var isSet: Bool { state.load(ordering: .acquiring) }
    func set() { state.store(true, ordering: .releasing) }
}

/// What `POST /v1/push` answers to several messages for one topic.
struct PublishReceipt: Decodable {
    struct Message: Decodable {
        struct Failed: Decodable {
            let node: String
        }

        let delivered: Int
        let failed_nodes: [Failed]
    }

    let messages: [Message]
}

extension WindfireCluster {
    fileprivate func publish(_ numbers: [Int], to topic: String) async throws -> PublishReceipt {
        struct Body: Encodable {
            let to: [String: String]
            let batch: [Int]
        }
        return try await HTTPCall(
            "POST", url: "\(routeURL)/v1/push", bearer: adminKey, json: Body(to: ["topic": topic], batch: numbers),
            timeout: .seconds(20)
        ).answer().expect(200).decoded()
    }

    /// Of all nodes, as an operator asks.
    fileprivate func subscribers(of topic: String) async throws -> Int {
        struct Answer: Decodable { let subscribers: Int }
        let path = topic.replacing("/", with: "%2F")
        let answer: Answer = try await HTTPCall(url: "\(routeURL)/v1/topics/\(path)", bearer: adminKey)
            .answer().expect(200).decoded()
        return answer.subscribers
    }
}
