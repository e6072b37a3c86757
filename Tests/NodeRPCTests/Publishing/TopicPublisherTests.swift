import Common
import Synchronization
import TestKit
import Testing

@testable import NodeRPC

/// The publisher at work, on a store and nodes that delay and fail.
@Suite struct TopicPublisherTests {
    private func publisher(
        _ store: ScriptedTopics, _ nodes: OrderingNodes, members: [Member] = [member("n1"), member("n2")],
        rules: TopicRules = .none, limits: Limits = .default, ownNode: Member? = nil
    ) -> TopicPublisher {
        TopicPublisher(
            store: store, registry: FixedRegistry(members), nodes: nodes, rules: rules, limits: limits,
            ownNode: ownNode)
    }

    @Test func theReceiptAddsUpTheNodes() async throws {
        let store = ScriptedTopics()
        store.state.withLock { state in
            state.nodes[topic("t")] = [incarnation("n1"), incarnation("n2"), incarnation("n1", life: 5)]
        }
        let nodes = OrderingNodes()
        nodes.fail("n2", .nodeUnavailable)
        let publisher = publisher(
            store, nodes, rules: try TopicRules([TopicRule(TopicPattern("#"), history: TopicRule.History())]))
        let receipt = try await publisher.publish(message("m1"), to: topic("t"), traceID: "trace")
        #expect(receipt.nodes == 2)
        #expect(receipt.delivered == 2)
        #expect(receipt.refused == 1)
        #expect(receipt.failedNodes == [.init(id: NodeID(unchecked: "n2"), reason: "node_unavailable")])
        #expect(receipt.position == HistoryPosition(epoch: 7, offset: 1))
        let sent = nodes.state.withLock { $0.batches.map(\.batch.publications) }
        #expect(sent.allSatisfy { $0.map(\.traceID) == ["trace"] && $0[0].position == receipt.position })
        let figures = publisher.figures
        #expect((figures.published, figures.incomplete, figures.delivered) == (0, 1, 2))
        #expect((figures.lookups, figures.calls, figures.failedCalls) == (1, 2, 1))
        #expect((figures.waiting, figures.waitingBytes) == (0, 0))
    }

    /// Several publishers, each publishing to several topics in a row, over nodes and a store of random slowness:
    /// every node hands over the messages of each publisher and topic in the order they were submitted.
    @Test func orderHoldsPerPublisherAndTopicUnderRandomDelays() async throws {
        var seed = SplitMix.printed()
        let names = ["a", "b", "c"]
        let members = ["n1", "n2", "n3"].map { member($0) }
        let nodes = OrderingNodes(jitter: Jitter(SplitMix(seed: seed.next()), most: 40))
        let store = ScriptedTopics(jitter: Jitter(SplitMix(seed: seed.next()), most: 40))
        store.state.withLock { state in
            for name in names { state.nodes[topic(name)] = Set(members.map(\.incarnation)) }
        }
        let publishers = (0..<2).map { _ in publisher(store, nodes, members: members) }
        let chance = Jitter(SplitMix(seed: seed.next()), most: 6)
        let count = 1_500
        await withTaskGroup(of: Void.self) { group in
            for (index, publisher) in publishers.enumerated() {
                group.addTask {
                    var tickets: [PublishTicket] = []
                    for number in 0..<count {
                        let name = names[number % names.count]
                        tickets.append(publisher.submit(message("\(index).\(name).\(number)"), to: topic(name)))
                        await chance.pass()
                    }
                    for ticket in tickets {
                        guard case .success(let receipt) = await ticket.outcome else {
                            Issue.record("a publish failed")
                            continue
                        }
                        #expect(receipt.delivered == 6)
                    }
                }
            }
        }
        for node in ["n1", "n2", "n3"] {
            for (index, name) in publishers.indices.flatMap({ index in names.map { (index, $0) } }) {
                let handed = nodes.handed(node, topic(name)).filter { $0.hasPrefix("\(index).") }
                let first = names.firstIndex(of: name) ?? 0
                let submitted = stride(from: first, to: count, by: names.count).map { "\(index).\(name).\($0)" }
                #expect(handed == submitted, "publisher \(index), topic \(name), node \(node)")
            }
        }
        #expect(nodes.state.withLock { $0.underWayMost } <= 4, "two calls of each publisher")
        let figures = publishers[0].figures
        #expect(figures.published == count)
        #expect(figures.waiting == 0)
        #expect(figures.lookups < count, "what waits is asked for together")
    }

