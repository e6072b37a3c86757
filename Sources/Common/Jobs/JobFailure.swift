// The failures every job store has in common, in the same words, so that callers and the contract see no difference.

package enum JobFailure {
    package static func notFound(file: StaticString = #fileID, line: UInt = #line) -> WindfireError {
        WindfireError(.notFound, "there is no job with this id", file: file, line: line)
    }

    package static func idTaken(file: StaticString = #fileID, line: UInt = #line) -> WindfireError {
        WindfireError(.conflict, "there is another job with this id", file: file, line: line)
    }

    package static func wrongState(
        _ state: JobState, file: StaticString = #fileID, line: UInt = #line
    ) -> WindfireError {
        WindfireError(.conflict, "the job is \(state.name)", file: file, line: line)
    }

    package static func otherChunk(file: StaticString = #fileID, line: UInt = #line) -> WindfireError {
        WindfireError(.conflict, "the job has other ids in this chunk", file: file, line: line)
    }

    package static func otherNumbers(file: StaticString = #fileID, line: UInt = #line) -> WindfireError {
        WindfireError(.conflict, "the job has other ids or chunks than were sealed", file: file, line: line)
    }

    package static func tooLarge(bytesMax: Int, file: StaticString = #fileID, line: UInt = #line) -> WindfireError {
        WindfireError(
            .payloadTooLarge, "what the job pushes is larger than \(bytesMax) bytes", file: file, line: line)
    }

    /// The database cannot be used now. The reason is ours, never the database's text, which may quote what it was
    /// given.
    package static func unavailable(
        _ reason: String, retryAfter: Duration? = .seconds(1), cause: (any Error)? = nil,
        file: StaticString = #fileID, line: UInt = #line
    ) -> WindfireError {
        WindfireError(
            .jobsUnavailable, "the job database \(reason)", retryAfter: retryAfter, cause: cause, file: file, line: line
        )
    }

    package static func schemaUnknown(
        found: Int, known: Int, file: StaticString = #fileID, line: UInt = #line
    ) -> WindfireError {
        WindfireError(
            .jobsSchemaUnknown,
            "the job database has schema \(found), and this version knows up to \(known); start the newer version, or "
                + "give this one a database of its own", file: file, line: line)
    }

    /// A reason as it is kept: at most `JobLimits.reasonBytesMax` bytes, cut between characters.
    package static func bounded(_ reason: String) -> String {
        guard reason.utf8.count > JobLimits.reasonBytesMax else { return reason }
        var text = ""
        for character in reason {
            guard text.utf8.count + character.utf8.count <= JobLimits.reasonBytesMax else { break }
            text.append(character)
        }
        return text
    }
}
