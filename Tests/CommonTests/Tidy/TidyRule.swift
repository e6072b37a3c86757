import Testing

/// One habit of the house that a machine can check: what breaks it, and what to do instead.
///
/// To add a rule, add a static member and list it in `all`. Give it an example that breaks it: a rule that finds
/// nothing in its own example would find nothing anywhere.
struct TidyRule: Sendable, CustomTestStringConvertible {
    let name: String
    let remedy: String
    /// A file that the rule must refuse.
    let example: SourceFile
    /// Line numbers of the file that break the rule.
    let violations: @Sendable (SourceFile) -> [Int]

    var testDescription: String { name }

    init(
        _ name: String, remedy: String, example path: String, _ text: String,
        _ violations: @escaping @Sendable (SourceFile) -> [Int]
    ) {
        self.name = name
        self.remedy = remedy
        example = SourceFile(path: path, text: text)
        self.violations = violations
    }

    static let all = shapes + words + arrows + network
}

extension SourceFile {
    /// The numbers of the lines whose code, without comments, fulfils `condition`.
    func lines(where condition: (String) -> Bool) -> [Int] {
        lines.filter { condition($0.code) }.map(\.number)
    }

    /// What the file imports, with the line number.
    var imports: [(line: Int, module: String)] {
        lines.compactMap { line in
            guard line.code.contains("import "),
                let match = line.code.firstMatch(
                    of: /^\s*(?:@\w+(?:\(\w+\))?\s+|package\s+|public\s+)*import\s+(?:\w+\s+)?(\w+)/)
            else { return nil }
            return (line.number, String(match.1))
        }
    }
}