    /// Calls get lost: what arrives is still in order, and every message is either handed over or named as failed.
    @Test func lostCallsLeaveHolesButNoDisorder() async throws {
        var seed = SplitMix.printed()
        let nodes = OrderingNodes(jitter: Jitter(SplitMix(seed: seed.next()), most: 20), lostOfHundred: 10)
        let store = ScriptedTopics(jitter: Jitter(SplitMix(seed: seed.next()), most: 10))
        store.state.withLock { $0.nodes[topic("t")] = [incarnation("n1")] }
        let publisher = publisher(store, nodes)
        let chance = Jitter(SplitMix(seed: seed.next()), most: 10)
        var tickets: [PublishTicket] = []
        for number in 0..<2_000 {
            tickets.append(publisher.submit(message("\(number)"), to: topic("t")))
            await chance.pass()
        }
        var delivered: [String] = []
        for (number, ticket) in tickets.enumerated() {
            let receipt = try await ticket.receipt
            if receipt.failedNodes.isEmpty { delivered.append("\(number)") }
        }
        let handed = nodes.handed("n1")
        #expect(handed == handed.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) })
        // The call after a lost one is answered here at once, and let through by the node only once it gives up.
        #expect(Set(handed).isSubset(of: delivered))
        #expect(publisher.figures.failedCalls > 0)
        #expect(publisher.figures.waiting == 0)
    }

    @Test func aStuckTopicDoesNotStopTheOthers() async throws {
        let gate = Gate()
        gate.close()
        let store = ScriptedTopics(gates: [topic("stuck"): gate])
        store.state.withLock { state in
            for name in ["stuck", "free"] { state.nodes[topic(name)] = [incarnation("n1")] }
        }
        let publisher = publisher(store, OrderingNodes())
        let stuck = publisher.submit(message("s"), to: topic("stuck"))
        #expect(try await publisher.publish(message("f"), to: topic("free")).delivered == 2)
        #expect(stuck.outcomeNow == nil)
        gate.open()
        #expect(try await stuck.receipt.delivered == 2)
    }

    @Test func aStuckNodeDoesNotStopTheOthers() async throws {
        let gate = Gate()
        gate.close()
        let nodes = OrderingNodes(gates: [NodeID(unchecked: "n1"): gate])
        let store = ScriptedTopics()
        store.state.withLock { $0.nodes[topic("t")] = [incarnation("n1"), incarnation("n2")] }
        let publisher = publisher(store, nodes)
        let tickets = (0..<100).map { publisher.submit(message("\($0)"), to: topic("t")) }
        try await eventually("n2 has all") { nodes.handed("n2").count == 100 }
        #expect(nodes.handed("n1").isEmpty)
        gate.open()
        for ticket in tickets { #expect(try await ticket.receipt.nodes == 2) }
        #expect(nodes.handed("n1") == nodes.handed("n2"))
    }

    @Test func tooMuchIsRefusedAtOnceAndThereIsRoomAgainWhenSomeIsSettled() async throws {
        let gate = Gate()
        gate.close()
        let store = ScriptedTopics(gates: [topic("t"): gate])
        var limits = Limits.default
        limits.publishesPerTopicMax = 2
        let publisher = publisher(store, OrderingNodes(), limits: limits)
        let two = (1...2).map { publisher.submit(message("\($0)"), to: topic("t")) }
        let third = publisher.submit(message("3"), to: topic("t"))
        guard case .failure(let error) = third.outcomeNow else { Issue.record("the third was taken"); return }
        #expect(error.code == .overloaded)
        #expect(error.retryAfter != nil)
        #expect(try await publisher.publish(message("x"), to: topic("u")).nodes == 0)
        gate.open()
        for ticket in two { _ = try await ticket.receipt }
        #expect(try await publisher.publish(message("4"), to: topic("t")).nodes == 0)
        #expect(store.state.withLock { $0.asked.flatMap(\.self) } == ["1", "x", "2", "4"])
        #expect(publisher.figures.refused == 1)
    }

    @Test func whileTheStoreIsAwayPublishesFailButReachTheOwnNode() async throws {
        let store = ScriptedTopics()
        store.state.withLock { $0.failure = WindfireError(.routesUnavailable, "away") }
        let nodes = OrderingNodes()
        await #expect(throws: WindfireError(.routesUnavailable, "away")) {
            try await publisher(store, nodes).publish(message("m"), to: topic("t"))
        }
        #expect(nodes.handed("n1").isEmpty)
        let local = publisher(store, nodes, ownNode: member("n1"))
        let tickets = (0..<50).map { local.submit(message("\($0)"), to: topic("t")) }
        for ticket in tickets {
            let receipt = try await ticket.receipt
            #expect(receipt.lookupFailure?.code == .routesUnavailable)
            #expect((receipt.nodes, receipt.delivered) == (1, 2))
        }
        #expect(nodes.handed("n1") == (0..<50).map { "\($0)" })
    }

