import Foundation
import TestKit
import Testing

@testable import PushClient

@Suite struct InboxCursorTests {
    @Test func eachStoredMessageIsNewOnce() {
        let cursor = Held()
        #expect(cursor.receive("5-1") == .new)
        #expect(cursor.receive("5-2") == .new)
        #expect(cursor.receive("5-1") == .shown(acknowledge: false))
        // Numbers, not texts.
        #expect(cursor.receive("5-10") == .new)
        #expect(cursor.receive("10-1") == .new)
        #expect(cursor.receive("9-99") == .shown(acknowledge: false))
    }

    @Test func whatWasDealtWithIsAcknowledgedAgainWhenItComesAgain() {
        let cursor = Held()
        #expect(cursor.receive("5-1") == .new)
        #expect(cursor.receive("5-2") == .new)
        #expect(cursor.acknowledge("5-1"))
        #expect(!cursor.acknowledge("5-1"))
        #expect(cursor.receive("5-1") == .shown(acknowledge: true))
        #expect(cursor.receive("5-2") == .shown(acknowledge: false))
    }

    @Test func aRestartGoesOnWhereTheApplicationWas() {
        let cursor = Held()
        #expect(cursor.text == nil)
        _ = cursor.receive("5-1")
        _ = cursor.receive("5-2")
        #expect(cursor.text == nil)
        #expect(cursor.acknowledge("5-1"))
        let later = Held(saved: cursor.text)
        #expect(later.receive("5-1") == .shown(acknowledge: true))
        // It was shown, but not dealt with before the application ended.
        #expect(later.receive("5-2") == .new)
    }

    @Test(arguments: ["", "5", "5-", "-1", "5-1-1", "0192-abc", "99999999999999999999999-1", " 5-1"])
    func otherIdsAreNotStoredOnes(_ id: String) {
        let cursor = Held(saved: id)
        #expect(cursor.value == InboxCursor())
        #expect(cursor.receive(id) == nil)
        #expect(!cursor.acknowledge(id))
    }

    @Test func aFileKeepsTheNewestCursor() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/cursor"
        let file = FileCursor(path: path)
        #expect(file.load() == nil)
        for number in 1...500 { file.save("7-\(number)") }
        file.flush()
        #expect(FileCursor(path: path).load() == "7-500")
        try Data(repeating: 65, count: 1_000).write(to: URL(fileURLWithPath: path))
        #expect(FileCursor(path: path).load() == nil)
        // A folder that is gone costs the cursor, nothing else.
        let lost = FileCursor(path: folder.path + "/no/such/folder/cursor")
        lost.save("1-1")
        lost.flush()
        #expect(lost.load() == nil)
    }
}

/// A cursor that can be changed within an expectation.
private final class Held {
    private(set) var value: InboxCursor

    init(saved: String? = nil) { value = InboxCursor(saved: saved) }

    var text: String? { value.text }
    func receive(_ id: String) -> InboxCursor.Verdict? { value.receive(id) }
    func acknowledge(_ id: String) -> Bool { value.acknowledge(id) }
}
