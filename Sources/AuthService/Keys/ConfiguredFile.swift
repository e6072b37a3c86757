import Common
import FoundationEssentials

/// Files that configuration names.
enum ConfiguredFile {
    /// - Throws: `configuration_invalid` with the path when it cannot be read or is too large.
    static func read(_ path: String, bytesMax: Int) throws(WindfireError) -> [UInt8] {
        let bytes: Data
        do {
            bytes = try Data(contentsOf: URL(filePath: path))
        } catch {
            throw WindfireError(.configurationInvalid, "cannot read \(path)", cause: error)
        }
        guard bytes.count <= bytesMax else {
            throw WindfireError(.configurationInvalid, "\(path) is larger than \(bytesMax) bytes")
        }
        return Array(bytes)
    }

    /// What changes when a file does: its time and size. Nil when it is not there.
    static func stamp(_ path: String) -> Stamp? {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return nil }
        return Stamp(
            modified: (attributes[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0,
            bytes: attributes[.size].map { "\($0)" } ?? "")
    }

    struct Stamp: Hashable, Sendable {
        let modified: Double
        /// As text: the attribute's type differs between Foundations.
        let bytes: String
    }
}
