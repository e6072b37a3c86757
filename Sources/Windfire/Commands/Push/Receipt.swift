/// The answer of `POST /v1/push` when it was carried out at once.
struct Receipt: Decodable {
    struct Row: Decodable {
        let client: String
        let device: String?
        let status: String
        let stored: Bool?
        let node: String?
        let reason: String?
    }

    let id: String
    let total: Int
    let delivered: Int
    let offline: Int
    let stored: Int?
    let failed: Int
    let bad_lines: SkippedLines?
    let results: [Row]?
    let undelivered: [Row]?
    let timing_ms: [String: Double]?

    /// For people: the counts, then a line for each device or client.
    var text: String {
        var counts = TextTable("total", "delivered", "offline", "stored", "failed")
        counts.add("\(total)", "\(delivered)", "\(offline)", "\(stored ?? 0)", "\(failed)")
        var rows = TextTable("client", "device", "status", "node", "reason")
        for row in results ?? undelivered ?? [] {
            let status = row.stored == true ? "stored" : row.status
            rows.add(row.client, row.device ?? "-", status, row.node ?? "-", row.reason ?? "")
        }
        return
            (["push \(id)", counts.text] + (bad_lines.map { [$0.text] } ?? [])
            + (rows.isEmpty ? [] : ["\n" + rows.text])).joined(separator: "\n")
    }
}

/// Lines of a list that were left out.
struct SkippedLines: Decodable {
    let count: Int
    let first: [Int]

    var text: String {
        let named = first.map(String.init).joined(separator: ", ")
        let what = count == 1 ? "1 line was no client id" : "\(count) lines were no client ids"
        return "\(what): \(named)\(count > first.count ? ", …" : "")"
    }
}

/// The answer to a repeated `dedupe_key` whose first call was carried out at once.
struct DuplicatePush: Decodable {
    let id: String
    let duplicate: Bool
}

/// The answer of `POST /v1/push` when it became a job.
struct AcceptedJob: Decodable {
    let job: String
    let total: Int?
    let duplicate: Bool?
    let bad_lines: SkippedLines?

    var id: String { job }
    var isDuplicate: Bool { duplicate == true }

    /// For people, when it is a resend.
    var resendText: String {
        switch total {
        case 0: "job \(job) is for nobody: all others were delivered to, or their message waits"
        case let total?: "job \(job) sends again to \(total) \(total == 1 ? "client" : "clients")"
        case nil: "job \(job)"
        }
    }
}
