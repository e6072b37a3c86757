import TestKit
import Testing

@testable import Common

/// A rotation never leaves a valid token without its key. Seconds are counted from zero.
@Suite struct KeyRotationTests {
    let a: SigningKey
    let b: SigningKey
    let timing = KeyRotation.Timing(leadSeconds: 360, retentionSeconds: 3_660)

    init() throws {
        a = try SigningKey.generate(.es256, id: try #require(KeyID("a")))
        b = try SigningKey.generate(.edDSA, id: try #require(KeyID("b")))
    }

    @Test func theFirstFileSignsAndAllArePublished() throws {
        var rotation = try KeyRotation([a, b], timing: timing, now: 0)
        let keys = rotation.keys(now: 0)
        #expect(keys.signer.id == a.id)
        #expect(keys.publicKeys.map(\.kid) == ["a", "b"])
        #expect(keys.verification.ids == [a.id, b.id])
    }

    @Test func anOrderlyRotation() throws {
        var rotation = try KeyRotation([a], timing: timing, now: 0)
        try rotation.loaded([a, b], now: 1_000)
        #expect(rotation.keys(now: 1_000).signer.id == a.id)
        #expect(rotation.keys(now: 1_000).publicKeys.map(\.kid) == ["a", "b"])
        try rotation.loaded([b, a], now: 1_400)
        #expect(rotation.keys(now: 1_400).signer.id == b.id)
        try rotation.loaded([b], now: 1_500)
        #expect(rotation.keys(now: 1_500).publicKeys.map(\.kid) == ["b", "a"])
        #expect(rotation.keys(now: 1_500 + 3_659).publicKeys.map(\.kid) == ["b", "a"])
        #expect(rotation.keys(now: 1_500 + 3_660).publicKeys.map(\.kid) == ["b"])
    }

    @Test func aKeyThatReplacesTheOnlyOneWaitsUntilVerifiersHaveIt() throws {
        var rotation = try KeyRotation([a], timing: timing, now: 0)
        try rotation.loaded([b], now: 1_000)
        #expect(rotation.keys(now: 1_359).signer.id == a.id)
        #expect(rotation.keys(now: 1_359).publicKeys.map(\.kid) == ["a", "b"])
        #expect(rotation.keys(now: 1_360).signer.id == b.id)
        // The old key signed until 1,359: its last token needs it for as long after that.
        #expect(rotation.keys(now: 1_359 + 3_659).publicKeys.map(\.kid) == ["b", "a"])
        #expect(rotation.keys(now: 1_359 + 3_660).publicKeys.map(\.kid) == ["b"])
    }

    @Test func aKeyThatComesBackIsNotRetired() throws {
        var rotation = try KeyRotation([a, b], timing: timing, now: 0)
        try rotation.loaded([b], now: 10)
        try rotation.loaded([a, b], now: 20)
        #expect(rotation.keys(now: 100_000).publicKeys.map(\.kid) == ["a", "b"])
    }

    @Test func aBadReadingChangesNothing() throws {
        var rotation = try KeyRotation([a], timing: timing, now: 0)
        let impostor = try SigningKey.generate(.es256, id: a.id)
        #expect(throws: WindfireError(.configurationInvalid, "key id a was given to another key")) {
            try rotation.loaded([impostor], now: 10)
        }
        #expect(throws: WindfireError(.configurationInvalid, "there is no signing key")) {
            try rotation.loaded([], now: 10)
        }
        #expect(throws: WindfireError(.configurationInvalid, "two signing keys have the id a")) {
            try rotation.loaded([a, a], now: 10)
        }
        let secret = try SigningKey.generate(.hs256, id: b.id)
        #expect(throws: WindfireError(.configurationInvalid, "HS256 secrets cannot stand beside public keys")) {
            try rotation.loaded([a, secret], now: 10)
        }
        #expect(rotation.keys(now: 10).signer.fingerprint == a.fingerprint)
    }

    /// Random rotations, each token checked with what is published for as long as it lives.
    @Test func noValidTokenIsEverWithoutItsKey() throws {
        let seed = UInt64.random(in: .min ... .max)
        print("key rotation: seed \(seed)")
        var random = SplitMix(seed: seed)
        let pool = try (0..<5).map { try SigningKey.generate(.edDSA, id: try #require(KeyID("k\($0)"))) }
        let life: Int64 = 3_600
        for _ in 0..<50 {
            var rotation = try KeyRotation([pool[0]], timing: timing, now: 0)
            var tokens: [(key: KeyID, expires: Int64)] = []
            var firstPublished: [KeyID: Int64] = [:]
            for now in stride(from: Int64(0), to: 40_000, by: 50) {
                if Int.random(in: 0..<20, using: &random) == 0 {
                    let wish = pool.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random))
                    try rotation.loaded(Array(wish), now: now)
                }
                let keys = rotation.keys(now: now)
                let published = Set(keys.published.map(\.id))
                for id in published where firstPublished[id] == nil { firstPublished[id] = now }
                firstPublished = firstPublished.filter { published.contains($0.key) }
                let known = try #require(firstPublished[keys.signer.id])
                #expect(known == 0 || now - known >= timing.leadSeconds, "seed \(seed): signed before it was known")
                tokens.append((keys.signer.id, now + life))
                tokens.removeAll { $0.expires + 60 <= now }
                #expect(tokens.allSatisfy { published.contains($0.key) }, "seed \(seed) at \(now)")
            }
        }
    }
}
