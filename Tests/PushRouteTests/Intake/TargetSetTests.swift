import Common
import TestKit
import Testing

@testable import PushRoute

@Suite struct TargetSetTests {
    @Test func knowsWhomItHasSeen() {
        var random = SplitMix.printed()
        var set = TargetSet()
        var model: Set<ClientID> = []
        for _ in 0..<20_000 {
            let client = client("user-\(Int.random(in: 0..<10_000, using: &random))")
            let isNew = set.insert(client)
            #expect(isNew == model.insert(client).inserted)
        }
        #expect(set.count == model.count)
    }

    @Test func aMillionIdsOfTheLongestKindTakeThirtyTwoMebibytes() {
        var set = TargetSet()
        let stem = String(repeating: "x", count: 120)
        var new = 0
        for index in 0..<1_000_000 where set.insert(client("\(stem)\(index)")) { new += 1 }
        #expect(new == 1_000_000)
        #expect(set.count == 1_000_000)
        #expect(set.byteCount == 32 << 20)
        let isNew = set.insert(client("\(stem)7"))
        #expect(!isNew)
    }

    @Test func namesThatAreAlmostTheSameAreDifferent() {
        var set = TargetSet()
        for name in ["a", "A", "a ", "aa", "\u{E9}", "f\u{301}"] {
            let isNew = set.insert(client(name))
            #expect(isNew, "\(name)")
        }
    }
}
