import Common
import Testing

extension InboxContract {
    static let storing: [InboxContract] = [
        InboxContract("a message is stored for each of many, with all that was said, and finds who is online") {
            harness, cast in
            let (one, other) = (
                try await harness.makeMessageStore(.default), try await harness.makeMessageStore(.default)
            )
            var message = newMessage(key: "ke|y\n渡", job: cast.job())
            message.data = Array(#"{"zoë":"\u0000"}"#.utf8) + [0, 10, 13, 0xC3]
            message.from = cast.client("sender")
            message.traceID = "4bf92f3577b34da6a3ce929d0e0e4736"
            let clients = (0..<250).map { cast.client("c\($0)") }
            var routes: [ClientID: [Route]] = [:]
            for number in stride(from: 0, to: 250, by: 5) {
                let claim = cast.claim("c\(number)", session: UInt64(number))
                routes[claim.client] = [claim.route(try await other.grant(claim))]
            }

            let results = await one.store(message, for: clients, isRepeat: false)
            try #require(results.count == 250)
            for (client, result) in zip(clients, results) {
                guard case .stored(let id, nil, false, let sessions) = result else {
                    Issue.record("stored as the first message, not \(result)")
                    continue
                }
                #expect(sessions == routes[client] ?? [])
                let page = try await other.readInbox(of: client, for: cast.device("phone"), after: nil)
                #expect(page.messages == [InboxEntry(id: id, previous: nil, message: message)])
                #expect(page.upTo == id)
                #expect(page.isMore == false && page.trimmed == 0)
            }
        },

        InboxContract("ids rise, and each names the one before it") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            var before: Stored?
            for number in 0..<50 {
                let stored = try await store.put(newMessage(number), for: client)
                #expect(stored.previous == before?.id)
                if let before {
                    #expect(stored.id > before.id)
                    #expect(stored.id.sequence == before.id.sequence + 1)
                }
                #expect(MessageID(unchecked: stored.id.messageID.text).text == stored.id.description)
                before = stored
            }
            #expect(try await store.inboxHeads([client, cast.client("stranger")]) == [before?.id, nil])
        },

        InboxContract("who is offline gets its messages with the next claim, and again until it acknowledges") {
            harness, cast in
            let (one, other) = (
                try await harness.makeMessageStore(.default), try await harness.makeMessageStore(.default)
            )
            let claim = cast.claim("a", session: 1)
            #expect(try await other.page(of: claim) == .empty)
            try await other.release(claim.entry(Epoch(0)))
            let ids = try await one.put(0..<3, for: claim.client)
            for session in 2...4 {
                let page = try await other.page(of: cast.claim("a", session: UInt64(session)))
                #expect(page.numbers == [0, 1, 2])
                #expect(page.messages.map(\.id) == ids)
                #expect(page.messages.map(\.previous) == [nil, ids[0], ids[1]])
                #expect(page.upTo == ids[2])
            }
            try await one.acknowledge(claim.client, claim.device, upTo: ids[1])
            let rest = try await other.page(of: cast.claim("a", session: 5))
            #expect(rest.numbers == [2])
            #expect(rest.messages.first?.previous == ids[1])
            try await one.acknowledge(claim.client, claim.device, upTo: ids[2])
            let nothing = try await other.page(of: cast.claim("a", session: 6))
            #expect(nothing == InboxPage(messages: [], isMore: false, trimmed: 0, upTo: ids[2]))
        },

        InboxContract("a claim that is repeated gives the same page") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let claim = cast.claim("a", session: 1)
            try await store.put(0..<3, for: claim.client)
            let page = try await store.page(of: claim)
            #expect(page.numbers == [0, 1, 2])
            #expect(try await store.page(of: claim) == page)
        },

