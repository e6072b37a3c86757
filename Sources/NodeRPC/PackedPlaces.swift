import Common
import Foundation

/// Places of a stored message on the wire: 32 bytes each, big-endian, one after the other, as `PackedSessions`.
enum PackedPlaces {
    static let byteCount = 32

    static func pack(_ places: ArraySlice<StoredPlace>) -> Data {
        var packed = Data(count: places.count * byteCount)
        packed.withUnsafeMutableBytes { (bytes: UnsafeMutableRawBufferPointer) in
            var offset = 0
            for place in places {
                // No entry has the place zero.
                for position in [place.position, place.previous ?? .start] {
                    bytes.storeBytes(of: position.milliseconds.bigEndian, toByteOffset: offset, as: UInt64.self)
                    bytes.storeBytes(of: position.sequence.bigEndian, toByteOffset: offset + 8, as: UInt64.self)
                    offset += 16
                }
            }
        }
        return packed
    }

    /// - Parameter packed: a whole number of places.
    static func unpack(_ packed: Data) -> [StoredPlace] {
        precondition(packed.count.isMultiple(of: byteCount), "places are 32 bytes each")
        return packed.withUnsafeBytes { (bytes: UnsafeRawBufferPointer) in
            func position(at offset: Int) -> StreamPosition {
                StreamPosition(
                    milliseconds: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)),
                    sequence: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self)))
            }
            return stride(from: 0, to: bytes.count, by: byteCount).map { offset in
                let previous = position(at: offset + 16)
                return StoredPlace(
                    position: position(at: offset), previous: previous == .start ? nil : previous)
            }
        }
    }
}
