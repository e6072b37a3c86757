import Common

/// Which clients a push has named already, in 16 bytes each instead of the names: a million ids of 128 bytes would be
/// 200 MiB as a set of strings, and are 32 MiB here.
///
/// It keeps a 128-bit hash of each name and no name, so two names with one hash would count as one client, who would
/// silently miss the message. With 128 bits that happens once in 10^26 pushes of a million names; with 64 bits it would
/// be once in 40 million pushes, which is not never. The hash is keyed (SipHash-1-3 with the process's random key, as
/// the standard library has it), so nobody outside can choose two names that collide.
struct TargetSet {
    /// Slots, linear probing; zero is empty. Entries are hashes already, so their low bits are the place to start.
    private var slots: [Hash]
    private(set) var count = 0

    private struct Hash: Equatable {
        var high: UInt64
        var low: UInt64

        static let none = Hash(high: 0, low: 0)

        init(high: UInt64, low: UInt64) {
            self.high = high
            self.low = low
        }

        /// Two independent 64-bit hashes, because each begins with a byte of its own.
        init(_ client: ClientID) {
            func hash(_ prefix: UInt8) -> UInt64 {
                var hasher = Hasher()
                hasher.combine(prefix)
                hasher.combine(client.text)
                return UInt64(bitPattern: Int64(hasher.finalize()))
            }
            self.init(high: hash(1), low: hash(2))
            // All zero marks an empty slot.
            if self == .none { low = 1 }
        }
    }

    init() { slots = Array(repeating: .none, count: 64) }

    /// How much memory the entries take.
    var byteCount: Int { slots.count * MemoryLayout<Hash>.stride }

    /// - Returns: false when it was there before.
    mutating func insert(_ client: ClientID) -> Bool {
        // At most three quarters full, so that a probe ends soon.
        if (count + 1) * 4 > slots.count * 3 { grow() }
        let hash = Hash(client)
        let place = self.place(of: hash)
        guard slots[place] == .none else { return false }
        slots[place] = hash
        count += 1
        return true
    }

    private func place(of hash: Hash) -> Int {
        let mask = slots.count - 1
        var place = Int(truncatingIfNeeded: hash.low) & mask
        while slots[place] != .none, slots[place] != hash { place = (place + 1) & mask }
        return place
    }

    private mutating func grow() {
        let old = slots
        slots = Array(repeating: .none, count: old.count * 2)
        for hash in old where hash != .none { slots[place(of: hash)] = hash }
    }
}
