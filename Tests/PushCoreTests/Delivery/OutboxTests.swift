import NIOCore
import PushCore
import TestKit
import Testing

struct OutboxTests {
    private func bytes(_ text: String) -> ByteBuffer { ByteBuffer(string: text) }

    private func drain(_ outbox: inout Outbox) -> [String] {
        var texts: [String] = []
        while let next = outbox.takeNext() { texts.append(String(buffer: next)) }
        return texts
    }

    @Test func keepsTheOrderAndCountsItsBytes() {
        var outbox = Outbox()
        let bounds = Outbox.Bounds(policy: .disconnect, messagesMax: 3, bytesMax: 100)
        for text in ["a", "bb", "ccc"] {
            #expect(outbox.offer(bytes(text), collapseKey: nil, bounds: bounds) == .queued(displaced: 0))
        }
        #expect(outbox.byteCount == 6)
        #expect(outbox.offer(bytes("d"), collapseKey: nil, bounds: bounds) == .overflow)
        #expect(drain(&outbox) == ["a", "bb", "ccc"])
        #expect(outbox.isEmpty)
        #expect(outbox.byteCount == 0)
    }

    @Test func bytesBoundItToo() {
        var outbox = Outbox()
        let bounds = Outbox.Bounds(policy: .dropOldest, messagesMax: 100, bytesMax: 10)
        for text in ["aaaa", "bbbb", "cc"] { _ = outbox.offer(bytes(text), collapseKey: nil, bounds: bounds) }
        #expect(outbox.byteCount == 10)
        #expect(outbox.offer(bytes("ddddd"), collapseKey: nil, bounds: bounds) == .queued(displaced: 2))
        #expect(drain(&outbox) == ["cc", "ddddd"])
    }

    @Test(arguments: Outbox.Policy.allCases) func whatNeverFitsDisplacesNothing(_ policy: Outbox.Policy) {
        let offer: Outbox.Offer = policy == .disconnect ? .overflow : .refused
        var outbox = Outbox()
        let bounds = Outbox.Bounds(policy: policy, messagesMax: 10, bytesMax: 4)
        _ = outbox.offer(bytes("old"), collapseKey: "k", bounds: bounds)
        #expect(outbox.offer(bytes("large"), collapseKey: "k", bounds: bounds) == offer)
        #expect(drain(&outbox) == ["old"])
    }

    @Test func theNewerOfAKeyGoesToTheEnd() {
        var outbox = Outbox()
        let bounds = Outbox.Bounds(policy: .collapse, messagesMax: 10, bytesMax: 100)
        _ = outbox.offer(bytes("1"), collapseKey: "k", bounds: bounds)
        _ = outbox.offer(bytes("2"), collapseKey: nil, bounds: bounds)
        #expect(outbox.offer(bytes("3"), collapseKey: "k", bounds: bounds) == .queued(displaced: 1))
        #expect(drain(&outbox) == ["2", "3"])
    }

    @Test(arguments: [Outbox.Policy.dropOldest, .disconnect])
    func keysMeanNothingToTheOtherPolicies(_ policy: Outbox.Policy) {
        var outbox = Outbox()
        let bounds = Outbox.Bounds(policy: policy, messagesMax: 10, bytesMax: 100)
        for text in ["1", "2"] {
            #expect(outbox.offer(bytes(text), collapseKey: "k", bounds: bounds) == .queued(displaced: 0))
        }
        #expect(drain(&outbox) == ["1", "2"])
    }

    @Test(arguments: Outbox.Policy.allCases) func behavesLikeAPlainList(_ policy: Outbox.Policy) {
        var random = SplitMix.printed("behavesLikeAPlainList \(policy)")
        let bounds = Outbox.Bounds(policy: policy, messagesMax: 6, bytesMax: 40)
        var outbox = Outbox()
        var model = PlainOutbox(bounds: bounds)
        for step in 0..<5000 {
            if Int.random(in: 0..<3, using: &random) == 0 {
                #expect(outbox.takeNext().map { String(buffer: $0) } == model.takeNext())
            } else {
                let length = Int.random(in: 0...45, using: &random) / Int.random(in: 1...9, using: &random)
                let text = "\(step)" + String(repeating: "x", count: length)
                let key = ["a", "b", nil].randomElement(using: &random) ?? nil
                #expect(outbox.offer(bytes(text), collapseKey: key, bounds: bounds) == model.offer(text, key))
            }
            #expect(outbox.count == model.waiting.count)
            #expect(outbox.byteCount == model.byteCount)
            #expect(outbox.count <= 6 && outbox.byteCount <= 40)
        }
    }
}

/// What an outbox does, said in the plainest way.
private struct PlainOutbox {
    let bounds: Outbox.Bounds
    var waiting: [(text: String, key: String?)] = []

    var byteCount: Int { waiting.map(\.text.utf8.count).reduce(0, +) }

    mutating func takeNext() -> String? { waiting.isEmpty ? nil : waiting.removeFirst().text }

    private var fits: Bool { waiting.count <= bounds.messagesMax && byteCount <= bounds.bytesMax }

    mutating func offer(_ text: String, _ key: String?) -> Outbox.Offer {
        var next = self
        next.waiting.append((text, key))
        switch bounds.policy {
        case .disconnect:
            guard next.fits else { return .overflow }
        case .collapse:
            if let key { next.waiting = waiting.filter { $0.key != key } + [(text, key)] }
            guard next.fits else { return .refused }
        case .dropOldest:
            guard text.utf8.count <= bounds.bytesMax else { return .refused }
            while !next.fits { next.waiting.removeFirst() }
        }
        let displaced = waiting.count + 1 - next.waiting.count
        self = next
        return .queued(displaced: displaced)
    }
}
