import Common
import Testing

extension InboxContract {
    static let bounds: [InboxContract] = [
        InboxContract("a full inbox keeps the newest, and tells each device how many it lost") { harness, cast in
            var limits = Limits.default
            limits.inboxMessagesMax = 10
            let store = try await harness.makeMessageStore(limits)
            let client = cast.client("a")
            let (phone, laptop) = (cast.device("phone"), cast.device("laptop"))
            _ = try await store.page(of: cast.claim("a", "phone", session: 1))
            _ = try await store.page(of: cast.claim("a", "laptop", session: 2))
            let ids = try await store.put(0..<10, for: client)
            try await store.acknowledge(client, phone, upTo: ids[4])
            let more = try await store.put(10..<18, for: client)

            // 0 to 7 gave way. The phone had 0 to 4.
            let page = try await store.page(of: cast.claim("a", "phone", session: 3))
            #expect(page.numbers == Array(8..<18))
            #expect(page.trimmed == 3)
            #expect(try await store.page(of: cast.claim("a", "laptop", session: 4)).trimmed == 8)
            // Told again until something newer is acknowledged, and not for places further on.
            #expect(try await store.readInbox(of: client, for: phone, after: nil).trimmed == 3)
            #expect(try await store.readInbox(of: client, for: phone, after: ids[6]).trimmed == 1)
            #expect(try await store.readInbox(of: client, for: phone, after: ids[8]).trimmed == 0)

            // An acknowledgement that lies before the trimmed ones leaves those after it.
            try await store.acknowledge(client, laptop, upTo: ids[5])
            #expect(try await store.readInbox(of: client, for: laptop, after: nil).trimmed == 2)
            try await store.acknowledge(client, laptop, upTo: more[0])
            #expect(try await store.readInbox(of: client, for: laptop, after: nil).trimmed == 0)
            try await store.put(18..<22, for: client)
            #expect(try await store.readInbox(of: client, for: laptop, after: nil).trimmed == 1)
            #expect(try await store.readInbox(of: client, for: phone, after: nil).trimmed == 7)
            // Who is new has lost nothing.
            #expect(try await store.page(of: cast.claim("a", "new", session: 5)).trimmed == 0)
        },

        InboxContract("an inbox has a bound in bytes, but the newest message always stays") { harness, cast in
            var limits = Limits.default
            limits.inboxBytesMax = 1_000
            let store = try await harness.makeMessageStore(limits)
            let claim = cast.claim("a", session: 1)
            _ = try await store.page(of: claim)
            func put(_ bytes: Int) async throws {
                var message = newMessage()
                message.data = [UInt8](repeating: 0x30, count: bytes)
                try await store.put(message, for: claim.client)
            }
            for _ in 0..<4 { try await put(300) }
            #expect(try await store.inboxSummary(of: claim.client).bytes == 900)
            #expect(try await store.page(of: claim).trimmed == 1)
            try await put(100)
            #expect(try await store.inboxSummary(of: claim.client).bytes == 1_000)
            try await put(5_000)
            let summary = try await store.inboxSummary(of: claim.client)
            #expect(summary.count == 1 && summary.bytes == 5_000)
            #expect(try await store.page(of: claim).trimmed == 5)
            try await put(1)
            #expect(try await store.inboxSummary(of: claim.client).bytes == 1)
        },

        InboxContract("what every device has acknowledged is dropped after a while, and counts as lost for nobody") {
            harness, cast in
            var limits = Limits.default
            limits.inboxAcknowledgedKept = .milliseconds(200)
            limits.inboxMessagesMax = 5
            let store = try await harness.makeMessageStore(limits)
            let claim = cast.claim("a", session: 1)
            _ = try await store.page(of: claim)
            let ids = try await store.put(0..<4, for: claim.client)
            try await store.acknowledge(claim.client, claim.device, upTo: ids[2])
            let dropped = ids[3].milliseconds + 250
            try await eventually("the time is over") { WallClock.milliseconds() > dropped }
            try await store.put(newMessage(4), for: claim.client)
            #expect(try await store.inboxSummary(of: claim.client).count == 2)
            #expect(try await store.page(of: claim).numbers == [3, 4])

            // Everything is acknowledged: the inbox may be gone as a whole, and ids go on rising.
            let last = try #require(try await store.inboxHeads([claim.client])[0])
            try await store.acknowledge(claim.client, claim.device, upTo: last)
            let over = WallClock.milliseconds() + 250
            try await eventually("the time is over") { WallClock.milliseconds() > over }
            let next = try await store.put(newMessage(5), for: claim.client)
            #expect(next.id > last && next.id.sequence == last.sequence + 1)
            #expect(try await store.inboxSummary(of: claim.client).count == 1)
            #expect(try await store.inboxSummary(of: claim.client).bytes == 1)
            let page = try await store.page(of: claim)
            #expect(page.numbers == [5] && page.trimmed == 0)
        },

        InboxContract("so many devices are remembered, those connected before those not seen for longest") {
            harness, cast in
            var limits = Limits.default
            limits.inboxDevicesMax = 3
            let store = try await harness.makeMessageStore(limits)
            let client = cast.client("a")
            var sessions: [RouteClaim] = []
            for number in 0..<3 {
                let claim = cast.claim("a", "d\(number)", session: UInt64(number))
                _ = try await store.page(of: claim)
                sessions.append(claim)
            }
            #expect(try await store.release(sessions[1].entry(Epoch(0))))
            _ = try await store.page(of: cast.claim("a", "d3", session: 3))
            let known = try await store.inboxSummary(of: client).devices.map(\.device.text).sorted()
            #expect(known == ["d0", "d2", "d3"])
        },
    ]
}
