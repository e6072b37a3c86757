/// One failure: a stable code, a sentence for whoever reads it, the cause beneath, and the place it was made.
///
/// The message goes to callers. It names rules and keys, and never repeats secrets or raw input.
package struct WindfireError: Error, Sendable, CustomStringConvertible {
    package let code: FailureCode
    package let message: String
    /// When it makes sense to try again; nil when trying again changes nothing.
    package let retryAfter: Duration?
    package let cause: (any Error)?
    package let file: StaticString
    package let line: UInt

    package init(
        _ code: FailureCode,
        _ message: String,
        retryAfter: Duration? = nil,
        cause: (any Error)? = nil,
        file: StaticString = #fileID,
        line: UInt = #line
    ) {
        self.code = code
        self.message = message
        self.retryAfter = retryAfter
        self.cause = cause
        self.file = file
        self.line = line
    }

    package var description: String {
        if let cause {
            "\(code): \(message) (\(file):\(line), because \(cause))"
        } else {
            "\(code): \(message) (\(file):\(line))"
        }
    }
}

/// Two failures are the same to a caller, and to a test, when code and message are.
extension WindfireError: Equatable {
    package static func == (left: WindfireError, right: WindfireError) -> Bool {
        left.code == right.code && left.message == right.message
    }
}
