/// CRC16/XMODEM: polynomial 0x1021, initial value 0, no reflection; the function of Redis Cluster
/// (Redis Cluster specification, "Key distribution model"). Check value: "123456789" → 0x31C3.
package enum CRC16 {
    package static func xmodem(_ bytes: some Sequence<UInt8>) -> UInt16 {
        var crc: UInt16 = 0
        for byte in bytes {
            crc = crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 8) ^ byte)]
        }
        return crc
    }

    private static let table: [UInt16] = (0..<256).map { index in
        var crc = UInt16(index) << 8
        for _ in 0..<8 { crc = crc & 0x8000 == 0 ? crc << 1 : crc << 1 ^ 0x1021 }
        return crc
    }
}
