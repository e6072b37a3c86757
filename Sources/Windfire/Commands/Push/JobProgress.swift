/// The answer of `GET /v1/jobs/{id}`, as far as a push shows it.
struct JobProgress: Decodable {
    let state: String
    let total: Int
    let delivered: Int
    let offline: Int
    let stored: Int
    let failed: Int
    let untried: Int
    let acknowledged: Int
    /// `live` or `stored`; nil while the list is still being read.
    let mode: String?
    let done_chunks: Int
    let chunks: Int
    let reason: String?

    var isEnded: Bool { ["finished", "cancelled", "failed"].contains(state) }

    /// Only stored messages are acknowledged.
    var acknowledgedText: String { mode == "live" ? "-" : "\(acknowledged)" }

    /// The numbers, for people.
    var table: String {
        var counts = TextTable(
            "total", "delivered", "acknowledged", "offline", "stored", "failed", "untried", "chunks")
        counts.add(
            "\(total)", "\(delivered)", acknowledgedText, "\(offline)", "\(stored)", "\(failed)", "\(untried)",
            "\(done_chunks)/\(chunks)")
        return counts.text
    }

    /// For people.
    func text(of id: String) -> String { "job \(id) \(state)\(reason.map { ": \($0)" } ?? "")\n\(table)" }

    /// Whether somebody was not delivered to.
    var hasUndelivered: Bool { delivered < total }
}

/// One line on a terminal that is written again and again.
struct ProgressBar {
    let width: Int

    /// nil when standard error is not a terminal.
    static var onTerminal: ProgressBar? { Output.isNoteOnTerminal ? ProgressBar(width: 30) : nil }

    /// `[######------]  42 %  420/1000 chunks, 41,980 delivered, 0 failed`
    func text(_ progress: JobProgress) -> String {
        let share = progress.chunks > 0 ? Double(progress.done_chunks) / Double(progress.chunks) : 0
        let full = min(width, max(0, Int(share * Double(width))))
        let bar = String(repeating: "#", count: full) + String(repeating: "-", count: width - full)
        let percent = "\(Int(share * 100))"
        let padding = String(repeating: " ", count: max(0, 3 - percent.count))
        return "[\(bar)] \(padding)\(percent) %  \(progress.done_chunks)/\(progress.chunks) chunks, "
            + "\(progress.delivered) delivered, \(progress.offline) offline, \(progress.failed) failed"
    }
}
