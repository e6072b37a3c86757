import Foundation

/// A folder of its own for one test, removed with everything in it when the object goes, unless
/// `WINDFIRE_KEEP_TEST_FOLDERS` is set for looking at what a failing test left.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// - Parameter name: a word that makes the folder recognisable; the rest of its name is unique.
    package init(_ name: String = "test") throws {
        var template = Array("\(NSTemporaryDirectory())windfire-\(name)-XXXXXX".utf8CString)
        let made = template.withUnsafeMutableBufferPointer { bytes -> String? in
            guard let start = bytes.baseAddress, let made = mkdtemp(start) else { return nil }
            return String(cString: made)
        }
        guard let made else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        path = made
    }

    deinit {
        guard ProcessInfo.processInfo.environment["WINDFIRE_KEEP_TEST_FOLDERS"] == nil else { return }
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The path of something inside.
    package func path(_ inside: String) -> String { "\(path)/\(inside)" }

    /// Writes a file inside, making the folders on the way, and returns its path.
    @discardableResult
    package func write(_ text: String, to inside: String) throws -> String {
        let file = URL(fileURLWithPath: path(inside))
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: file)
        return file.path
    }
}
