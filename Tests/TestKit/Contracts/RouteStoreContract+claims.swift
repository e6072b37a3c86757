import Common
import Testing

extension RouteStoreContract {
    static let claims: [RouteStoreContract] = [
        RouteStoreContract("who claimed is located, by every process, with all that was said") { harness, cast in
            let (one, other) = (try await harness.makeStore(.default), try await harness.makeStore(.default))
            let claim = cast.claim("zoë {x} 渡", "täblet 2", session: .max)
            let epoch = try await one.grant(claim)
            #expect(try await other.locate([claim.client]) == [[claim.route(epoch)]])
        },

        RouteStoreContract("locate answers in the order asked, repeats and strangers included") { harness, cast in
            let store = try await harness.makeStore(.default)
            let claims = (0..<50).map { cast.claim("c\($0)", session: UInt64($0)) }
            var routes: [Route] = []
            for claim in claims { routes.append(claim.route(try await store.grant(claim))) }
            let asked = [49, 3, 3, 0].map { claims[$0].client } + [cast.client("stranger"), claims[7].client]
            #expect(try await store.locate(asked) == [49, 3, 3, 0].map { [routes[$0]] } + [[], [routes[7]]])
            #expect(try await store.locate([]) == [])
            #expect(try await store.locate(claims.map(\.client)) == routes.map { [$0] })
        },

        RouteStoreContract("the newest connection of a device wins, the earlier one is named") { harness, cast in
            let store = try await harness.makeStore(.default)
            let (old, new) = (cast.claim("a", on: "n1", session: 1), cast.claim("a", on: "n2", session: 2))
            let first = try await store.grant(old)
            let second = try await store.grant(new, displacing: [old.route(first)])
            #expect(second > first)
            #expect(try await store.routes(of: old.client) == [new.route(second)])
            #expect(try await store.sessionCounts(of: old.incarnation) == [:])
        },

        RouteStoreContract("other devices of the client stay") { harness, cast in
            let store = try await harness.makeStore(.default)
            let (phone, laptop) = (cast.claim("a", "phone", session: 1), cast.claim("a", "laptop", session: 2))
            let first = try await store.grant(phone)
            let second = try await store.grant(laptop)
            #expect(try await store.routes(of: phone.client) == [phone.route(first), laptop.route(second)])
        },

        RouteStoreContract("a claim that is repeated gives the same answer and displaces nothing") { harness, cast in
            let store = try await harness.makeStore(.default)
            let claim = cast.claim("a", session: 1)
            let epoch = try await store.grant(claim)
            for _ in 0..<20 { #expect(try await store.grant(claim) == epoch) }
            #expect(try await store.routes(of: claim.client) == [claim.route(epoch)])
        },

        RouteStoreContract("the oldest device gives way to one too many") { harness, cast in
            var limits = Limits.default
            limits.devicesPerClientMax = 3
            let store = try await harness.makeStore(limits)
            let claims = (0..<5).map { cast.claim("a", "d\($0)", on: "n\($0)", session: UInt64($0)) }
            var routes: [Route] = []
            for claim in claims[..<3] { routes.append(claim.route(try await store.grant(claim))) }
            routes.append(claims[3].route(try await store.grant(claims[3], displacing: [routes[0]])))
            routes.append(claims[4].route(try await store.grant(claims[4], displacing: [routes[1]])))
            #expect(try await store.routes(of: claims[0].client) == Array(routes[2...]))
            #expect(try await store.sessionCounts(of: claims[0].incarnation) == [:])
            #expect(try await store.sessionCounts(of: claims[2].incarnation).values.reduce(0, +) == 1)
        },

        RouteStoreContract("two that displace each other too often wait, and nothing is written") { harness, cast in
            var limits = Limits.default
            limits.displacementsMax = 3
            limits.displacementWindow = .seconds(30)
            let store = try await harness.makeStore(limits)
            for number in 0...3 {
                guard case .granted = try await store.claim(cast.claim("a", session: UInt64(number))) else {
                    Issue.record("displacement \(number) of 3 is allowed")
                    return
                }
            }
            let before = try await store.locate([cast.client("a")])
            guard case .conflict(let wait) = try await store.claim(cast.claim("a", session: 9)) else {
                Issue.record("displacement 4 of 3 is one too many")
                return
            }
            #expect(wait > .zero && wait <= .seconds(30))
            #expect(try await store.locate([cast.client("a")]) == before)
            // Another device of the client is nobody's enemy.
            try await store.grant(cast.claim("a", "laptop", session: 10))
        },

        RouteStoreContract("a conflict is over when its window is") { harness, cast in
            var limits = Limits.default
            limits.displacementsMax = 1
            limits.displacementWindow = .milliseconds(300)
            let store = try await harness.makeStore(limits)
            try await store.grant(cast.claim("a", session: 1))
            guard case .granted = try await store.claim(cast.claim("a", session: 2)),
                case .conflict = try await store.claim(cast.claim("a", session: 3))
            else {
                Issue.record("one displacement is allowed and the next is not")
                return
            }
            try await eventually("the third is let in") {
                if case .granted = try await store.claim(cast.claim("a", session: 3)) { true } else { false }
            }
        },

        RouteStoreContract("a device that comes and goes is in no conflict") { harness, cast in
            let store = try await harness.makeStore(.default)
            for number in 0..<20 {
                let claim = cast.claim("a", session: UInt64(number))
                #expect(try await store.release(claim.entry(try await store.grant(claim))))
            }
        },

        RouteStoreContract("a token of before the revocation is refused, one of after it is not") { harness, cast in
            let (store, other) = (try await harness.makeStore(.default), try await harness.makeStore(.default))
            let client = cast.client("a")
            #expect(try await store.generation(of: client) == .first)
            let first = try await store.revoke(client)
            let second = try await other.revoke(client)
            #expect(Generation.first < first && first < second)
            #expect(try await store.generation(of: client) == second)
            for stale in [Generation.first, first] {
                let claim = cast.claim("a", session: 1, generation: stale)
                #expect(try await store.claim(claim) == .revoked)
                #expect(try await store.reclaim(claim.entry(Epoch(5)), generation: stale) == .revoked)
            }
            #expect(try await store.locate([client]) == [[]])
            try await store.grant(cast.claim("a", session: 1, generation: second))
        },
    ]
}
