import Common
import Testing

@testable import NodeRPC

/// What a publisher decides, step by step.
@Suite struct PublishDeskTests {
    typealias Desk = PublishDesk<Int>

    private let start = ContinuousClock.now
    private let nodes = Members([member("n1"), member("n2", state: .draining)])

    private func pending(_ number: Int, to name: String = "t", bytes: Int = 1) -> PendingPublish<Int> {
        PendingPublish(target: .topic(topic(name)), message: message("m\(number)", bytes: bytes), ticket: number)
    }

    private func reach(_ nodes: [Incarnation], version: UInt64 = 0, positions: [HistoryPosition] = []) -> Desk.Reach {
        .topic(TopicReach(nodes: Set(nodes), patternsVersion: version, positions: positions))
    }

    private func makeDesk(
        rules: TopicRules = .none, bounds: Desk.Bounds = Desk.Bounds(), ownNode: Member? = nil
    ) -> Desk { Desk(rules: rules, bounds: bounds, ownNode: ownNode) { 77 } }

    private func lookedUp(
        _ desk: inout Desk, _ result: Result<Desk.Reach, WindfireError>, isInTouch: Bool = true,
        after time: Duration = .zero
    ) -> [String] { lookedUp(&desk, "t", result, isInTouch: isInTouch, after: time) }

    private func lookedUp(
        _ desk: inout Desk, _ name: String, _ result: Result<Desk.Reach, WindfireError>,
        isInTouch: Bool = true, after time: Duration = .zero
    ) -> [String] {
        desk.lookedUp(
            .topic(topic(name)), result, members: nodes, isInTouch: isInTouch, now: start + time
        ).transcript
    }

