import Common
import NIOCore
import PushCore
import TestKit
import Testing

/// Random stories of a device, its session and a store: deliveries are lost, repeated and overtake one another, pages
/// take their time or never come, the connection stops taking bytes, acknowledgements are cumulative and late. In the
/// end the device has everything, in order.
@Suite struct InboxFlowModelTests {
    @Test(arguments: 0..<200)
    func whateverHappensTheDeviceGetsEverythingInOrder(_ run: UInt64) {
        var random = SplitMix(seed: 0x1B0F_0000 + run)
        var world = World(random: &random)
        for _ in 0..<400 { world.happen(&random) }
        world.calmDown()
        #expect(world.device == Array(1...world.stored), "seed \(0x1B0F_0000 + run)")
        #expect(world.acknowledged == world.stored)
    }
}

private struct World {
    private let rules: InboxFlow.Rules
    private let flow: InboxFlow
    private var now = NIODeadline.uptimeNanoseconds(1)
    /// The inbox holds 1...stored.
    private(set) var stored: UInt64
    /// Each message when it was first received.
    private(set) var device: [UInt64] = []
    private(set) var acknowledged: UInt64 = 0
    private var takesBytes = true
    private var deliveries: [UInt64] = []
    private var reads: [UInt64] = []
    private var owed: UInt64 = 0

    init(random: inout SplitMix) {
        rules = InboxFlow.Rules(
            windowMax: .random(in: 1...9, using: &random), acknowledgementTimeout: .seconds(30))
        stored = .random(in: 0...20, using: &random)
        let page = Self.page(after: 0, of: stored)
        flow = InboxFlow(page: page, rules: rules)
        perform(flow.received(page, takesBytes: true, now: now, rules: rules))
    }

    private static func place(_ number: UInt64) -> StreamPosition { StreamPosition(milliseconds: 9, sequence: number) }

    private static func page(after: UInt64, of stored: UInt64, size: UInt64 = 5) -> InboxPage {
        let last = min(stored, after + size)
        let entries = (after + 1..<max(last, after) + 1).map { number in
            InboxEntry(
                id: place(number), previous: number == 1 ? nil : place(number - 1), message: .sample("\(number)"))
        }
        return InboxPage(
            messages: entries, isMore: last < stored, trimmed: 0, upTo: stored == 0 ? nil : place(stored))
    }

    mutating func happen(_ random: inout SplitMix) {
        now = now + .milliseconds(.random(in: 0...2_000, using: &random))
        switch Int.random(in: 0..<9, using: &random) {
        case 0, 1, 2:
            stored += 1
            // One in five is lost on its way.
            if Int.random(in: 0..<5, using: &random) > 0 { deliveries.append(stored) }
        case 3, 4:
            guard let index = deliveries.indices.randomElement(using: &random) else { return }
            deliver(deliveries[index])
            if Bool.random(using: &random) { deliveries.remove(at: index) }
        case 5: answerRead(fails: Int.random(in: 0..<4, using: &random) == 0)
        case 6: acknowledge(.random(in: 0...owed, using: &random))
        case 7:
            takesBytes.toggle()
            if takesBytes { perform(flow.proceed(takesBytes: true, now: now, rules: rules)) }
        default: tick()
        }
    }

    /// Everything that is under way ends well.
    mutating func calmDown() {
        takesBytes = true
        flow.reaches(Self.place(stored))
        for _ in 0..<500 {
            now = now + .seconds(20)
            perform(flow.proceed(takesBytes: true, now: now, rules: rules))
            while !reads.isEmpty { answerRead(fails: false) }
            acknowledge(owed)
        }
    }

    private mutating func deliver(_ number: UInt64) {
        let verdict = flow.stored(
            at: Self.place(number), after: number == 1 ? nil : Self.place(number - 1), takesBytes: takesBytes,
            now: now, rules: rules)
        switch verdict {
        case .send: receive(number)
        case .waits: perform(flow.proceed(takesBytes: takesBytes, now: now, rules: rules))
        case .duplicate: break
        }
    }

    private mutating func answerRead(fails: Bool) {
        guard !reads.isEmpty else { return }
        let after = reads.removeFirst()
        guard !fails else { return flow.readFailed(now: now, rules: rules) }
        perform(
            flow.received(
                Self.page(after: after, of: stored), takesBytes: takesBytes, now: now, rules: rules))
    }

    private mutating func acknowledge(_ number: UInt64) {
        guard number > 0 else { return }
        perform(flow.acknowledge(upTo: Self.place(number), takesBytes: takesBytes, now: now, rules: rules))
    }

    private mutating func tick() {
        guard let due = flow.nextDeadline, due <= now else { return }
        perform(flow.proceed(takesBytes: takesBytes, now: now, rules: rules))
    }

    private mutating func perform(_ step: InboxFlow.Step) {
        #expect(step.send.isEmpty || takesBytes)
        for message in step.send { receive(UInt64(String(buffer: message.data)) ?? 0) }
        if let read = step.read {
            #expect(reads.isEmpty, "one question at a time")
            reads.append(read.sequence)
        }
        if let position = step.acknowledge { acknowledged = max(acknowledged, position.sequence) }
    }

    private mutating func receive(_ number: UInt64) {
        if number > owed {
            device.append(number)
            owed = number
        }
    }
}
