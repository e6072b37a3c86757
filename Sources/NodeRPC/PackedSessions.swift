import Common
import Foundation

/// Session ids on the wire: 16 bytes each, big-endian, one after the other. A list of 50,000 is one allocation on
/// either side; as a repeated field it would be 50,000.
enum PackedSessions {
    static func pack(_ sessions: ArraySlice<SessionID>) -> Data {
        var packed = Data(count: sessions.count * SessionID.byteCount)
        packed.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer) in
            var offset = 0
            for session in sessions {
                bytes.storeBytes(of: session.high.bigEndian, toByteOffset: offset, as: UInt64.self)
                bytes.storeBytes(of: session.low.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
                offset += SessionID.byteCount
            }
        }
        return packed
    }

    /// - Returns: nil unless the bytes are a whole number of ids.
    static func unpack(_ packed: Data) -> [SessionID]? {
        guard packed.count.isMultiple(of: SessionID.byteCount) else { return nil }
        return packed.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            Array(unsafeUninitializedCapacity: bytes.count / SessionID.byteCount) { sessions, count in
                for index in 0..<bytes.count / SessionID.byteCount {
                    let offset = index * SessionID.byteCount
                    let high = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                    let low = bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)
                    sessions.initializeElement(
                        at: index, to: SessionID(high: UInt64(bigEndian: high), low: UInt64(bigEndian: low)))
                }
                count = bytes.count / SessionID.byteCount
            }
        }
    }
}