        InboxContract("a push that is run again is stored once, before and after it was acknowledged") {
            harness, cast in
            let (one, other) = (
                try await harness.makeMessageStore(.default), try await harness.makeMessageStore(.default)
            )
            let clients = (0..<20).map { cast.client("c\($0)") }
            let message = newMessage(7)
            // The first run came to a half of them.
            for client in clients[..<10] { try await one.put(0..<2, for: client) }
            let first = await one.store(message, for: Array(clients[..<10]), isRepeat: false)
            for client in clients[..<5] { try await one.put(8..<40, for: client) }
            let head = try #require(try await one.inboxHeads([clients[0]])[0])
            try await one.acknowledge(clients[0], cast.device("phone"), upTo: head)

            let second = await other.store(message, for: clients, isRepeat: true)
            for (index, client) in clients.enumerated() {
                guard case .stored(let id, let previous, let isRepeat, []) = second[index] else {
                    Issue.record("stored, not \(second[index])")
                    continue
                }
                #expect(isRepeat == (index < 10))
                if index < 10 {
                    #expect(
                        first[index] == .stored(id: id, previous: previous, isRepeat: false, sessions: []))
                }
                let count = index < 5 ? 35 : index < 10 ? 3 : 1
                #expect(try await one.inboxSummary(of: client).count == count)
            }
            // Once more changes nothing.
            let third = await one.store(message, for: clients, isRepeat: true)
            #expect(
                third.allSatisfy { if case .stored(_, _, true, _) = $0 { true } else { false } })
        },

        InboxContract("what has expired is given to nobody and counts as lost for nobody") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            _ = try await store.page(of: cast.claim("a", session: 1))
            let over = StoredMessage(
                push: newPush(), data: [], timestampMilliseconds: WallClock.milliseconds() - 10,
                expiresAtMilliseconds: WallClock.milliseconds() - 1)
            #expect(await store.store(over, for: [client], isRepeat: false) == [.expired])
            try await store.put(newMessage(1), for: client)
            try await store.put(newMessage(2, ttl: .milliseconds(300)), for: client)
            try await store.put(newMessage(3), for: client)
            try await eventually("the short-lived message is over") {
                try await store.readInbox(of: client, for: cast.device("phone"), after: nil).numbers == [1, 3]
            }
            #expect(try await store.page(of: cast.claim("a", session: 2)).trimmed == 0)
            // Met, so dropped.
            #expect(try await store.inboxSummary(of: client).count == 2)
            #expect(try await store.inboxSummary(of: client).bytes == 2)
        },

        InboxContract("nothing waits longer than the longest there is") { harness, cast in
            var limits = Limits.default
            limits.inboxAge = .milliseconds(300)
            let store = try await harness.makeMessageStore(limits)
            try await store.put(newMessage(1, ttl: .seconds(3_600)), for: cast.client("a"))
            try await eventually("the message is over") {
                try await store.readInbox(of: cast.client("a"), for: cast.device("p"), after: nil).messages == []
            }
        },
    ]

    static let collapsing: [InboxContract] = [
        InboxContract("a newer message takes the place of one with its key that somebody has not acknowledged") {
            harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            _ = try await store.page(of: cast.claim("a", "phone", session: 1))
            _ = try await store.page(of: cast.claim("a", "laptop", session: 2))
            let first = try await store.put(newMessage(1, key: "k"), for: client)
            try await store.put(newMessage(2, key: "other"), for: client)
            try await store.acknowledge(client, cast.device("phone"), upTo: first.id)
            let second = try await store.put(newMessage(3, key: "k"), for: client)
            #expect(try await store.page(of: cast.claim("a", "laptop", session: 3)).numbers == [2, 3])
            #expect(try await store.page(of: cast.claim("a", "phone", session: 4)).numbers == [2, 3])

            // What every device has acknowledged is no longer anybody's business.
            for device in ["phone", "laptop"] {
                try await store.acknowledge(client, cast.device(device), upTo: second.id)
            }
            let third = try await store.put(newMessage(4, key: "k"), for: client)
            #expect(third.previous == second.id)
            #expect(try await store.page(of: cast.claim("a", "laptop", session: 5)).numbers == [4])
            let summary = try await store.inboxSummary(of: client)
            #expect(summary.count == 3 && summary.bytes == 3)
        },

        InboxContract("collapsed messages are not counted as lost, and leave room") { harness, cast in
            var limits = Limits.default
            limits.inboxMessagesMax = 5
            let store = try await harness.makeMessageStore(limits)
            let claim = cast.claim("a", session: 1)
            _ = try await store.page(of: claim)
            for number in 0..<50 { try await store.put(newMessage(number, key: "k"), for: claim.client) }
            let page = try await store.page(of: claim)
            #expect(page.numbers == [49])
            #expect(page.trimmed == 0)
            for number in 50..<56 { try await store.put(newMessage(number), for: claim.client) }
            let full = try await store.page(of: claim)
            #expect(full.numbers == [51, 52, 53, 54, 55])
            // 49, which had the key, and 50.
            #expect(full.trimmed == 2)
            // The key's message is gone, so there is nothing to take the place of.
            try await store.put(newMessage(56, key: "k"), for: claim.client)
            #expect(try await store.page(of: claim).numbers == [52, 53, 54, 55, 56])
        },

        InboxContract("an older push that is run again does not come after the newer one that replaced it") {
            harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            var older = newMessage(1, key: "k")
            older.timestampMilliseconds -= 1_000
            try await store.put(older, for: client)
            try await store.put(newMessage(2, key: "k"), for: client)
            #expect(await store.store(older, for: [client], isRepeat: true) == [.replaced])
            #expect(try await store.page(of: cast.claim("a", session: 1)).numbers == [2])
        },
    ]
}
