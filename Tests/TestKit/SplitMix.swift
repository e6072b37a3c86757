import Foundation

/// Chance that can be repeated: Sebastiano Vigna's splitmix64 (after Steele, Lea, Flood: "Fast splittable pseudorandom
/// number generators", 2014). Small, and the same numbers on every machine for one seed.
package struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// A new seed, printed so that a failure can be played again: `WINDFIRE_SEED=…` gives it to the next run.
    package static func printed(_ test: String = #function) -> SplitMix {
        let given = ProcessInfo.processInfo.environment["WINDFIRE_SEED"].flatMap { UInt64($0) }
        let seed = given ?? UInt64.random(in: .min ... .max)
        print("\(test): seed \(seed)")
        return SplitMix(seed: seed)
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
