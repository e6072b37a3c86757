import Common
import TestKit
import Testing

/// The reference pages say what the tables of the code say, row by row.
struct DocsTests {
    @Test func everyFailureCodeIsDocumented() throws {
        let rows = FailureCode.all.map { ["`\($0.name)`", String($0.status), $0.title] }
        try Document("docs/errors.md").hold(against: markdownTable(["code", "HTTP", "meaning"], rows))
    }

    @Test func everyCloseReasonIsDocumented() throws {
        let rows = CloseReason.all.sorted { $0.number < $1.number }.map { reason in
            let back =
                switch reason.comeBack {
                case .never: "not by itself"
                case .after(.zero): "at once, with jitter"
                case .after(let time): "after \(DurationText.text(of: time)), with jitter"
                case .withNewToken: "with a new token"
                }
            return [String(reason.number), "`\(reason.name)`", reason.meaning, back]
        }
        try Document("docs/close-reasons.md")
            .hold(against: markdownTable(["number", "name", "meaning", "come back"], rows))
    }

    @Test func everyKeyIsDocumented() throws {
        let sections = ConfigurationTable.definitions.reduce(into: [(name: String, rows: [[String]])]()) { all, key in
            let section = key.name.split(separator: ".").count > 1 ? String(key.name.prefix { $0 != "." }) : "engines"
            // The limits have a page of their own, with their reasons.
            guard section != "limits" else { return }
            if all.last?.name != section { all.append((section, [])) }
            let roles = key.roles.map { "`\($0.rawValue)`" }.sorted().joined(separator: ", ")
            let value = key.defaultText.map { $0.isEmpty ? "empty" : "`\($0)`" } ?? "none"
            let row = [
                "`\(key.name)`", value, key.doc + (key.isSecret ? " Secret." : ""), key.allowed, roles,
            ]
            all[all.count - 1].rows.append(row.map { $0.replacing("|", with: "\\|") })
        }
        let head = ["key", "default", "meaning", "must be", "used by"]
        let text = sections.map { "### \($0.name)\n\n" + markdownTable(head, $0.rows) }.joined(separator: "\n\n")
        try Document("docs/configuration.md").hold(against: text)
    }

    @Test func everyLimitIsDocumentedWithItsDefault() throws {
        let document = try Document("docs/limits.md")
        let limits = ConfigurationTable.definitions.filter { $0.name.hasPrefix("limits.") }
        #expect(document.rows.map(\.key) == limits.map(\.name), "the same limits, in the same order")
        for (row, limit) in zip(document.rows, limits) {
            try #require(row.cells.count == 3, "\(limit.name): default, what is bounded, reason")
            #expect(row.cells[0] == limit.defaultText.map { "`\($0)`" }, "the default of \(limit.name)")
            #expect(row.cells[1] == limit.doc, "what \(limit.name) bounds")
            #expect(row.cells[2].count > 10, "the reason of \(limit.name)")
        }
    }
}
