/// The known name that a mistyped one probably meant.
package enum NearestName {
    /// Names longer than this are not compared: the work grows with the product of the lengths.
    private static let lengthMax = 80

    /// Nil when nothing is near: more than two edits, or a third of the name for long ones.
    package static func of(_ typed: String, among known: some Sequence<String>) -> String? {
        let typedBytes = Array(typed.lowercased().utf8)
        guard typedBytes.count <= lengthMax else { return nil }
        var best: (name: String, distance: Int)?
        for name in known {
            let distance = distance(typedBytes, Array(name.lowercased().utf8))
            if distance < best?.distance ?? .max { best = (name, distance) }
        }
        guard let best, best.distance <= max(2, typedBytes.count / 3) else { return nil }
        return best.name
    }

    /// Edits (insert, remove, replace, swap neighbours) that make `left` into `right`: optimal string alignment.
    static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...right.count)
        for (row, byte) in left.enumerated() {
            var current = [row + 1]
            current.reserveCapacity(right.count + 1)
            for (column, other) in right.enumerated() {
                var edits = min(last[column] + (byte == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, byte == right[column - 1], other == left[row - 1] {
                    edits = min(edits, beforeLast[column - 1] + 1)
                }
                current.append(edits)
            }
            (beforeLast, last) = (last, current)
        }
        return last[right.count]
    }
}