    @Test func aMessageGoesToTheNodesOfItsTopicThatAreThere() throws {
        var desk = makeDesk()
        #expect(try desk.submit([pending(1)]).transcript == ["look up t m1"])
        let gone = incarnation("n1", life: 9)
        #expect(
            lookedUp(&desk, .success(reach([incarnation("n1"), incarnation("n2"), gone]))) == [
                "1 reached 2", "call n1 77/1 m1", "call n2 77/1 m1",
            ])
        #expect(desk.answered(by: incarnation("n1")).transcript == [])
        #expect(desk.laneCount == 1)
        desk.settled([(.topic(topic("t")), PublishCost.bytes(of: message("m1")))])
        #expect(desk.laneCount == 0)
        #expect(desk.openBytes == 0)
        #expect(desk.linkCount == 2)
    }

    @Test func nobodySubscribedIsAnAnswerToo() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1)])
        #expect(lookedUp(&desk, .success(reach([]))) == ["1 reached 0"])
    }

    @Test func topicsDoNotWaitForOneAnother() throws {
        var desk = makeDesk()
        #expect(try desk.submit([pending(1, to: "a")]).transcript == ["look up a m1"])
        #expect(try desk.submit([pending(2, to: "a")]).transcript == [])
        #expect(try desk.submit([pending(3, to: "b")]).transcript == ["look up b m3"])
        #expect(
            lookedUp(&desk, "b", .success(reach([incarnation("n1")]))) == ["3 reached 1", "call n1 77/1 m3"])
        #expect(
            lookedUp(&desk, "a", .success(reach([incarnation("n1")]))) == [
                "1 reached 1", "call n1 77/2 m1", "look up a m2",
            ])
    }

    @Test func severalTopicsOfOneCallBeginInTheirOrder() throws {
        var desk = makeDesk()
        #expect(
            try desk.submit([pending(1, to: "a"), pending(2, to: "b"), pending(3, to: "a")]).transcript == [
                "look up a m1,m3", "look up b m2",
            ])
    }

    @Test func aFailedLookUpFailsItsMessagesAndTheNextOnesTryAgain() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1)])
        _ = try desk.submit([pending(2)])
        #expect(
            lookedUp(&desk, .failure(WindfireError(.routesUnavailable, "away"))) == [
                "1 refused routes_unavailable", "look up t m2",
            ])
    }

    @Test func thePublishersOwnNodeGetsWhatCouldNotBeLookedUp() throws {
        var desk = makeDesk(ownNode: member("n1"))
        _ = try desk.submit([pending(1)])
        #expect(
            lookedUp(&desk, .failure(WindfireError(.routesUnavailable, "away"))) == [
                "1 reached 1 routes_unavailable", "call n1 77/1 m1",
            ])
        // And is asked although the registry does not list it.
        var alone = makeDesk(ownNode: member("n9"))
        _ = try alone.submit([pending(1)])
        #expect(
            lookedUp(&alone, .success(reach([incarnation("n9")])), after: .seconds(60)) == [
                "1 reached 1", "call n9 77/1 m1",
            ])
    }

    @Test func positionsBelongToTheirMessages() throws {
        var desk = makeDesk(
            rules: try TopicRules([TopicRule(TopicPattern("t"), history: TopicRule.History(countMax: 3))]))
        #expect(try desk.submit([pending(1), pending(2)]).transcript == ["look up t m1,m2 keeping 3"])
        let positions = [4, 5].map { HistoryPosition(epoch: 1, offset: $0) }
        let effects = desk.lookedUp(
            .topic(topic("t")), .success(reach([incarnation("n1")], positions: positions)), members: nodes,
            isInTouch: true, now: start)
        #expect(effects.news.map(\.news) == positions.map { .reached(nodes: 1, position: $0, lookupFailure: nil) })
        guard case .call(_, let call) = effects.actions.first else { Issue.record("no call"); return }
        #expect(call.batch.publications.map(\.position) == positions)
    }

    // Patterns.

    private func row(_ pattern: String, _ node: String, life: UInt64 = 1) -> PatternDirectory.Row {
        PatternDirectory.Row(pattern: TopicPattern(unchecked: pattern), node: incarnation(node, life: life))
    }

    @Test func newPatternsAreReadBeforeAnythingIsSentAndOnceForAll() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1, to: "a/1"), pending(2, to: "b")])
        #expect(lookedUp(&desk, "a/1", .success(reach([], version: 5))) == ["read patterns"])
        // Began before the other's answer; one more reading follows, unless this one is new enough.
        #expect(lookedUp(&desk, "b", .success(reach([incarnation("n1")], version: 5))) == [])
        let effects = desk.patternsRead(
            .success(([row("a/+", "n2"), row("#", "n3")], 5)), members: nodes, isInTouch: true, now: start)
        #expect(
            effects.transcript == ["1 reached 1", "2 reached 1", "call n2 77/1 m1", "call n1 77/1 m2"])
        // Known now.
        _ = try desk.submit([pending(3, to: "a/2")])
        #expect(lookedUp(&desk, "a/2", .success(reach([], version: 5))) == ["3 reached 1", "call n2 77/2 m3"])
        // A wiped store knows less than the copy.
        _ = try desk.submit([pending(4, to: "a/3")])
        #expect(lookedUp(&desk, "a/3", .success(reach([], version: 0))) == ["4 reached 1"])
    }

    @Test func aReadingThatBeganTooEarlyIsFollowedByAnother() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1, to: "a"), pending(2, to: "b")])
        #expect(lookedUp(&desk, "a", .success(reach([], version: 5))) == ["read patterns"])
        #expect(lookedUp(&desk, "b", .success(reach([], version: 6))) == [])
        func read(_ rows: [PatternDirectory.Row], _ version: UInt64) -> [String] {
            desk.patternsRead(.success((rows, version)), members: nodes, isInTouch: true, now: start).transcript
        }
        #expect(read([], 5) == ["1 reached 0", "read patterns"])
        #expect(read([row("b", "n1")], 6) == ["2 reached 1", "call n1 77/1 m2"])
        // One that cannot come to the version all the same does not go on for ever.
        _ = try desk.submit([pending(3, to: "c")])
        #expect(lookedUp(&desk, "c", .success(reach([], version: 9))) == ["read patterns"])
        #expect(read([], 8) == ["3 reached 0"])
    }

    @Test func withoutThePatternsNothingIsSent() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1)])
        _ = try desk.submit([pending(2)])
        #expect(lookedUp(&desk, .success(reach([incarnation("n1")], version: 5))) == ["read patterns"])
        let effects = desk.patternsRead(
            .failure(WindfireError(.routesUnavailable, "away")), members: nodes, isInTouch: true, now: start)
        #expect(effects.transcript == ["1 refused routes_unavailable", "look up t m2"])
    }

    // Nodes.

    @Test func aNodeThatFailsGetsTheNextMessagesOnANewLink() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1)])
        _ = lookedUp(&desk, .success(reach([incarnation("n1")])))
        _ = try desk.submit([pending(2)])
        _ = lookedUp(&desk, .success(reach([incarnation("n1")])))
        _ = try desk.submit([pending(3)])
        #expect(lookedUp(&desk, .success(reach([incarnation("n1")]))) == ["3 reached 1"])
        #expect(desk.failed(on: incarnation("n1"), .nodeUnavailable).transcript == [])
        #expect(desk.answered(by: incarnation("n1")).transcript == ["call n1 77/1 m3"])
    }

    @Test func whatFindsNoRoomAtANodeHasFailedThereAlone() throws {
        var bounds = Desk.Bounds()
        bounds.link.callsMax = 1
        bounds.link.waitingMax = 1
        var desk = makeDesk(bounds: bounds)
        for number in 1...3 {
            _ = try desk.submit([pending(number)])
            let both = Set([incarnation("n1"), incarnation("n2")])
            let news = lookedUp(&desk, .success(reach(Array(both))))
            if number == 3 {
                #expect(news == ["3 reached 2", "3 failed on n1 overloaded", "call n2 77/3 m3"])
            } else {
                #expect(news.first == "\(number) reached 2")
            }
            _ = desk.answered(by: incarnation("n2"))
        }
    }

    @Test func linksOfLivesThatHaveEndedGo() throws {
        var desk = makeDesk()
        _ = try desk.submit([pending(1)])
        _ = lookedUp(&desk, .success(reach([incarnation("n1"), incarnation("n2")])))
        _ = desk.answered(by: incarnation("n1"))
        _ = try desk.submit([pending(2)])
        let next = Members([member("n1", life: 2)])
        _ = desk.lookedUp(
            .topic(topic("t")), .success(reach([incarnation("n1", life: 2)])), members: next, isInTouch: true,
            now: start)
        // The one with a call under way is still there.
        #expect(desk.linkCount == 2)
        _ = desk.failed(on: incarnation("n2"), .nodeUnavailable)
        _ = try desk.submit([pending(3)])
        _ = desk.lookedUp(.topic(topic("t")), .success(reach([])), members: next, isInTouch: true, now: start)
        #expect(desk.linkCount == 1)
    }

    @Test func incarnationsThatAreGoneAreForgottenAfterAWhile() throws {
        var desk = makeDesk()
        let gone = incarnation("n3")
        func publish(after time: Duration, isInTouch: Bool = true) throws -> [String] {
            _ = try desk.submit([pending(1)])
            return lookedUp(&desk, .success(reach([gone])), isInTouch: isInTouch, after: time)
        }
        #expect(try publish(after: .zero) == ["1 reached 0"])
        #expect(try publish(after: .seconds(9)) == ["1 reached 0"])
        #expect(try publish(after: .seconds(10)) == ["1 reached 0", "forget n3 in t"])
        #expect(try publish(after: .milliseconds(10_999)) == ["1 reached 0"])
        #expect(try publish(after: .seconds(11)) == ["1 reached 0", "forget n3 in t"])
        // While the registry is away its list says nothing, and the time begins anew.
        #expect(try publish(after: .seconds(13), isInTouch: false) == ["1 reached 0"])
        #expect(try publish(after: .seconds(14)) == ["1 reached 0"])
        #expect(try publish(after: .seconds(24)) == ["1 reached 0", "forget n3 in t"])
    }

    // Everyone.

    @Test func everyoneIsEveryNodeWithItsShareOfTheRate() throws {
        var desk = makeDesk()
        func everyone(_ number: Int, _ rate: Int?) -> PendingPublish<Int> {
            PendingPublish(target: .everyone, message: message("m\(number)"), perSecondMax: rate, ticket: number)
        }
        #expect(try desk.submit([everyone(1, 100)]).transcript == ["look up everyone m1 with loads"])
        let effects = desk.lookedUp(
            .everyone, .success(.everyone(loads: [:])), members: nodes, isInTouch: true, now: start)
        #expect(effects.transcript == ["1 reached 2", "call n1 77/1 m1", "call n2 77/1 m1"])
        let audiences = effects.actions.compactMap { action -> Publication.Audience? in
            if case .call(_, let call) = action { call.batch.publications[0].audience } else { nil }
        }
        #expect(audiences == [.everyone(perSecondMax: 50), .everyone(perSecondMax: 50)])
        _ = desk.answered(by: incarnation("n1"))
        #expect(try desk.submit([everyone(2, nil)]).transcript == ["look up everyone m2"])
        #expect(
            desk.lookedUp(
                .everyone, .success(.everyone(loads: [:])), members: Members([]), isInTouch: true, now: start
            ).transcript == ["2 refused no_node"])
    }

    // Bounds.

    @Test func whatIsTooMuchIsRefusedWhole() throws {
        var bounds = Desk.Bounds()
        bounds.perTargetMax = 3
        bounds.bytesMax = 3_000
        var desk = makeDesk(bounds: bounds)
        _ = try desk.submit([pending(1), pending(2)])
        // One too many for the topic; the other topic does not get its message either.
        #expect(throws: WindfireError(.overloaded, "too many messages are on their way to one topic")) {
            try desk.submit([pending(3, to: "u"), pending(4), pending(5)])
        }
        #expect(desk.laneCount == 1)
        #expect(desk.openCount == 2)
        let error = #expect(throws: WindfireError.self) { try desk.submit([pending(6, to: "u", bytes: 2_400)]) }
        #expect(error?.code == .overloaded)
        #expect(error?.retryAfter == .seconds(1))
        _ = try desk.submit([pending(7, to: "u", bytes: 2_000)])
        #expect(throws: WindfireError.self) { try desk.submit([pending(8, to: "u", bytes: 3_000)]) }
        let never = #expect(throws: WindfireError.self) { try desk.submit((0..<4).map { pending($0) }) }
        #expect(never?.code == .payloadTooLarge)
        _ = lookedUp(&desk, .success(reach([])))
        desk.settled((1...2).map { (.topic(topic("t")), PublishCost.bytes(of: message("m\($0)"))) })
        _ = try desk.submit([pending(9), pending(10)])
    }

    // A receipt.

    @Test func aReceiptIsCompleteWhateverComesFirst() {
        let position = HistoryPosition(epoch: 1, offset: 9)
        var tally = PublishTally()
        #expect(tally.enter(.outcome(PublishOutcome(delivered: 3, refused: 1))) == nil)
        #expect(tally.enter(.failed(NodeID(unchecked: "n2"), .nodeUnavailable)) == nil)
        #expect(tally.enter(.reached(nodes: 3, position: position, lookupFailure: nil)) == nil)
        var receipt = PublishReceipt()
        receipt.nodes = 3
        receipt.delivered = 3
        receipt.refused = 1
        receipt.position = position
        receipt.failedNodes = [
            .init(id: NodeID(unchecked: "n1"), reason: "overloaded"),
            .init(id: NodeID(unchecked: "n2"), reason: "node_unavailable"),
        ]
        #expect(tally.enter(.failed(NodeID(unchecked: "n1"), .overloaded)) == .success(receipt))
    }
}

