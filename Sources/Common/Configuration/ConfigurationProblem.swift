/// One thing that is wrong with the configuration, in words for whoever has to mend it.
package struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// As the source writes it: `--push-lisen`, `WINDFIRE_PUSH_LISEN`, `push.lisen`.
    package let name: String
    /// `flag`, `environment`, `windfire.yaml:12`.
    package let place: String
    package let message: String

    package var description: String { "\(name) (\(place)): \(message)" }

    init(name: String, place: String, message: String) {
        self.name = name
        self.place = place
        self.message = message
    }

    /// A value that is not of the key's form. A secret is not repeated.
    static func badValue(_ text: String, of key: KeyDefinition, as name: String, in place: String) -> Self {
        let shown = key.isSecret ? "the value (secret, not shown)" : "`\(key.shown(String(text.prefix(200))))`"
        return Self(name: name, place: place, message: "\(shown) is not allowed; must be \(key.allowed)")
    }

    static func unknown(_ name: String, in place: String, known: some Sequence<String>) -> Self {
        let hint = NearestName.of(name, among: known).map { "; did you mean `\($0)`?" } ?? ""
        return Self(name: name, place: place, message: "is not a key" + hint)
    }
}

extension WindfireError {
    /// All problems as one error that stops the start.
    package init(configuration problems: [ConfigurationProblem]) {
        let lines = problems.map(\.description)
        self.init(
            .configurationInvalid,
            lines.count == 1 ? lines[0] : "\(lines.count) problems:\n" + lines.map { "  " + $0 }.joined(separator: "\n")
        )
    }
}
