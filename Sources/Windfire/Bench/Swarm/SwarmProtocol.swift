import Foundation

// What bench and its helpers say to each other: one JSON object per line; orders on the helper's input, news on its
// output.

enum SwarmOrder: String, Codable, Sendable {
    /// Answer with `report`.
    case report
    /// Close everything and end.
    case quit
}

enum SwarmNews: Codable, Sendable {
    /// All devices of the helper are welcomed.
    case connected(SwarmLogins)
    /// Each device has each message.
    case complete
    case report(SwarmReport)
    case failed(String)
}

/// The logins of one helper. Histograms are sparse, in microseconds.
struct SwarmLogins: Codable, Sendable {
    var devices = 0
    var refusals = 0
    var tokens: [UInt64] = []
    var dials: [UInt64] = []
    var logins: [UInt64] = []
}

/// What one helper received. Times are of the monotonic clock, in ns; 0 is never.
struct SwarmReport: Codable, Sendable {
    var unique = 0
    var duplicated = 0
    var reordered = 0
    /// Messages that were not made by this run.
    var foreign = 0
    /// Connections that ended although nobody asked for it, by close number.
    var ended: [Int: Int] = [:]
    var latency: [UInt64] = []
    var firstAt: [UInt64] = []
    var lastAt: [UInt64] = []
    var counts: [Int] = []
}
