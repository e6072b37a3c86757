import Common
import TestKit
import Testing

@testable import PushClient

/// The client's side against a small server that does everything slowly and badly, by chance.
@Suite struct SubscriptionsModelTests {
    @Test func `whatever happens, in the end the wire has what is wanted`() throws {
        var random = SplitMix.printed()
        for _ in 0..<60 {
            var world = World(seed: random.next())
            for _ in 0..<400 { try world.happen() }
            try world.settle()
            let wanted = world.client.entries
            let refused = wanted.filter { if case .refused = $0.value.phase { true } else { false } }.keys
            #expect(refused.allSatisfy { World.forbidden.contains($0.text) })
            let kept = Set(wanted.keys.map(\.text)).subtracting(World.forbidden)
            #expect(Set(world.server.standing.keys) == kept)
            for topic in kept { #expect(world.client[TopicPattern(unchecked: topic)]?.isStanding == true, "\(topic)") }
        }
    }

    @Test(arguments: [10_000, 6])
    func `what a topic keeps is shown once each, and the rest is told`(kept: Int) throws {
        var random = SplitMix.printed()
        for _ in 0..<60 {
            var world = World(seed: random.next(), kept: kept)
            let topic = TopicPattern(unchecked: "kept")
            try world.client.subscribe(to: topic, since: HistoryPosition(epoch: 1, offset: 0))
            world.isFixed = true
            for _ in 0..<400 { try world.happen() }
            try world.settle()
            let shown = world.shown
            #expect(Set(shown).count == shown.count, "something was shown twice")
            let missed = world.client[topic]?.missed ?? -1
            #expect(shown.count + missed == Int(world.server.head))
            if kept > Int(world.server.head) { #expect(missed == 0) }
            #expect(world.client[topic]?.position == "\(world.server.head)-0000000000000001")
        }
    }
}

private struct World {
    static let forbidden: Set<String> = ["secret"]
    private static let topics = ["a", "b", "a/#", "+", "secret", "kept"]

    var client = Subscriptions()
    var server: Server
    var shown: [UInt64] = []
    /// The application changes nothing.
    var isFixed = false
    private var refs = Refs()
    private var random: SplitMix
    private var now = ContinuousClock.now
    private var connection = 0
    private var toServer: [ClientFrame] = []
    private var toClient: [ServerFrame] = []

    init(seed: UInt64, kept: Int = 10_000) {
        random = SplitMix(seed: seed)
        server = Server(kept: kept)
    }

    mutating func happen() throws {
        switch Int.random(in: 0..<20, using: &random) {
        case 0:
            connection += 1
            toServer = []
            toClient = []
            server.standing = [:]
            client.welcomed(connection, now: now)
        case 1:
            toServer = []
            toClient = []
            server.standing = [:]
            _ = client.ended(connection)
        case 2, 3, 4:
            guard !isFixed, let topic = Self.topics.randomElement(using: &random) else { break }
            try client.subscribe(to: TopicPattern(unchecked: topic), since: nil)
        case 5, 6:
            guard !isFixed, let topic = Self.topics.randomElement(using: &random) else { break }
            if client.unsubscribe(from: TopicPattern(unchecked: topic), now: now) {
                toServer.append(.unsubscribe(topic, ref: refs.next()))
            }
        case 7: now += .milliseconds(Int.random(in: 1..<3_000, using: &random))
        case 8, 9, 10: toClient += server.publish(&random)
        case 11: toClient += server.fail()
        case 12, 13, 14, 15: serve(honestly: false)
        default: hear()
        }
        toServer += client.dueFrames(now: now, refs: &refs)
    }

    /// Everything works from now on, until nothing happens any more.
    mutating func settle() throws {
        _ = client.ended(connection)
        connection += 1
        (toServer, toClient, server.standing) = ([], [], [:])
        client.welcomed(connection, now: now)
        repeat {
            toServer += client.dueFrames(now: now, refs: &refs)
            while !toServer.isEmpty { serve(honestly: true) }
            while !toClient.isEmpty { hear() }
            if let next = client.nextDeadline { now = max(now, next) }
            toServer += client.dueFrames(now: now, refs: &refs)
        } while !toServer.isEmpty || client.nextDeadline != nil
    }

    private mutating func serve(honestly: Bool) {
        guard !toServer.isEmpty else { return }
        let isWell = honestly || Int.random(in: 0..<3, using: &random) > 0
        toClient += server.answer(toServer.removeFirst(), isWell: isWell)
    }

    private mutating func hear() {
        guard !toClient.isEmpty else { return }
        switch toClient.removeFirst() {
        case .ok(let ref, _, let position): _ = client.accepted(ref, position: position)
        case .error(let ref?, let refusal):
            _ = client.refused(ref, refusal, now: now, random: Double.random(in: 0..<1, using: &random))
        case .message(let message):
            if client.receive(message, on: connection), let offset = UInt64(message.id) { shown.append(offset) }
        case .topicGap(let gap): _ = client.missed(gap.missed, of: gap.topic, reason: gap.reason, on: connection)
        default: Issue.record("the server does not say that")
        }
    }
}

/// What the server is to one client. Only the topic `kept` has messages, and keeps the last of them.
private struct Server {
    let kept: Int
    var standing: [String: Int] = [:]
    var head: UInt64 = 0

    init(kept: Int) { self.kept = kept }

    private var first: UInt64 { head > UInt64(kept) ? head - UInt64(kept) + 1 : 1 }

    private func message(_ offset: UInt64) -> ServerFrame {
        .message(
            PushClient.Message(
                id: "\(offset)", data: [], timestamp: 0, wantsAcknowledgement: false, topic: "kept",
                position: HistoryPosition(epoch: 1, offset: offset).description))
    }

    /// One to four messages at once: by several publishers, so they come in any order.
    mutating func publish(_ random: inout SplitMix) -> [ServerFrame] {
        let count = UInt64.random(in: 1...4, using: &random)
        head += count
        guard standing["kept"] != nil else { return [] }
        return (head - count + 1...head).shuffled(using: &random).map(message)
    }

    /// Takes one back whose history cannot be read.
    mutating func fail() -> [ServerFrame] {
        guard let (topic, ref) = standing.min(by: { $0.value < $1.value }) else { return [] }
        standing[topic] = nil
        return [.error(ref: ref, .init(code: "routes_unavailable", message: ""))]
    }

    mutating func answer(_ frame: ClientFrame, isWell: Bool) -> [ServerFrame] {
        switch frame {
        case .unsubscribe(let topic, let ref):
            standing[topic] = nil
            return [.ok(ref: ref, delivered: nil)]
        case .subscribe(let topic, let since, let ref):
            if World.forbidden.contains(topic) { return [.error(ref: ref, .init(code: "forbidden", message: ""))] }
            guard isWell else { return [.error(ref: ref, .init(code: "overloaded", message: ""))] }
            if since != nil, topic != "kept" { return [.error(ref: ref, .init(code: "not_supported", message: ""))] }
            standing[topic] = ref
            guard topic == "kept" else { return [.ok(ref: ref, delivered: nil)] }
            guard let since = since.flatMap({ try? HistoryPosition($0) }) else {
                let position = HistoryPosition(epoch: 1, offset: head)
                return [.ok(ref: ref, delivered: nil, position: position.description)]
            }
            return [.ok(ref: ref, delivered: nil)] + replay(after: since.offset)
        default:
            Issue.record("the client does not say that")
            return []
        }
    }

    private func replay(after offset: UInt64) -> [ServerFrame] {
        let begin = max(first, offset + 1)
        let missed = begin - offset - 1
        let gap = ServerFrame.topicGap(.init(topic: "kept", missed: Int(missed), reason: "trimmed"))
        return (missed > 0 ? [gap] : []) + (begin <= head ? (begin...head).map(message) : [])
    }
}
