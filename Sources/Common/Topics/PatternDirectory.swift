/// Which nodes have subscribers by wildcards, as a publisher knows it: its own copy of what the nodes announced, so
/// that
/// a publish asks the store only for the topic's own set.
///
/// A node that subscribes by wildcards cannot be found in any topic's set. It announces the pattern in one small hash
/// (`wf:patterns`) with a version that rises with every change, also across a wiped store (as `Epoch` does). A
/// publisher reads the version in the same round trip as
/// the topic's set; when it is not that of its copy, it reads the hash again before it sends. So whoever was told that
/// it is subscribed gets every publish that begins after that.
///
/// Cost: a match per publish (`PatternTrie`), and the whole hash again whenever any node begins or ends a pattern,
/// which
/// `TopicPresence` makes rare. Bound: `rowsMax` rows, some 150 bytes each. A node whose rows find no room gets every
/// publish and finds its subscribers by itself: that costs traffic, and loses nothing.
package struct PatternDirectory: Sendable {
    package struct Row: Hashable, Sendable {
        package let pattern: TopicPattern
        package let node: Incarnation

        package init(pattern: TopicPattern, node: Incarnation) {
            self.pattern = pattern
            self.node = node
        }
    }

    private let rowsMax: Int
    private var trie = PatternTrie()
    private var nodesByPattern: [[Incarnation]] = []
    /// Nodes whose patterns are not all known here.
    package private(set) var flooded: Set<Incarnation> = []
    /// Of the copy; nil before the first.
    package private(set) var version: UInt64?

    package init(rowsMax: Int = 65_536) { self.rowsMax = rowsMax }

    /// Whether the hash has to be read again before a publish is sent.
    package func isCurrent(_ version: UInt64) -> Bool { self.version == version }

    /// Takes the whole hash as it was at a version. An answer that is older than the present copy is ignored.
    package mutating func replace(_ rows: some Sequence<Row>, version: UInt64) {
        if let present = self.version, version < present { return }
        self = PatternDirectory(rowsMax: rowsMax)
        self.version = version
        var count = 0
        for row in rows {
            guard count < rowsMax else {
                flooded.insert(row.node)
                continue
            }
            count += 1
            if let number = trie.number(of: row.pattern) {
                nodesByPattern[Int(number)].append(row.node)
            } else {
                trie.insert(row.pattern, UInt32(nodesByPattern.count))
                nodesByPattern.append([row.node])
            }
        }
    }

    /// Adds every node that has a matching pattern.
    package func insertNodes(for topic: Topic, into nodes: inout Set<Incarnation>) {
        nodes.formUnion(flooded)
        var numbers: [UInt32] = []
        trie.appendMatches(of: topic, to: &numbers)
        for number in numbers { nodes.formUnion(nodesByPattern[Int(number)]) }
    }
}
