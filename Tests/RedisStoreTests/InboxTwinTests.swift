import Common
import TestKit
import Testing

@testable import RedisStore

/// Random histories of a client on Redis and in memory: every answer is the same. Ids differ in their milliseconds, so
/// their running numbers are compared.
@Suite struct InboxTwinTests {
    private struct Twins {
        let memory: InMemoryRouteStore
        let redis: RedisRouteStore
        let client: ClientID
        /// Of the twins' inboxes, by running number.
        var memoryIDs: [UInt64: StreamPosition] = [0: .start]
        var redisIDs: [UInt64: StreamPosition] = [0: .start]
        var story = ""
    }

    @Test func `the twins answer alike, whatever happens`() async throws {
        let server = try await SharedServers.single()
        try await withStores(at: server.url) { harness in
            var limits = Limits.default
            limits.inboxMessagesMax = 6
            limits.inboxBytesMax = 60
            limits.inboxPageMessagesMax = 3
            limits.inboxPageBytesMax = 40
            limits.displacementsMax = .max
            let redis = try await harness.open(limits)
            let base = UInt64.random(in: .min ... .max)
            for round in 0..<60 {
                let seed = base &+ UInt64(round)
                var random = SeededGenerator(state: seed)
                var twins = Twins(
                    memory: InMemoryRouteStore(limits: limits), redis: redis,
                    client: ClientID(unchecked: "twin-\(seed.hex16)"))
                twins.story = "seed \(seed):"
                var messages: [StoredMessage] = []
                for step in 0..<40 {
                    try await self.step(step, &twins, &messages, &random)
                    let (ours, theirs) = (
                        await twins.memory.inboxSummary(of: twins.client),
                        try await redis.inboxSummary(of: twins.client)
                    )
                    try #require(Self.digest(ours) == Self.digest(theirs), "\(twins.story)")
                }
            }
        }
    }

    private func step(
        _ step: Int, _ twins: inout Twins, _ messages: inout [StoredMessage], _ random: inout SeededGenerator
    ) async throws {
        let device = DeviceID(unchecked: ["phone", "laptop", "tv"][Int(random.next() % 3)])
        switch random.next() % 10 {
        case 0...3:
            var message = sampleMessage(step)
            message.data = [UInt8](repeating: 0x30, count: Int(random.next() % 25))
            message.collapseKey = [nil, nil, "k", "l"][Int(random.next() % 4)]
            message.job = random.next() % 2 == 0 ? JobID(UUIDv7(unixMilliseconds: 7, random: (1, 1))) : nil
            messages.append(message)
            try await store(message, isRepeat: false, &twins)
        case 4:
            // Of a push that was stored, maybe long gone; runs again.
            guard let message = messages.suffix(4).randomElement(using: &random) else { return }
            try await store(message, isRepeat: true, &twins)
        case 5, 6:
            let claim = RouteClaim(
                client: twins.client, device: device, incarnation: sampleIncarnation,
                session: SessionID(high: UInt64(step), low: 1), generation: .first,
                wantsInbox: random.next() % 5 > 0)
            twins.story += " claim \(device) \(claim.wantsInbox)"
            guard case .granted(_, _, let ours) = await twins.memory.claim(claim),
                case .granted(_, _, let theirs) = try await twins.redis.claim(claim)
            else {
                Issue.record("granted twice")
                return
            }
            #expect(Self.digest(ours) == Self.digest(theirs), "\(twins.story)")
        case 7, 8:
            let number = twins.memoryIDs.keys.sorted().suffix(8).randomElement(using: &random) ?? 0
            twins.story += " ack \(device) \(number)"
            let ours = await twins.memory.acknowledge([
                Acknowledgement(client: twins.client, device: device, upTo: twins.memoryIDs[number] ?? .start)
            ])
            let theirs = await twins.redis.acknowledge([
                Acknowledgement(client: twins.client, device: device, upTo: twins.redisIDs[number] ?? .start)
            ])
            #expect(ours.map(Self.digest) == theirs.map(Self.digest), "\(twins.story)")
        default:
            if random.next() % 8 == 0 {
                twins.story += " purge"
                let ours = await twins.memory.purgeInbox(of: twins.client)
                #expect(try await twins.redis.purgeInbox(of: twins.client) == ours, "\(twins.story)")
            }
            let number = twins.memoryIDs.keys.randomElement(using: &random)
            twins.story += " read \(device) \(number ?? 0)"
            let ours = await twins.memory.readInbox(
                of: twins.client, for: device, after: number.flatMap { twins.memoryIDs[$0] })
            let theirs = try await twins.redis.readInbox(
                of: twins.client, for: device, after: number.flatMap { twins.redisIDs[$0] })
            #expect(Self.digest(ours) == Self.digest(theirs), "\(twins.story)")
        }
    }

    private func store(_ message: StoredMessage, isRepeat: Bool, _ twins: inout Twins) async throws {
        twins.story += " store \(message.data.count) \(message.collapseKey ?? "-")\(isRepeat ? " again" : "")"
        let ours = await twins.memory.store(message, for: [twins.client], isRepeat: isRepeat)[0]
        let theirs = await twins.redis.store(message, for: [twins.client], isRepeat: isRepeat)[0]
        #expect(Self.digest(ours) == Self.digest(theirs), "\(twins.story)")
        if case .stored(let id, _, _, _) = ours { twins.memoryIDs[id.sequence] = id }
        if case .stored(let id, _, _, _) = theirs { twins.redisIDs[id.sequence] = id }
    }

    // MARK: What is compared

    private static func digest(_ result: StoreResult) -> String {
        guard case .stored(let id, let previous, let isRepeat, let sessions) = result else { return "\(result)" }
        let devices = sessions.map(\.device.text).sorted()
        return "\(id.sequence) after \(previous?.sequence ?? 0) \(isRepeat) \(devices)"
    }

    private static func digest(_ result: AcknowledgeResult) -> String {
        guard case .acknowledged(let upTo, let first) = result else { return "\(result)" }
        return "\(upTo.sequence) \(first.values.sorted())"
    }

    private static func digest(_ page: InboxPage) -> String {
        let messages = page.messages.map { "\($0.id.sequence)<\($0.previous?.sequence ?? 0)" }
        return "\(messages) \(page.isMore) \(page.trimmed) \(page.upTo?.sequence ?? 0)"
    }

    private static func digest(_ summary: InboxSummary) -> String {
        let devices = summary.devices.map { "\($0.device) \($0.cursor.sequence) \($0.trimmed)" }.sorted()
        return "\(summary.count) \(summary.bytes) \(summary.oldest?.sequence ?? 0) \(summary.last?.sequence ?? 0) "
            + "\(summary.acknowledged.sequence) \(devices)"
    }
}

/// A small generator with a seed (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
