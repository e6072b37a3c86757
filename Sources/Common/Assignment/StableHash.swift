/// A hash that is the same in every process and version, which Swift's own is not on purpose: FNV-1a over the bytes
/// (http://www.isthe.com/chongo/tech/comp/fnv/), then the finaliser of SplitMix64 (Steele, Lea, Flood, "Fast splittable
/// pseudorandom number generators", 2014), because FNV alone leaves the high bits of short texts poor.
///
/// Not for adversaries: a client can choose its node by choosing its name, as it can by asking again.
package enum StableHash {
    package static func of(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return mixed(hash)
    }

    package static func mixed(_ value: UInt64) -> UInt64 {
        var value = value
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}
