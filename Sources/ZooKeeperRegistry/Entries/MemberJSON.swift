import Common
import Foundation

/// An entry's bytes.
enum MemberJSON {
    /// ZooKeeper takes up to 1 MiB; an entry of ours has under 1 KiB.
    static let bytesMax = 64 << 10

    static func encode(_ member: Member) throws(WindfireError) -> [UInt8] {
        let encoder = JSONEncoder()
        // Slashes stay slashes and keys keep their order, for people who look with zkCli.
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(member))
        } catch {
            throw WindfireError(.internalError, "the member cannot be written as JSON", cause: error)
        }
    }

    /// Nil when the bytes are not a member's.
    static func decode(_ bytes: [UInt8]) -> Member? {
        guard bytes.count <= bytesMax else { return nil }
        return try? JSONDecoder().decode(Member.self, from: Data(bytes))
    }
}
