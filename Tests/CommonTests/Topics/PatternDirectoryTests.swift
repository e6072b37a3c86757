import Common
import TestKit
import Testing

struct PatternDirectoryTests {
    private let one = Incarnation(node: NodeID(unchecked: "n1"), life: 1)
    private let two = Incarnation(node: NodeID(unchecked: "n2"), life: 2)

    private func row(_ pattern: String, _ node: Incarnation) throws -> PatternDirectory.Row {
        PatternDirectory.Row(pattern: try TopicPattern(pattern), node: node)
    }

    private func nodes(_ directory: PatternDirectory, _ topic: String) throws -> Set<Incarnation> {
        var nodes: Set<Incarnation> = []
        directory.insertNodes(for: try Topic(topic), into: &nodes)
        return nodes
    }

    @Test func tellsTheNodesWithAMatchingPattern() throws {
        var directory = PatternDirectory()
        #expect(!directory.isCurrent(0), "there is no copy yet")
        directory.replace([try row("room/+", one), try row("room/+", two), try row("#", two)], version: 7)
        #expect(directory.isCurrent(7))
        #expect(!directory.isCurrent(8))
        #expect(try nodes(directory, "room/1") == [one, two])
        #expect(try nodes(directory, "price/1") == [two])
        #expect(try nodes(directory, "$SYS/load") == [])
    }

    @Test func aNewerCopyReplacesTheWholeAndAnOlderNothing() throws {
        var directory = PatternDirectory()
        directory.replace([try row("a/+", one)], version: 7)
        directory.replace([try row("b/+", two)], version: 8)
        #expect(try nodes(directory, "a/1") == [])
        directory.replace([try row("a/+", one)], version: 7)
        #expect(try nodes(directory, "a/1") == [])
        #expect(try nodes(directory, "b/1") == [two])
    }

    @Test func aNodeWhoseRowsFindNoRoomGetsEverything() throws {
        var directory = PatternDirectory(rowsMax: 1)
        directory.replace([try row("a/+", one), try row("b/+", two)], version: 1)
        #expect(directory.flooded == [two])
        #expect(try nodes(directory, "a/1") == [one, two])
        #expect(try nodes(directory, "c") == [two])
    }
}
