/// Topic patterns, each with a number, and the ones that match a topic: a tree over the levels.
///
/// A match visits only nodes whose path matches the beginning of the topic: for every level at most twice as many as
/// before (the level itself and `+`), and never more than there are nodes. It allocates nothing once the caller's array
/// has grown. The named children of all nodes stand in one dictionary, so that a node without children, which most are,
/// pays for none.
///
/// Memory: a node takes about 56 bytes and its entry in the dictionary 60, and a pattern has at most 16 nodes of its
/// own (`TopicPattern.levelsMax`).
package struct PatternTrie: Sendable {
    private static let none = UInt32.max

    /// A level by its bytes.
    private struct Level: Hashable {
        let text: Substring
        static func == (left: Level, right: Level) -> Bool { TopicText.areSame(left.text, right.text) }
        func hash(into hasher: inout Hasher) { TopicText.hash(text, into: &hasher) }
    }

    private struct Edge: Hashable {
        let parent: UInt32
        let level: Level
    }

    private struct Node {
        let parent: UInt32
        /// How the parent names it: nil for `+`.
        let level: Level?
        /// The child for `+`.
        var anyChild = PatternTrie.none
        /// The number of the pattern that ends here.
        var here = PatternTrie.none
        /// The number of the pattern that goes on with `#` here.
        var below = PatternTrie.none
        var namedChildren: UInt32 = 0

        var isUnused: Bool {
            anyChild == PatternTrie.none && here == PatternTrie.none && below == PatternTrie.none && namedChildren == 0
        }
    }

    /// The first is the root.
    private var nodes = [Node(parent: none, level: nil)]
    private var unused: [UInt32] = []
    private var edges: [Edge: UInt32] = [:]
    package private(set) var count = 0

    package init() {}

    package var isEmpty: Bool { count == 0 }

    /// The number that was given to exactly this pattern.
    package func number(of pattern: TopicPattern) -> UInt32? {
        var node: UInt32 = 0
        for level in pattern.levels {
            if level == "#" { return known(nodes[Int(node)].below) }
            guard let child = child(of: node, named: level) else { return nil }
            node = child
        }
        return known(nodes[Int(node)].here)
    }

    /// Gives a number, any but the largest, to a pattern, or a new one to a pattern that has one.
    package mutating func insert(_ pattern: TopicPattern, _ number: UInt32) {
        precondition(number != Self.none, "the largest number means none")
        var node: UInt32 = 0
        for level in pattern.levels {
            if level == "#" {
                if nodes[Int(node)].below == Self.none { count += 1 }
                nodes[Int(node)].below = number
                return
            }
            node = child(of: node, named: level) ?? addChild(of: node, named: level)
        }
        if nodes[Int(node)].here == Self.none { count += 1 }
        nodes[Int(node)].here = number
    }

    /// Takes a pattern out, and the nodes that only it needed.
    package mutating func remove(_ pattern: TopicPattern) {
        var node: UInt32 = 0
        var isBelow = false
        for level in pattern.levels {
            isBelow = level == "#"
            guard !isBelow else { break }
            guard let child = child(of: node, named: level) else { return }
            node = child
        }
        let field = isBelow ? \Node.below : \Node.here
        guard nodes[Int(node)][keyPath: field] != Self.none else { return }
        nodes[Int(node)][keyPath: field] = Self.none
        count -= 1
        while node != 0, nodes[Int(node)].isUnused {
            let parent = nodes[Int(node)].parent
            if let level = nodes[Int(node)].level {
                edges.removeValue(forKey: Edge(parent: parent, level: level))
                nodes[Int(parent)].namedChildren -= 1
            } else {
                nodes[Int(parent)].anyChild = Self.none
            }
            unused.append(node)
            node = parent
        }
    }

    /// Appends the number of every pattern that matches, each once.
    package func appendMatches(of topic: Topic, to numbers: inout [UInt32]) {
        guard count > 0 else { return }
        visit(0, rest: topic.levels, isHidden: topic.isReserved, &numbers)
    }

    /// - Parameter isHidden: wildcards at this level pass the topic by. As deep as the deepest pattern: 16 levels.
    private func visit(_ index: UInt32, rest: TopicLevels, isHidden: Bool, _ numbers: inout [UInt32]) {
        // Field by field: the whole node would take its name along, and count references.
        let below = nodes[Int(index)].below
        if below != Self.none, !isHidden { numbers.append(below) }
        var rest = rest
        guard let level = rest.next() else {
            let here = nodes[Int(index)].here
            if here != Self.none { numbers.append(here) }
            return
        }
        let anyChild = nodes[Int(index)].anyChild
        if anyChild != Self.none, !isHidden { visit(anyChild, rest: rest, isHidden: false, &numbers) }
        if nodes[Int(index)].namedChildren > 0, let child = edges[Edge(parent: index, level: Level(text: level))] {
            visit(child, rest: rest, isHidden: false, &numbers)
        }
    }

    private func known(_ number: UInt32) -> UInt32? { number == Self.none ? nil : number }

    private func child(of node: UInt32, named level: Substring) -> UInt32? {
        level == "+" ? known(nodes[Int(node)].anyChild) : edges[Edge(parent: node, level: Level(text: level))]
    }

    private mutating func addChild(of parent: UInt32, named level: Substring) -> UInt32 {
        // A text of its own: the pattern's would be kept whole for one level.
        let name = level == "+" ? nil : Level(text: String(level)[...])
        let node = Node(parent: parent, level: name)
        let index: UInt32
        if let free = unused.popLast() {
            index = free
            nodes[Int(free)] = node
        } else {
            index = UInt32(nodes.count)
            nodes.append(node)
        }
        if let name {
            edges[Edge(parent: parent, level: name)] = index
            nodes[Int(parent)].namedChildren += 1
        } else {
            nodes[Int(parent)].anyChild = index
        }
        return index
    }
}
