import Foundation
import TestKit

/// A file of the project as the tidy rules see it: read once, its code apart from its comments.
struct SourceFile: Sendable {
    struct Line: Sendable {
        /// Counted from 1, as editors do.
        let number: Int
        let text: String
        /// Without the comment.
        let code: String
    }

    /// From the project's folder: `Sources/Common/Limits.swift`.
    let path: String
    let lines: [Line]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { index, line in
            Line(number: index + 1, text: String(line), code: Self.code(line))
        }
    }

    /// Every file that people write: Swift, Lua, the contract, C headers, and the scripts.
    static let all: [SourceFile] = {
        do {
            let swift: Set<String> = ["swift", "lua", "proto", "h"]
            let paths =
                try Repository.files(under: "Sources", endings: swift)
                + Repository.files(under: "Tests", endings: swift.union(["py"]))
                + Repository.files(under: "scripts", endings: ["", "sh"]) + ["Package.swift"]
            return try paths.map { SourceFile(path: $0, text: try Repository.text($0)) }
        } catch {
            // Without files every rule would hold; `theFilesAreFound` then fails.
            return []
        }
    }()

    /// `Sources` or `Tests`, and the target's name; nil for the manifest and the scripts.
    var target: (kind: String, name: String)? {
        let parts = path.split(separator: "/")
        guard parts.count > 2 else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    var name: String { String(path.split(separator: "/").last ?? "") }
    var isSwift: Bool { path.hasSuffix(".swift") }
    var isGenerated: Bool { path.contains("/Generated/") }
    func isIn(_ folder: String) -> Bool { path.hasPrefix(folder + "/") }

    /// Up to `//`, unless it stands in a string: then an odd number of quotes is before it.
    private static func code(_ line: Substring) -> String {
        let (quote, slash) = (UInt8(ascii: "\""), UInt8(ascii: "/"))
        var quotes = 0
        var previous: UInt8 = 0
        for index in line.utf8.indices {
            let byte = line.utf8[index]
            if byte == quote { quotes += 1 }
            if byte == slash, previous == slash, quotes.isMultiple(of: 2) {
                return String(line[..<line.utf8.index(before: index)])
            }
            previous = byte
        }
        return String(line)
    }
}
