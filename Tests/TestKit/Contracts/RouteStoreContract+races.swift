import Common
import Testing

extension RouteStoreContract {
    static let races: [RouteStoreContract] = [
        RouteStoreContract("1,000 interleaved claims and releases of one device end with exactly the last session") {
            harness, cast in
            var limits = Limits.default
            limits.displacementsMax = .max
            // Eight connections, each claiming and now and then releasing what it had; nobody waits for anybody.
            let stays = try await withThrowingTaskGroup(of: [(claim: RouteClaim, epoch: Epoch)].self) { group in
                for door in 0..<8 {
                    let store = try await harness.makeStore(limits)
                    group.addTask {
                        var granted: [(claim: RouteClaim, epoch: Epoch)] = []
                        for round in 0..<125 {
                            let claim = cast.claim("a", on: "n\(door)", session: UInt64(door * 1000 + round))
                            guard case .granted(let epoch, _, _) = try await store.claim(claim) else {
                                Issue.record("every claim is granted")
                                continue
                            }
                            // All but the last session of each connection are released, early or late.
                            if round % 3 == 0, let earlier = granted.last {
                                try await store.release(earlier.claim.entry(earlier.epoch))
                            }
                            granted.append((claim, epoch))
                        }
                        for late in granted.dropLast() { try await store.release(late.claim.entry(late.epoch)) }
                        return granted
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(stays.count == 1_000)
            #expect(Set(stays.map(\.epoch)).count == 1_000)
            let last = try #require(stays.max { $0.epoch < $1.epoch })
            let store = try await harness.makeStore(limits)
            #expect(try await store.locate([last.claim.client]) == [[last.claim.route(last.epoch)]])
            for door in 0..<8 {
                let expected = last.claim.incarnation == cast.incarnation("n\(door)") ? 1 : 0
                #expect(try await store.sessionCounts(of: cast.incarnation("n\(door)")).values.reduce(0, +) == expected)
            }
        },

        RouteStoreContract("any order of connects, disconnects, reclaims and burials ends as the plain rules say") {
            harness, cast in
            var limits = Limits.default
            limits.displacementsMax = .max
            let store = try await harness.makeStore(limits)
            for round in 0..<40 {
                let seed = cast.run &+ UInt64(round)
                try await runRandomHistory(store, cast, round: round, seed: seed)
            }
        },
    ]

    /// 25 random events of one client with two devices on three nodes, held against the rules in their plainest form.
    private static func runRandomHistory(
        _ store: any RouteStore, _ cast: Cast, round: Int, seed: UInt64
    ) async throws {
        var random = SplitMix(seed: seed)
        /// Every session there ever was, with the epoch it was granted.
        var sessions: [ClientRoute] = []
        /// What is routed, by device.
        var model: [DeviceID: Route] = [:]
        var story = "seed \(seed):"

        for step in 0..<25 {
            let node = "r\(round)n\(random.next() % 3)"
            switch random.next() % 8 {
            case 0...3:
                let claim = cast.claim(
                    "r\(round)", ["p", "l"][Int(random.next() % 2)], on: node, session: UInt64(step))
                story += " claim \(claim.device) \(node) \(step)"
                let epoch = try await store.grant(claim, displacing: model[claim.device].map { [$0] } ?? [])
                model[claim.device] = claim.route(epoch)
                sessions.append(claim.entry(epoch))
            case 4, 5:
                guard let entry = sessions.randomElement(using: &random) else { continue }
                story += " release \(entry.route.session.high)"
                let isCurrent = model[entry.route.device] == entry.route
                #expect(try await store.release(entry) == isCurrent, "\(story)")
                if isCurrent { model[entry.route.device] = nil }
            case 6:
                guard let entry = sessions.randomElement(using: &random) else { continue }
                story += " reclaim \(entry.route.session.high)"
                let present = model[entry.route.device]
                let isKept = present.map { $0.epoch <= entry.route.epoch } ?? true
                #expect(
                    try await store.reclaim(entry, generation: .first) == (isKept ? .kept : .superseded), "\(story)")
                if isKept { model[entry.route.device] = entry.route }
            default:
                story += " bury \(node)"
                let incarnation = cast.incarnation(node)
                let gone = model.filter { $0.value.incarnation == incarnation }
                #expect(try await store.bury(incarnation) == gone.count, "\(story)")
                for device in gone.keys { model[device] = nil }
            }
            let routes = try await store.routes(of: cast.client("r\(round)"))
            #expect(routes == model.values.sorted { $0.epoch < $1.epoch }, "\(story)")
        }
    }
}
