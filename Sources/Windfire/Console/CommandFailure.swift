import Common

/// Ends a command with exit code 1 and a sentence for a person, without the place in the source.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    init(_ error: WindfireError) { description = "\(error.code): \(error.message)" }
}
