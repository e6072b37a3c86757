import Common
import NodeRPC
import Testing

/// The publisher, with a node behind gRPC.
@Suite struct PublishOverGRPCTests {
    @Test func whatIsPublishedArrivesAsItWasSubmitted() async throws {
        let node = try RecordingNode()
        try await withServer(of: node) { member in
            let store = ScriptedTopics()
            store.state.withLock { $0.nodes[topic("räume/1")] = [member.incarnation] }
            let caller = GRPCNodeCaller(secret: try makeSecret(), logger: quiet)
            let publisher = TopicPublisher(
                store: store, registry: FixedRegistry([member]), nodes: caller,
                rules: try TopicRules([TopicRule(TopicPattern("#"), history: TopicRule.History())]),
                drawLink: { .max })
            var sent = message("0190-abc", bytes: 3)
            sent.from = try ClientID("älice")
            let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
            let receipt = try await publisher.publish(sent, to: topic("räume/1"), traceID: trace)
            #expect(receipt.delivered == 3)
            #expect(receipt.refused == 1)
            let position = HistoryPosition(epoch: 7, offset: 1)
            #expect(receipt.position == position)
            let everyone = try publisher.submitEveryone([message("0190-def")], perSecondMax: 9)
            #expect(try await everyone[0].receipt.delivered == 1)
            #expect(
                node.batches == [
                    PublishBatch(
                        link: .max, number: 1,
                        publications: [Publication(to: .topic(topic("räume/1")), sent, at: position, traceID: trace)]),
                    PublishBatch(
                        link: .max, number: 2,
                        publications: [Publication(to: .everyone(perSecondMax: 9), message("0190-def"))]),
                ])
            #expect(try await caller.figures(of: topic("räume/1"), on: member).subscribers == 8)
        }
    }
}
