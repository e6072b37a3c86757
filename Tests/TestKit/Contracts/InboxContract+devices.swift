import Common
import Testing

extension InboxContract {
    static let devices: [InboxContract] = [
        InboxContract("each device has a cursor of its own, which goes forward only and never past the last message") {
            harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            let (phone, laptop) = (cast.device("phone"), cast.device("laptop"))
            _ = try await store.page(of: cast.claim("a", "phone", session: 1))
            _ = try await store.page(of: cast.claim("a", "laptop", session: 2))
            let ids = try await store.put(0..<10, for: client)
            #expect(try await store.acknowledge(client, phone, upTo: ids[6]).upTo == ids[6])
            #expect(try await store.acknowledge(client, phone, upTo: ids[3]).upTo == ids[6])
            #expect(try await store.page(of: cast.claim("a", "phone", session: 3)).numbers == [7, 8, 9])
            #expect(try await store.page(of: cast.claim("a", "laptop", session: 4)).numbers == Array(0..<10))

            let future = StreamPosition(milliseconds: ids[9].milliseconds + 3_600_000, sequence: 0)
            #expect(try await store.acknowledge(client, laptop, upTo: future).upTo == ids[9])
            let next = try await store.put(newMessage(10), for: client)
            #expect(try await store.page(of: cast.claim("a", "laptop", session: 5)).numbers == [10])
            #expect(
                Set(try await store.inboxSummary(of: client).devices.map { [$0.device.text, "\($0.cursor)"] })
                    == [["phone", "\(ids[6])"], ["laptop", "\(ids[9])"]])
            #expect(try await store.inboxSummary(of: client).acknowledged == ids[9])
            #expect(try await store.inboxSummary(of: client).last == next.id)
        },

