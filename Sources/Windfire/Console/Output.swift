import Foundation

/// Lines on standard output, written whole and at once: a reader behind a pipe sees each when it happens.
enum Output {
    static func line(_ text: String) { write(to: .standardOutput, Data((text + "\n").utf8)) }

    /// For what is not the result: progress and states.
    static func note(_ text: String) { write(to: .standardError, Data((text + "\n").utf8)) }

    /// Whether a person is looking at what is not the result.
    static var isNoteOnTerminal: Bool { isatty(FileHandle.standardError.fileDescriptor) == 1 }

    /// A note that takes the place of the one before, on a terminal: carriage return, the text, erase to the end of the
    /// line (ECMA-48, EL).
    static func rewrite(_ text: String, isLast: Bool) {
        write(to: .standardError, Data(("\r" + text + "\u{1B}[K" + (isLast ? "\n" : "")).utf8))
    }

    static func line(json data: Data) {
        write(to: .standardOutput, data)
        if data.last != UInt8(ascii: "\n") { write(to: .standardOutput, Data("\n".utf8)) }
    }

    /// Whoever read the output may have stopped, as `head` does: then there is nothing left to do.
    private static func write(to handle: FileHandle, _ data: Data) {
        do { try handle.write(contentsOf: data) } catch { exit(1) }
    }
}
