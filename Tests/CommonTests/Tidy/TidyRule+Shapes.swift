// How large things may be, and which files may not be there.

import Testing

extension TidyRule {
    static let shapes: [TidyRule] = [shortLines, shortFiles, shortFunctions, noPlaceholders, opening]

    static let shortLines = TidyRule(
        "lines have at most 120 columns", remedy: "break the line; swift format -i does it for Swift",
        example: "Sources/Common/Example.swift", String(repeating: "x", count: 121)
    ) { file in
        guard !file.isGenerated else { return [] }
        return file.lines.filter { line in
            guard line.text.utf8.count > 120, line.text.count > 120 else { return false }
            // A golden text stays in one piece, as it is on the wire.
            return !(file.path.hasPrefix("Tests/") && line.text.isMostlyOneLiteral)
        }.map(\.number)
    }

    static let shortFiles = TidyRule(
        "files have at most 350 lines", remedy: "it holds more than one idea: give the second one a file of its own",
        example: "Sources/Common/Example.swift", String(repeating: "// Why.\n", count: 351)
    ) { file in
        guard !file.isGenerated, file.isSwift else { return [] }
        // The text ends in a newline, which is not a line.
        let count = file.lines.last?.text.isEmpty == true ? file.lines.count - 1 : file.lines.count
        return count > 350 ? [count] : []
    }

    static let shortFunctions = TidyRule(
        "functions fit a screen: at most 70 lines",
        remedy: "keep the branching in the function and move what a branch does into functions of its own",
        example: "Sources/Common/Example.swift",
        "    func long() {\n" + String(repeating: "        next()\n", count: 70) + "    }\n"
    ) { file in
        guard !file.isGenerated, file.isSwift else { return [] }
        return file.functions.filter { $0.lines > 70 }.map(\.start)
    }

    static let noPlaceholders = TidyRule(
        "no placeholder files", remedy: "delete it: the folder has real files now",
        example: "Sources/Common/Placeholder.swift", "// Nothing yet.\n"
    ) { file in
        ["Placeholder.swift", "P.swift", "x.lua"].contains(file.name) ? [1] : []
    }

    static let opening = TidyRule(
        "files of Sources say what they are for",
        remedy:
            "open the file, or its first type, with a sentence: what it is for, and why so when that is not obvious",
        example: "Sources/Common/Example.swift", "struct Example {\n    let value: Int\n}\n"
    ) { file in
        guard file.isIn("Sources"), file.isSwift, !file.isGenerated else { return [] }
        return file.lines.contains { $0.text.contains("// ") } ? [] : [1]
    }
}

extension SourceFile {
    /// Every function and initialiser with a body of several lines: where it starts, and its count of lines up to the
    /// closing brace. The formatter puts that brace as deep as the line that the declaration began on.
    var functions: [(start: Int, lines: Int)] {
        lines.indices.compactMap { index in
            let line = lines[index]
            // Looked for as text first: a regular expression on every line takes its time.
            guard ["func ", "init", "deinit"].contains(where: line.code.contains),
                line.code.contains(/^\s*(?:@?\w+(?:\(\w+\))?\s+)*(?:func\s|init[?(<]|deinit\s)/),
                let body = bodyStart(of: index)
            else { return nil }
            let brace = line.text.prefix { $0 == " " } + "}"
            guard let end = lines[(body + 1)...].first(where: { $0.text.hasPrefix(brace) }) else { return nil }
            return (line.number, end.number - line.number + 1)
        }
    }

    /// The index of the line that opens the body; nil for one-line bodies and for requirements of protocols.
    private func bodyStart(of declaration: Int) -> Int? {
        let indent = lines[declaration].text.prefix { $0 == " " }.count
        for index in declaration..<lines.count {
            let line = lines[index]
            let depth = line.text.prefix { $0 == " " }.count
            let code = line.code.dropFirst(depth).reversed().drop { $0 == " " }
            if index > declaration, depth <= indent, code.last != ")" { return nil }
            if code.first == "{" { return index }
            if code.first == "}" { return nil }
        }
        return nil
    }
}

extension String {
    /// Whether a literal, quoted or a line of a multi-line one, takes up most of the line.
    fileprivate var isMostlyOneLiteral: Bool {
        if let first = firstIndex(of: "\""), let last = lastIndex(of: "\""), self[first...last].count > 80 {
            return true
        }
        return false
    }
}