extension PublishDesk<Int>.Effects {
    /// The news, then what is to be done; calls by node.
    fileprivate var transcript: [String] {
        news.map { "\($0.ticket) \($0.news.text)" }
            + actions.map(\.text).enumerated().sorted { left, right in
                let areCalls = left.element.hasPrefix("call") && right.element.hasPrefix("call")
                return areCalls && left.element.suffix(2) == right.element.suffix(2)
                    ? left.element < right.element : left.offset < right.offset
            }.map(\.element)
    }
}

extension PublishTally.News {
    fileprivate var text: String {
        switch self {
        case .reached(let nodes, _, let failure): "reached \(nodes)" + (failure.map { " \($0.code)" } ?? "")
        case .outcome(let outcome): "delivered \(outcome.delivered)"
        case .failed(let node, let code): "failed on \(node) \(code)"
        case .refused(let error): "refused \(error.code)"
        }
    }
}

extension PublishDesk<Int>.Action {
    fileprivate var text: String {
        switch self {
        case .lookUp(let target, let messages, let history, let needsLoads):
            "look up \(target.topic?.text ?? "everyone") \(messages.map(\.id.text).joined(separator: ","))"
                + (history.map { " keeping \($0.countMax)" } ?? "") + (needsLoads ? " with loads" : "")
        case .readPatterns: "read patterns"
        case .call(let member, let call):
            "call \(member.id) \(call.batch.link)/\(call.batch.number) "
                + call.batch.publications.map(\.message.id.text).joined(separator: ",")
        case .forget(let nodes, let topic):
            "forget \(nodes.map(\.node.text).sorted().joined(separator: ",")) in \(topic?.text ?? "the patterns")"
        }
    }
}
