/// Which store keeps the jobs, as `route.jobs` says it: `sqlite:PATH`, or `memory:`.
package enum JobStoreAddress: Hashable, Sendable {
    /// In this process, gone with it.
    case memory
    /// A file; relative paths begin at the working folder.
    case sqlite(path: String)

    /// Nil when the text is none of these.
    package init?(_ text: String) {
        if text == "memory:" {
            self = .memory
        } else if text.hasPrefix("sqlite:") {
            let path = String(text.dropFirst(7))
            guard !path.isEmpty, !path.hasPrefix("//"), !path.utf8.contains(0) else { return nil }
            self = .sqlite(path: path)
        } else {
            return nil
        }
    }
}

extension ValueForm where Value == JobStoreAddress {
    static let jobStore = ValueForm(
        type: "job store", allowed: "`sqlite:PATH` or `memory:`", parse: JobStoreAddress.init)
}
