import Common
import NIOCore

/// Reads what `wf:{b}:routes` holds of a client: `device|incarnation|session|epoch`, joined by newline. Works on bytes,
/// and keeps the incarnations it has met: a list of 100,000 clients names a handful of nodes.
struct RouteParser {
    private var incarnations: [UInt64: Incarnation] = [:]
    /// Lines that were none of ours.
    private(set) var corruptCount = 0

    /// Nodes and lives remembered; far more than a fleet has.
    private static let incarnationsMax = 4096

    /// The routes of one value; corrupt lines are left out and counted.
    mutating func routes(_ value: ByteBuffer) -> [Route] {
        value.withUnsafeReadableBytes { bytes in
            var routes: [Route] = []
            var start = 0
            for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: "\n") {
                if end > start {
                    if let route = route(UnsafeRawBufferPointer(rebasing: bytes[start..<end])) {
                        // Most clients have one device.
                        if routes.isEmpty { routes.reserveCapacity(1) }
                        routes.append(route)
                    } else {
                        corruptCount += 1
                    }
                }
                start = end + 1
            }
            return routes
        }
    }

    /// One line.
    mutating func route(_ line: UnsafeRawBufferPointer) -> Route? {
        let bar = UInt8(ascii: "|")
        guard let first = line.firstIndex(of: bar),
            let second = line[(first + 1)...].firstIndex(of: bar),
            // The session's length is fixed, so the last bar's place is known.
            line.count > second + 34, line[second + 33] == bar
        else { return nil }
        guard let device = device(line[..<first]),
            let incarnation = incarnation(line[(first + 1)..<second]),
            let high = Self.hex(line[(second + 1)..<(second + 17)]),
            let low = Self.hex(line[(second + 17)..<(second + 33)]),
            let epoch = Self.decimal(line[(second + 34)...])
        else { return nil }
        return Route(
            device: device, incarnation: incarnation, session: SessionID(high: high, low: low), epoch: Epoch(epoch))
    }

    private func device(_ bytes: Slice<UnsafeRawBufferPointer>) -> DeviceID? {
        if bytes.elementsEqual(DeviceID.default.text.utf8) { return .default }
        return String(validating: bytes, as: UTF8.self).flatMap { try? DeviceID($0) }
    }

    private mutating func incarnation(_ bytes: Slice<UnsafeRawBufferPointer>) -> Incarnation? {
        // At least one byte of node name, the @, 16 digits.
        guard bytes.count > 17, bytes[bytes.endIndex - 17] == UInt8(ascii: "@"),
            let life = Self.hex(bytes[(bytes.endIndex - 16)...])
        else { return nil }
        let node = bytes[..<(bytes.endIndex - 17)]
        if let known = incarnations[life], known.node.text.utf8.elementsEqual(node) { return known }
        guard let text = String(validating: node, as: UTF8.self), let id = try? NodeID(text) else { return nil }
        let incarnation = Incarnation(node: id, life: life)
        if incarnations.count < Self.incarnationsMax { incarnations[life] = incarnation }
        return incarnation
    }

    private static func hex(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        var value: UInt64 = 0
        for digit in digits {
            switch digit {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(digit &- UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(digit &- UInt8(ascii: "a") &+ 10)
            default: return nil
            }
        }
        return value
    }

    private static func decimal(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt64? {
        // 19 digits always fit.
        guard (1...19).contains(digits.count) else { return nil }
        var value: UInt64 = 0
        for digit in digits {
            guard digit >= UInt8(ascii: "0"), digit <= UInt8(ascii: "9") else { return nil }
            value = value &* 10 &+ UInt64(digit &- UInt8(ascii: "0"))
        }
        return value
    }
}