        InboxContract("a device that was never seen gets what no device has acknowledged") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            let ids = try await store.put(0..<6, for: client)
            #expect(try await store.page(of: cast.claim("a", "phone", session: 1)).numbers == Array(0..<6))
            try await store.acknowledge(client, cast.device("phone"), upTo: ids[3])
            #expect(try await store.page(of: cast.claim("a", "new", session: 2)).numbers == [4, 5])
            // Its place is remembered although it has acknowledged nothing.
            try await store.acknowledge(client, cast.device("phone"), upTo: ids[5])
            #expect(try await store.page(of: cast.claim("a", "new", session: 3)).numbers == [4, 5])
            #expect(
                try await store.readInbox(of: client, for: cast.device("unknown"), after: nil).numbers == [])
        },

        InboxContract("a device that was known before the first message misses none of it") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            for (number, device) in ["phone", "laptop"].enumerated() {
                let claim = cast.claim("a", device, session: UInt64(number))
                #expect(try await store.page(of: claim) == .empty)
                try await store.release(claim.entry(Epoch(0)))
            }
            let stored = try await store.put(newMessage(1), for: client)
            #expect(stored.sessions == [])
            try await store.acknowledge(client, cast.device("phone"), upTo: stored.id)
            #expect(try await store.page(of: cast.claim("a", "laptop", session: 3)).numbers == [1])
        },

        InboxContract("a device that takes no stored messages gets none and holds nobody up") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            func deaf(_ session: UInt64) -> RouteClaim {
                RouteClaim(
                    client: cast.client("a"), device: cast.device("tv"), incarnation: cast.incarnation("n1"),
                    session: cast.session(session), generation: .first, wantsInbox: false)
            }
            try await store.put(newMessage(1, key: "k"), for: cast.client("a"))
            #expect(try await store.page(of: deaf(1)) == .empty)
            #expect(try await store.page(of: cast.claim("a", "phone", session: 2)).numbers == [1])
            let second = try await store.put(newMessage(2, key: "k"), for: cast.client("a"))
            // It is told all the same where the session is: sending is the node's affair.
            #expect(Set(second.sessions.map(\.device.text)) == ["tv", "phone"])
            try await store.acknowledge(cast.client("a"), cast.device("phone"), upTo: second.id)
            // The phone was the only one to wait for, so the third takes nobody's place.
            try await store.put(newMessage(3, key: "k"), for: cast.client("a"))
            #expect(try await store.inboxSummary(of: cast.client("a")).count == 2)
            #expect(try await store.inboxSummary(of: cast.client("a")).devices.map(\.device.text) == ["phone"])
            // It may change its mind.
            #expect(try await store.page(of: cast.claim("a", "tv", session: 3)).numbers == [3])
        },

        InboxContract("a job counts each message of a client once, whichever device acknowledges it first") {
            harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let (client, one, other) = (cast.client("a"), cast.job(), cast.job())
            let first = try await store.put(0..<5, for: client, job: one)
            let second = try await store.put(5..<8, for: client, job: other)
            let third = try await store.put(8..<10, for: client)
            let (phone, laptop) = (cast.device("phone"), cast.device("laptop"))
            #expect(try await store.acknowledge(client, phone, upTo: first[1]).first == [one: 2])
            #expect(try await store.acknowledge(client, laptop, upTo: first[0]).first == [:])
            #expect(try await store.acknowledge(client, laptop, upTo: second[1]).first == [one: 3, other: 2])
            #expect(try await store.acknowledge(client, phone, upTo: third[1]).first == [other: 1])
            #expect(try await store.acknowledge(client, laptop, upTo: third[1]).first == [:])
        },

        InboxContract("many acknowledgements at once are answered each in its place") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            var acknowledgements: [Acknowledgement] = []
            var expected: [AcknowledgeResult] = []
            for number in 0..<150 {
                let (client, job) = (cast.client("c\(number)"), cast.job())
                let ids = number.isMultiple(of: 3) ? [] : try await store.put(0..<2, for: client, job: job)
                for device in ["phone", "laptop"] {
                    acknowledgements.append(
                        Acknowledgement(client: client, device: cast.device(device), upTo: ids.last ?? .start))
                    expected.append(
                        .acknowledged(
                            upTo: ids.last ?? .start,
                            first: ids.isEmpty || device == "laptop" ? [:] : [job: 2]))
                }
            }
            #expect(await store.acknowledge(acknowledgements) == expected)
            #expect(await store.acknowledge([]) == [])
        },

        InboxContract("a long inbox comes in pages by number and by size, and none is left out") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let claim = cast.claim("a", session: 1)
            let ids = try await store.put(0..<230, for: claim.client)
            var page = try await store.page(of: claim)
            var seen: [InboxEntry] = page.messages
            var sizes = [page.messages.count]
            while page.isMore {
                page = try await store.readInbox(
                    of: claim.client, for: claim.device, after: try #require(seen.last?.id))
                seen += page.messages
                sizes.append(page.messages.count)
            }
            #expect(sizes == [100, 100, 30])
            #expect(seen.map(\.id) == ids)
            #expect(seen.map(\.previous) == [nil] + ids.dropLast())
            #expect(page.upTo == ids.last)

            let large = cast.claim("b", session: 2)
            for _ in 0..<5 {
                var message = newMessage()
                message.data = [UInt8](repeating: 0x20, count: 100 << 10)
                try await store.put(message, for: large.client)
            }
            var huge = newMessage()
            huge.data = [UInt8](repeating: 0x20, count: 300 << 10)
            try await store.put(huge, for: large.client)
            page = try await store.page(of: large)
            sizes = [page.messages.count]
            while page.isMore, let last = page.messages.last {
                page = try await store.readInbox(of: large.client, for: large.device, after: last.id)
                sizes.append(page.messages.count)
            }
            #expect(sizes == [2, 2, 1, 1])
        },

        InboxContract("a purged inbox is empty for every device") { harness, cast in
            let store = try await harness.makeMessageStore(.default)
            let client = cast.client("a")
            let ids = try await store.put(0..<7, for: client)
            _ = try await store.page(of: cast.claim("a", session: 1))
            #expect(try await store.purgeInbox(of: client) == 7)
            #expect(try await store.purgeInbox(of: client) == 0)
            #expect(try await store.page(of: cast.claim("a", session: 2)).messages == [])
            #expect(try await store.page(of: cast.claim("a", "new", session: 3)).messages == [])
            let next = try await store.put(newMessage(8), for: client)
            #expect(next.id > ids[6] && next.previous == nil)
            #expect(try await store.page(of: cast.claim("a", session: 4)).numbers == [8])
            #expect(try await store.purgeInbox(of: cast.client("stranger")) == 0)
            #expect(try await store.inboxSummary(of: cast.client("stranger")) == .none)
        },
    ]
}
