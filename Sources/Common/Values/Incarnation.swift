/// One life of a process: `<NodeID>@<16 hex>`, new at each start. Routes name the incarnation and never the bare node,
/// so that what an earlier life left behind is never mistaken for the present one.
package struct Incarnation: Hashable, Sendable, Codable, CustomStringConvertible, Comparable {
    package let node: NodeID
    /// Random; equal numbers for one node within a route's life are as good as impossible.
    package let life: UInt64

    package init(node: NodeID, life: UInt64) {
        self.node = node
        self.life = life
    }

    /// A new life, from the system's random numbers.
    package static func new(of node: NodeID) -> Incarnation {
        Incarnation(node: node, life: .random(in: .min ... .max))
    }

    /// - Throws: `invalid_id` unless the text has the exact form.
    package init(_ text: String) throws(WindfireError) {
        guard let at = text.utf8.lastIndex(of: UInt8(ascii: "@")) else {
            throw WindfireError(.invalidID, "incarnation has no @")
        }
        guard let life = UInt64(hex16: text[text.utf8.index(after: at)...]) else {
            throw WindfireError(.invalidID, "incarnation does not end in 16 hex digits")
        }
        self.init(node: try NodeID(String(text[..<at])), life: life)
    }

    package var description: String { "\(node.text)@\(life.hex16)" }

    package static func < (left: Incarnation, right: Incarnation) -> Bool {
        (left.node, left.life) < (right.node, right.life)
    }

    package init(from decoder: any Decoder) throws {
        try self.init(decoder.singleValueContainer().decode(String.self))
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
