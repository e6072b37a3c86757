/// Which master serves which slot, as one node of the cluster saw it. A value; a client replaces it as a whole and
/// corrects single slots when it is told of a move.
struct SlotMap: Equatable {
    /// By slot: an index into `masters`, or -1.
    private var owners: [Int16]
    private(set) var masters: [RedisAddress]

    init() {
        owners = Array(repeating: -1, count: Slot.count)
        masters = []
    }

    subscript(slot: Slot) -> RedisAddress? {
        let owner = owners[Int(slot.index)]
        return owner < 0 ? nil : masters[Int(owner)]
    }

    /// Slots that some master serves.
    var coveredCount: Int { owners.reduce(0) { $0 + ($1 >= 0 ? 1 : 0) } }

    mutating func set(_ slot: Slot, to address: RedisAddress) { owners[Int(slot.index)] = index(of: address) }

    private mutating func set(_ slots: ClosedRange<UInt16>, to address: RedisAddress) {
        let owner = index(of: address)
        for slot in slots { owners[Int(slot)] = owner }
    }

    private mutating func index(of address: RedisAddress) -> Int16 {
        if let index = masters.firstIndex(of: address) { return Int16(index) }
        masters.append(address)
        return Int16(masters.count - 1)
    }

    /// Reads the reply of `CLUSTER SLOTS`: `[[first, last, [host, port, id, …], replicas…], …]`.
    /// - Parameter asked: the node that answered. It may leave its own host out (Redis: "the same endpoint it used to
    ///   send the query to").
    /// - Returns: nil when the reply has another form. Ranges that make no sense are left out.
    init?(clusterSlots reply: RESPValue, asked: RedisAddress) {
        guard let ranges = reply.array else { return nil }
        self.init()
        for range in ranges {
            guard let fields = range.array, fields.count >= 3,
                let first = fields[0].integer.flatMap(UInt16.init(exactly:)),
                let last = fields[1].integer.flatMap(UInt16.init(exactly:)),
                first <= last, Int(last) < Slot.count,
                let master = fields[2].array, master.count >= 2,
                let port = master[1].integer.flatMap(Int.init(exactly:)), (1...65_535).contains(port),
                masters.count < Int(Int16.max)
            else { continue }
            let host = master[0].text ?? ""
            set(
                first...last,
                to: RedisAddress(host: host.isEmpty || host == "?" ? asked.host : host, port: port))
        }
    }
}
