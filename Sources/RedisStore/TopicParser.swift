import Common
import NIOCore

/// Reads what the scripts on topics answer. What is not in our form is left out and counted, or makes the whole answer
/// nil; never a crash.
struct TopicParser {
    /// Members, rows and entries that were none of ours.
    private(set) var corruptCount = 0

    /// `{epoch, first offset, {incarnation, …}, version}`, of a publish of so many messages. The version is "0" also
    /// when the script could not see it.
    mutating func reach(_ value: RESPValue, count: Int) -> TopicReach? {
        guard let fields = value.array, fields.count == 4, let epoch = number(fields[0]),
            let first = number(fields[1]), let nodes = fields[2].array, let version = number(fields[3]),
            first <= UInt64.max - UInt64(count)
        else { return nil }
        let positions = (0..<UInt64(count)).map { HistoryPosition(epoch: epoch, offset: first + $0) }
        return TopicReach(nodes: incarnations(nodes), patternsVersion: version, positions: positions)
    }

    mutating func incarnations(_ members: [RESPValue]) -> Set<Incarnation> {
        var nodes: Set<Incarnation> = []
        for member in members {
            if let node = member.text.flatMap({ try? Incarnation($0) }) {
                nodes.insert(node)
            } else {
                corruptCount += 1
            }
        }
        return nodes
    }

    /// `{version, {row, …}}`.
    mutating func patterns(_ value: RESPValue) -> (rows: [PatternDirectory.Row], version: UInt64)? {
        guard let fields = value.array, fields.count == 2, let version = number(fields[0]),
            let texts = fields[1].array
        else { return nil }
        var rows: [PatternDirectory.Row] = []
        rows.reserveCapacity(texts.count)
        for text in texts {
            if let row = text.text.flatMap(Self.row) { rows.append(row) } else { corruptCount += 1 }
        }
        return (rows, version)
    }

    /// A field of `wf:patterns`. No node is named with a `|`, so the first one ends the incarnation; byte for byte,
    /// because a pattern may begin with an accent that Swift would take for a part of it.
    static func field(_ pattern: TopicPattern, _ node: Incarnation) -> String { "\(node)|\(pattern.text)" }

    private static func row(_ field: String) -> PatternDirectory.Row? {
        guard let bar = field.utf8.firstIndex(of: UInt8(ascii: "|")),
            let node = try? Incarnation(String(field[..<bar])),
            let pattern = try? TopicPattern(String(field[field.utf8.index(after: bar)...])), pattern.isWildcard
        else { return nil }
        return PatternDirectory.Row(pattern: pattern, node: node)
    }

    /// `{epoch, first, head, 1 if more, {entry, …}}`.
    mutating func page(_ value: RESPValue) -> HistoryPage<TopicMessage>? {
        guard let fields = value.array, fields.count == 5, let epoch = number(fields[0]),
            let first = number(fields[1]), let head = number(fields[2]), let more = fields[3].integer,
            let list = fields[4].array
        else { return nil }
        var entries: [HistoryPage<TopicMessage>.Entry] = []
        entries.reserveCapacity(list.count)
        for value in list {
            if let entry = entry(value) { entries.append(entry) } else { corruptCount += 1 }
        }
        return HistoryPage(epoch: epoch, first: first, head: head, entries: entries, isMore: more == 1)
    }

    /// `{"offset-0", {field, value, …}}`, as XRANGE gives it; the fields stand in history.lua.
    private func entry(_ value: RESPValue) -> HistoryPage<TopicMessage>.Entry? {
        guard let parts = value.array, parts.count == 2, let place = parts[0].text.flatMap({ StreamPosition($0) }),
            let fields = parts[1].array, fields.count.isMultiple(of: 2)
        else { return nil }
        var (id, time, data): (MessageID?, UInt64?, [UInt8]?)
        var from: ClientID?
        for index in stride(from: 0, to: fields.count, by: 2) {
            guard case .bulk(let bytes) = fields[index + 1] else { return nil }
            switch fields[index].text {
            case "i": id = try? MessageID(String(buffer: bytes))
            case "t": time = UInt64(String(buffer: bytes))
            case "d": data = Array(bytes.readableBytesView)
            case "f": from = try? ClientID(String(buffer: bytes))
            // When it was appended, and what a later version has to say.
            default: break
            }
        }
        guard let id, let time, let data else { return nil }
        let message = TopicMessage(id: id, timestampMilliseconds: time, data: data, from: from)
        return HistoryPage.Entry(offset: place.milliseconds, element: message)
    }

    private func number(_ value: RESPValue) -> UInt64? { value.text.flatMap { UInt64($0) } }
}
