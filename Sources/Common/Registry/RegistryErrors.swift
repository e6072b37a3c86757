// The failures both registries answer with, in the same words.

extension WindfireError {
    /// Another live process has entered the node id.
    package static func nodeIDTaken(
        by other: Incarnation, file: StaticString = #fileID, line: UInt = #line
    ) -> WindfireError {
        WindfireError(
            .nodeIDTaken, "node id \(other.node) is held by another live process, \(other)", file: file, line: line)
    }

    /// `update` for a node that was never registered here, or was withdrawn.
    package static func notRegistered(
        _ id: NodeID, file: StaticString = #fileID, line: UInt = #line
    ) -> WindfireError {
        WindfireError(.notFound, "node \(id) is not registered by this process", file: file, line: line)
    }
}
