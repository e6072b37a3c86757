import Foundation
import TestKit
import Testing

/// A document with a part that is made from the code, between two comment lines:
///
///     <!-- from the code: begin -->
///     …
///     <!-- from the code: end -->
///
/// A test holds that part against the code. `WINDFIRE_UPDATE_DOCS=1 scripts/test --filter Docs` writes it anew.
struct Document {
    let path: String
    let text: String

    private static let begin = "<!-- from the code: begin -->\n"
    private static let end = "<!-- from the code: end -->\n"

    init(_ path: String) throws {
        self.path = path
        text = try Repository.text(path)
    }

    /// Fails when the part differs from `expected`; or writes it, when asked to.
    func hold(against expected: String, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let start = try #require(text.firstRange(of: Self.begin), "\(path) has no begin line").upperBound
        let stop = try #require(text.firstRange(of: Self.end), "\(path) has no end line").lowerBound
        let part = "\n" + expected + "\n\n"
        guard text[start..<stop] != part else { return }
        if ProcessInfo.processInfo.environment["WINDFIRE_UPDATE_DOCS"] == "1" {
            let new = text[..<start] + part + text[stop...]
            try new.write(toFile: "\(Repository.root)/\(path)", atomically: true, encoding: .utf8)
            return
        }
        let there = Set(text[start..<stop].split(separator: "\n"))
        let wanted = expected.split(separator: "\n")
        let missing = wanted.filter { !there.contains($0) }
        let stale = there.subtracting(wanted).sorted()
        Issue.record(
            """
            \(path) and the code differ; WINDFIRE_UPDATE_DOCS=1 scripts/test --filter Docs brings it up to date.
            missing:
            \(missing.joined(separator: "\n"))
            not in the code:
            \(stale.joined(separator: "\n"))
            """,
            sourceLocation: sourceLocation)
    }

    /// The cells of every table row whose first cell is `code`: the key in the first cell, then the other cells.
    var rows: [(key: String, cells: [String])] {
        text.split(separator: "\n").compactMap { line in
            guard line.hasPrefix("| `") else { return nil }
            let cells = line.dropFirst().dropLast().split(separator: "|").map {
                $0.trimmingCharacters(in: .whitespaces)
            }
            guard let key = cells.first else { return nil }
            return (key.trimmingCharacters(in: ["`"]), Array(cells.dropFirst()))
        }
    }
}

/// A Markdown table.
func markdownTable(_ head: [String], _ rows: [[String]]) -> String {
    ([head, head.map { _ in "---" }] + rows)
        .map { "| " + $0.joined(separator: " | ") + " |" }
        .joined(separator: "\n")
}
