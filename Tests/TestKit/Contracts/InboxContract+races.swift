import Common
import Testing

extension InboxContract {
    static let races: [InboxContract] = [
        InboxContract("who connects at the very moment of a push gets it exactly once, 10,000 times") {
            harness, cast in
            let tries = 10_000
            let (node, route) = (
                try await harness.makeMessageStore(.default), try await harness.makeMessageStore(.default)
            )
            let found = try await withThrowingTaskGroup(of: (inPage: Int, inSessions: Int).self) { group in
                for worker in 0..<20 {
                    group.addTask {
                        var found = (inPage: 0, inSessions: 0)
                        for round in 0..<(tries / 20) {
                            let claim = cast.claim("w\(worker)r\(round)", session: UInt64(round))
                            let message = newMessage(round)
                            // Who is first is up to the scheduler; every other round starts the other way round.
                            async let early = round.isMultiple(of: 2) ? node.page(of: claim) : nil
                            async let stored = route.put(message, for: claim.client)
                            async let late = round.isMultiple(of: 2) ? nil : node.page(of: claim)
                            let pages = [try await early, try await late].compactMap(\.self)
                            let inPage = pages.flatMap(\.messages).filter { $0.message == message }.count
                            let inSessions = try await stored.sessions.filter { $0.session == claim.session }.count
                            #expect(inPage + inSessions == 1, "worker \(worker), round \(round)")
                            found.inPage += inPage
                            found.inSessions += inSessions
                        }
                        return found
                    }
                }
                return try await group.reduce((0, 0)) { ($0.0 + $1.inPage, $0.1 + $1.inSessions) }
            }
            #expect(found.0 + found.1 == tries)
            // Both orders happened, or nothing was shown.
            #expect(found.0 > 0 && found.1 > 0)
        },

        InboxContract("two devices that read and acknowledge while messages are stored see each once, in order") {
            harness, cast in
            let count = 400
            let (client, job) = (cast.client("a"), cast.job())
            let route = try await harness.makeMessageStore(.default)
            let seen = try await withThrowingTaskGroup(of: (numbers: [Int], counted: Int).self) { group in
                for device in ["phone", "laptop"] {
                    let node = try await harness.makeMessageStore(.default)
                    let claim = cast.claim("a", device, session: device == "phone" ? 1 : 2)
                    let first = try await node.page(of: claim)
                    group.addTask {
                        try await readAll(count, of: claim, from: node, beginning: first)
                    }
                }
                group.addTask {
                    try await route.put(0..<count, for: client, job: job)
                    return ([], 0)
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(seen.map(\.numbers).filter { !$0.isEmpty } == [Array(0..<count), Array(0..<count)])
            #expect(seen.reduce(0) { $0 + $1.counted } == count)
            let last = try await route.inboxHeads([client])[0]
            #expect(try await route.inboxSummary(of: client).devices.map(\.cursor) == [last, last])
        },

        InboxContract("a push that many run at once is stored once") { harness, cast in
            let client = cast.client("a")
            for round in 0..<20 {
                let message = newMessage(round)
                let ids = try await withThrowingTaskGroup(of: Stored.self) { group in
                    for _ in 0..<8 {
                        let store = try await harness.makeMessageStore(.default)
                        group.addTask { try await store.put(message, for: client, isRepeat: true) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(Set(ids.map(\.id)).count == 1)
                #expect(ids.filter { !$0.isRepeat }.count == 1)
            }
            let store = try await harness.makeMessageStore(.default)
            #expect(try await store.page(of: cast.claim("a", session: 1)).numbers == Array(0..<20))
        },
    ]

    /// Reads page after page, acknowledging each, until so many messages have come.
    private static func readAll(
        _ count: Int, of claim: RouteClaim, from node: any MessageStore, beginning: InboxPage
    ) async throws -> (numbers: [Int], counted: Int) {
        var (numbers, counted, page) = (beginning.numbers, 0, beginning)
        try await eventually(within: .seconds(60), "all \(count) messages have come", poll: .milliseconds(1)) {
            if let last = page.messages.last {
                counted += try await node.acknowledge(claim.client, claim.device, upTo: last.id)
                    .first.values.reduce(0, +)
            }
            guard numbers.count < count else { return true }
            page = try await node.readInbox(of: claim.client, for: claim.device, after: nil)
            numbers += page.numbers
            return false
        }
        return (numbers, counted)
    }

    static let pushes: [InboxContract] = [
        InboxContract("a key is remembered with the first push, until it ends or is taken back") { harness, cast in
            let (one, other) = (
                try await harness.makeMessageStore(.default), try await harness.makeMessageStore(.default)
            )
            let key = "key of \(cast.run) with spaces {and braces} " + String(repeating: "x", count: 2_000)
            #expect(try await one.rememberPush(key: key, as: "first", for: .seconds(60)) == nil)
            #expect(try await other.rememberPush(key: key, as: "second", for: .seconds(60)) == "first")
            // The same push again is no other push.
            #expect(try await one.rememberPush(key: key, as: "first", for: .seconds(60)) == nil)
            #expect(try await one.rememberPush(key: key + "y", as: "third", for: .seconds(60)) == nil)
            try await other.forgetPush(key: key)
            #expect(try await one.rememberPush(key: key, as: "fourth", for: .milliseconds(200)) == nil)
            try await eventually("the key is free again") {
                try await other.rememberPush(key: key, as: "fifth", for: .seconds(60)) == nil
            }
            #expect(try await one.rememberPush(key: key, as: "sixth", for: .seconds(60)) == "fifth")
        },

        InboxContract("acknowledgements of jobs add up, from wherever they come") { harness, cast in
            let (one, other) = (
                try await harness.makeMessageStore(.default), try await harness.makeMessageStore(.default)
            )
            let jobs = (0..<3).map { _ in cast.job() }
            try await withThrowingTaskGroup { group in
                for number in 0..<20 {
                    let store = number.isMultiple(of: 2) ? one : other
                    group.addTask { try await store.countAcknowledged([jobs[0]: 3, jobs[1]: number]) }
                }
                try await group.waitForAll()
            }
            #expect(try await one.acknowledgedCounts([jobs[1], jobs[0], jobs[2]]) == [190, 60, 0])
            try await one.countAcknowledged([:])
            #expect(try await other.acknowledgedCounts([]) == [])
        },
    ]
}
