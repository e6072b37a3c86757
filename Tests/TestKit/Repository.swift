import Foundation

/// The project's own files, for tests that hold documents and sources against the code.
package enum Repository {
    /// The folder of Package.swift.
    package static let root: String = {
        // …/Tests/TestKit/Repository.swift
        let here = URL(fileURLWithPath: #filePath)
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path
    }()

    /// The text of a file, by its path from the root.
    package static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    /// Paths, from the root, of all files under a folder with one of these endings; sorted. Hidden folders are left
    /// out.
    package static func files(under folder: String, endings: Set<String>) throws -> [String] {
        let manager = FileManager.default
        guard let all = manager.enumerator(atPath: "\(root)/\(folder)") else {
            throw CocoaError(.fileReadNoSuchFile, userInfo: [NSFilePathErrorKey: folder])
        }
        return all.compactMap { $0 as? String }
            .filter { path in
                endings.contains(URL(fileURLWithPath: path).pathExtension)
                    && !path.split(separator: "/").contains { $0.hasPrefix(".") }
            }
            .map { "\(folder)/\($0)" }
            .sorted()
    }
}
