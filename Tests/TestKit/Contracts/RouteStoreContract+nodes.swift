import Common
import Testing

extension RouteStoreContract {
    static let nodes: [RouteStoreContract] = [
        RouteStoreContract("an incarnation is known from its announcement to its burial") { harness, cast in
            let (one, other) = (try await harness.makeStore(.default), try await harness.makeStore(.default))
            let incarnation = cast.incarnation("n1")
            #expect(try await one.announcedIncarnations().contains(incarnation) == false)
            for _ in 0..<2 { try await one.announce(incarnation) }
            #expect(try await other.announcedIncarnations().contains(incarnation))
            #expect(try await other.bury(incarnation) == 0)
            #expect(try await one.announcedIncarnations().contains(incarnation) == false)
        },

        RouteStoreContract("burying removes all that an incarnation left, and nothing else") { harness, cast in
            let store = try await harness.makeStore(.default)
            let (dead, living) = (cast.incarnation("dead"), cast.incarnation("living"))
            try await store.announce(dead)
            try await store.announce(living)
            let moved = cast.claim("moved", on: "dead", session: 900)
            let movedBefore = try await store.grant(moved)
            for number in 0..<100 {
                try await store.grant(cast.claim("c\(number)", "phone", on: "dead", session: UInt64(number)))
                try await store.grant(cast.claim("c\(number)", "laptop", on: "living", session: UInt64(1000 + number)))
            }
            let movedTo = cast.claim("moved", on: "living", session: 901)
            let movedAfter = try await store.grant(movedTo, displacing: [moved.route(movedBefore)])

            #expect(try await store.sessionCounts(of: dead).values.reduce(0, +) == 100)
            #expect(try await store.bury(dead) == 100)
            #expect(try await store.sessionCounts(of: dead) == [:])
            #expect(try await store.sessionCounts(of: living).values.reduce(0, +) == 101)
            let located = try await store.locate((0..<100).map { cast.client("c\($0)") })
            #expect(located.allSatisfy { $0.map(\.incarnation) == [living] })
            #expect(try await store.routes(of: moved.client) == [movedTo.route(movedAfter)])
            #expect(try await store.announcedIncarnations().isSuperset(of: [living]))
            #expect(try await store.bury(dead) == 0)
        },

        RouteStoreContract("sessions are counted and named bucket by bucket") { harness, cast in
            let store = try await harness.makeStore(.default)
            var expected: [Bucket: Set<ClientRoute>] = [:]
            for number in 0..<60 {
                // Two devices of every client on the same node are two sessions.
                for device in ["phone", "laptop"] {
                    let claim = cast.claim("c\(number)", device, session: UInt64(number))
                    expected[Bucket(of: claim.client), default: []].insert(claim.entry(try await store.grant(claim)))
                }
            }
            let incarnation = cast.incarnation("n1")
            #expect(try await store.sessionCounts(of: incarnation) == expected.mapValues(\.count))
            for (bucket, entries) in expected {
                let sessions = try await store.sessions(of: incarnation, in: bucket)
                #expect(sessions.count == entries.count)
                #expect(Set(sessions) == entries)
            }
            #expect(try await store.sessions(of: cast.incarnation("nobody"), in: Bucket(0)) == [])
        },

        RouteStoreContract("a reader of revocations misses none") { harness, cast in
            let (writer, reader) = (try await harness.makeStore(.default), try await harness.makeStore(.default))
            let (a, b, c) = (cast.client("a"), cast.client("b"), cast.client("c"))
            let first = try await writer.revoke(a)
            var page = try await reader.revocations(since: .start)
            #expect(page.revoked[a] == first)
            #expect(page.revoked[b] == nil)

            let second = try await writer.revoke(b)
            let third = try await writer.revoke(a)
            page = try await reader.revocations(since: page.next)
            #expect(page.revoked[b] == second)
            // The last word counts.
            #expect(page.revoked[a] == third)
            #expect(page.revoked[c] == nil)
            #expect(page.next > .start)
        },

        RouteStoreContract("the last load report of each node is read by all, and goes with its incarnation") {
            harness, cast in
            let (one, other) = (try await harness.makeStore(.default), try await harness.makeStore(.default))
            let (earlier, later) = (cast.incarnation("n1", life: 1), cast.incarnation("n1", life: 2))
            func load(_ incarnation: Incarnation, _ online: Int) -> NodeLoad {
                NodeLoad(incarnation: incarnation, online: online, cpu: 0.25, loopLagMilliseconds: 1.5, at: 1_700)
            }
            try await one.reportLoad(load(earlier, 5))
            try await one.reportLoad(load(earlier, 6))
            #expect(try await other.loads()[earlier.node] == load(earlier, 6))
            try await one.reportLoad(load(later, 1))
            #expect(try await other.loads()[earlier.node] == load(later, 1))
            // Burying the earlier life leaves the later one's report.
            try await other.bury(earlier)
            #expect(try await other.loads()[earlier.node] == load(later, 1))
            try await other.bury(later)
            #expect(try await one.loads()[earlier.node] == nil)
        },

        RouteStoreContract("a lease has one holder, who may extend it, until it ends") { harness, cast in
            let (one, other) = (try await harness.makeStore(.default), try await harness.makeStore(.default))
            let (a, b) = (cast.incarnation("a"), cast.incarnation("b"))
            let name = "janitor-\(cast.run.hex16)"
            #expect(try await one.acquireLease(name, holder: a, for: .seconds(60)))
            #expect(try await other.acquireLease(name, holder: b, for: .seconds(60)) == false)
            #expect(try await one.acquireLease(name, holder: a, for: .milliseconds(200)))
            #expect(try await other.acquireLease(name + "-other", holder: b, for: .seconds(60)))
            try await eventually("the lease is free") {
                try await other.acquireLease(name, holder: b, for: .seconds(60))
            }
            #expect(try await one.acquireLease(name, holder: a, for: .seconds(60)) == false)
        },
    ]
}

extension RevocationCursor {
    fileprivate static func > (left: Self, right: Self) -> Bool { left.milliseconds > right.milliseconds }
}
