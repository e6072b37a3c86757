import Common

/// What hotwheels' benchmark prints. The field names are those of `--json`.
struct JanusReport: Encodable, Equatable {
    /// A bot that has seen nothing by then is bad.
    static let patience: Duration = .seconds(5)
    private static let bucket: Duration = .milliseconds(500)

    let bots: Int
    let setup_s: Double
    let good: Int
    let bad: Int
    /// From the publish until the last bot was good or the patience was over.
    let run_s: Double
    /// Nil when nobody was good.
    let smallest_ms: Double?
    let largest_ms: Double?
    /// How many bots saw it within each half second.
    let buckets: [Int]

    /// - Parameter times: of the good ones, from the publish to the receipt.
    init(bots: Int, setup: Duration, run: Duration, times: [Duration]) {
        self.bots = bots
        setup_s = setup.inSeconds
        good = times.count
        bad = bots - times.count
        run_s = run.inSeconds
        smallest_ms = times.min().map { $0.inSeconds * 1_000 }
        largest_ms = times.max().map { $0.inSeconds * 1_000 }
        var buckets = [Int](repeating: 0, count: Int(Self.patience / Self.bucket))
        for time in times { buckets[min(buckets.count - 1, max(0, Int(time / Self.bucket)))] += 1 }
        self.buckets = buckets
    }

    var text: String {
        var table = TextTable("hotwheels", "")
        table.add("bots", "\(bots)")
        table.add("setup", "\(fixed(setup_s, 3)) s")
        table.add("good", "\(good)")
        table.add("bad", "\(bad)")
        table.add("run time", "\(fixed(run_s, 3)) s")
        table.add("smallest", smallest_ms.map { "\(fixed($0, 1)) ms" } ?? "-")
        for (index, count) in buckets.enumerated() {
            table.add("\(index * 500)–\((index + 1) * 500) ms", "\(count)")
        }
        table.add("largest", largest_ms.map { "\(fixed($0, 1)) ms" } ?? "-")
        return table.text
    }
}

extension Duration {
    fileprivate var inSeconds: Double { self / .seconds(1) }
}