    @Test func withoutAListOfNodesNothingIsKept() async throws {
        let store = ScriptedTopics()
        let publisher = TopicPublisher(
            store: store, registry: FixedRegistry(Members.unknown), nodes: OrderingNodes())
        let ticket = publisher.submit(message("m"), to: topic("t"))
        let error = await #expect(throws: WindfireError.self) { try await ticket.receipt }
        #expect(error?.code == .registryUnavailable)
        #expect(store.state.withLock { $0.asked.isEmpty })
    }

    @Test func patternsAreReadOnceForAllTopicsThatWait() async throws {
        let store = ScriptedTopics()
        store.patternsGate.close()
        store.state.withLock { state in
            state.version = 3
            state.rows = [.init(pattern: TopicPattern(unchecked: "room/+"), node: incarnation("n2"))]
        }
        let nodes = OrderingNodes()
        let publisher = publisher(store, nodes)
        let tickets = (0..<20).map { publisher.submit(message("\($0)"), to: topic("room/\($0)")) }
        try await eventually("all are looked up") { publisher.figures.lookups == 20 }
        store.patternsGate.open()
        for ticket in tickets { #expect(try await ticket.receipt.nodes == 1) }
        #expect(store.state.withLock { $0.readings } == 1)
        #expect(Set(nodes.handed("n2")) == Set((0..<20).map { "\($0)" }))
        store.state.withLock { state in
            state.version = 4
            state.patternsFailure = WindfireError(.routesUnavailable, "away")
        }
        await #expect(throws: WindfireError(.routesUnavailable, "away")) {
            try await publisher.publish(message("m"), to: topic("room/1"))
        }
    }

    @Test func everyoneIsEveryNodeThatIsListed() async throws {
        let store = ScriptedTopics()
        store.state.withLock { $0.failure = WindfireError(.routesUnavailable, "away") }
        let nodes = OrderingNodes()
        let publisher = publisher(store, nodes)
        // Without a rate the store is not needed.
        let tickets = try publisher.submitEveryone([message("1"), message("2")])
        for ticket in tickets { #expect(try await ticket.receipt.nodes == 2) }
        #expect(nodes.handed("n1") == ["1", "2"])
        let paced = try publisher.submitEveryone([message("3")], perSecondMax: 10)
        await #expect(throws: WindfireError.self) { try await paced[0].receipt }
        store.state.withLock { $0.failure = nil }
        #expect(try await publisher.submitEveryone([message("4")], perSecondMax: 10)[0].receipt.delivered == 4)
        let audiences = nodes.state.withLock { $0.received[NodeID(unchecked: "n2")]?.map(\.audience) }
        #expect(
            audiences == [
                .everyone(perSecondMax: nil), .everyone(perSecondMax: nil), .everyone(perSecondMax: 5),
            ])
    }

    @Test func manyTicketsAreCollectedByOneTask() async throws {
        let store = ScriptedTopics()
        store.state.withLock { $0.nodes[topic("t")] = [incarnation("n1")] }
        let publisher = publisher(store, OrderingNodes())
        let collector = SettledTickets()
        for tag in 0..<500 {
            _ = publisher.submit(message("\(tag)"), to: topic("t"), tag: UInt64(tag), collector: collector)
        }
        var tags: [UInt64] = []
        while tags.count < 500 {
            let settled = await collector.next()
            #expect(settled.allSatisfy { $0.outcomeNow != nil })
            tags += settled.map(\.tag)
        }
        #expect(Set(tags) == Set(0..<500))
        collector.close()
        #expect(await collector.next().isEmpty)
    }
}
