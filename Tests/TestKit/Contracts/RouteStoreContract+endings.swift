import Common
import Testing

extension RouteStoreContract {
    static let endings: [RouteStoreContract] = [
        RouteStoreContract("who is released is gone, once") { harness, cast in
            let store = try await harness.makeStore(.default)
            let claim = cast.claim("a", session: 1)
            let entry = claim.entry(try await store.grant(claim))
            #expect(try await store.release(entry))
            #expect(try await store.locate([claim.client]) == [[]])
            #expect(try await store.sessionCounts(of: claim.incarnation) == [:])
            #expect(try await store.release(entry) == false)
        },

        RouteStoreContract("a late release changes nothing: other node, same node, other life") { harness, cast in
            let store = try await harness.makeStore(.default)
            let old = cast.claim("a", on: "n1", session: 1)
            let first = try await store.grant(old)
            let again = cast.claim("a", on: "n1", session: 2)
            let second = try await store.grant(again, displacing: [old.route(first)])
            #expect(try await store.release(old.entry(first)) == false)
            #expect(try await store.routes(of: old.client) == [again.route(second)])
            #expect(try await store.sessionCounts(of: old.incarnation).values.reduce(0, +) == 1)

            let impostor = Route(
                device: again.device, incarnation: cast.incarnation("n1", life: 2), session: again.session,
                epoch: second)
            #expect(try await store.release(ClientRoute(client: again.client, route: impostor)) == false)
            #expect(try await store.routes(of: old.client) == [again.route(second)])
        },

        RouteStoreContract("a release leaves the client's other devices alone") { harness, cast in
            let store = try await harness.makeStore(.default)
            let (phone, laptop) = (cast.claim("a", "phone", session: 1), cast.claim("a", "laptop", session: 2))
            let first = try await store.grant(phone)
            let second = try await store.grant(laptop)
            #expect(try await store.release(phone.entry(first)))
            #expect(try await store.routes(of: phone.client) == [laptop.route(second)])
        },

        RouteStoreContract("a session that the store forgot is reclaimed under its epoch, once or often") {
            harness, cast in
            let store = try await harness.makeStore(.default)
            let claim = cast.claim("a", session: 1)
            let entry = claim.entry(try await store.grant(claim))
            try await store.release(entry)
            for _ in 0..<3 { #expect(try await store.reclaim(entry, generation: .first) == .kept) }
            #expect(try await store.locate([claim.client]) == [[entry.route]])
            #expect(try await store.sessionCounts(of: claim.incarnation).values.reduce(0, +) == 1)
        },

        RouteStoreContract("a reclaim never displaces a newer session, but does an older one") { harness, cast in
            let store = try await harness.makeStore(.default)
            let (old, new) = (cast.claim("a", on: "n1", session: 1), cast.claim("a", on: "n2", session: 2))
            let first = try await store.grant(old)
            let second = try await store.grant(new, displacing: [old.route(first)])
            #expect(try await store.reclaim(old.entry(first), generation: .first) == .superseded)
            #expect(try await store.routes(of: old.client) == [new.route(second)])

            // As after a wipe in which the older one came back first.
            try await store.release(new.entry(second))
            #expect(try await store.reclaim(old.entry(first), generation: .first) == .kept)
            #expect(try await store.reclaim(new.entry(second), generation: .first) == .kept)
            #expect(try await store.routes(of: old.client) == [new.route(second)])
            #expect(try await store.sessionCounts(of: old.incarnation) == [:])
        },

        RouteStoreContract("epochs rise above a reclaimed one") { harness, cast in
            let store = try await harness.makeStore(.default)
            let early = cast.claim("a", session: 1)
            let far = Epoch(try await store.grant(early).value + 3_600_000_000)
            let ahead = cast.claim("a", on: "n2", session: 2)
            #expect(try await store.reclaim(ahead.entry(far), generation: .first) == .kept)
            let next = try await store.grant(cast.claim("a", session: 3), displacing: [ahead.route(far)])
            #expect(next == Epoch(far.value + 1))
        },

        RouteStoreContract("a reclaim beyond the device limit keeps the newest devices") { harness, cast in
            var limits = Limits.default
            limits.devicesPerClientMax = 2
            let store = try await harness.makeStore(limits)
            let claims = (0..<3).map { cast.claim("a", "d\($0)", session: UInt64($0)) }
            let entries = claims.enumerated().map { $1.entry(Epoch(UInt64(10 + $0))) }
            #expect(try await store.reclaim(entries[1], generation: .first) == .kept)
            #expect(try await store.reclaim(entries[2], generation: .first) == .kept)
            #expect(try await store.reclaim(entries[0], generation: .first) == .superseded)
            #expect(try await store.routes(of: claims[0].client) == [entries[1].route, entries[2].route])

            try await store.release(entries[2])
            #expect(try await store.reclaim(entries[0], generation: .first) == .kept)
            #expect(try await store.reclaim(entries[2], generation: .first) == .kept)
            #expect(try await store.routes(of: claims[0].client) == [entries[1].route, entries[2].route])
        },
    ]
}
