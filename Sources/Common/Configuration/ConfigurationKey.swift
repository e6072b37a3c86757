/// The roles of the executable, by the name of their subcommand.
package enum ConfigurationRole: String, Sendable, CaseIterable {
    case auth
    case pushServer = "push-server"
    case pushRoute = "push-route"
    /// Every role in one process; the only one that takes the well-known development secrets.
    case dev
}

/// One row of the manual: a name that is the same in all sources, what may be said, and what holds when nothing is.
package struct ConfigurationKey<Value: Sendable>: Sendable {
    package let definition: KeyDefinition
    /// Nil when the text breaks the form. Given nil when no source, not even the default, has the key.
    let read: @Sendable (String?) -> Value?

    /// A key that always has a value.
    init(
        _ name: String, _ form: ValueForm<Value>, default defaultText: String, usedBy roles: Set<ConfigurationRole>,
        isSecret: Bool = false, _ doc: String
    ) {
        precondition(form.parse(defaultText) != nil, "the default of \(name) is of the key's form")
        definition = KeyDefinition(name, form, default: defaultText, usedBy: roles, isSecret: isSecret, doc)
        read = { text in text.flatMap(form.parse) }
    }

    /// A key that may be left out.
    init<Wrapped>(
        _ name: String, optional form: ValueForm<Wrapped>, usedBy roles: Set<ConfigurationRole>,
        isSecret: Bool = false, _ doc: String
    ) where Value == Wrapped? {
        definition = KeyDefinition(name, form, default: nil, usedBy: roles, isSecret: isSecret, doc)
        read = { text in
            guard let text else { return .some(nil) }
            return form.parse(text).map(Optional.some)
        }
    }
}

/// A key without its Swift type: what the loader, the manual and the printout need.
package struct KeyDefinition: Sendable {
    /// `push.listen`.
    package let name: String
    /// `duration`, `address`, … for the manual.
    package let type: String
    /// What may be said, to stand after "must be".
    package let allowed: String
    package let defaultText: String?
    package let roles: Set<ConfigurationRole>
    package let isSecret: Bool
    package let isList: Bool
    package let isSwitch: Bool
    /// One line.
    package let doc: String

    let accepts: @Sendable (String) -> Bool
    private let mask: @Sendable (String) -> String

    init<Value>(
        _ name: String, _ form: ValueForm<Value>, default defaultText: String?, usedBy roles: Set<ConfigurationRole>,
        isSecret: Bool, _ doc: String
    ) {
        self.name = name
        type = form.type
        allowed = form.allowed
        self.defaultText = defaultText
        self.roles = roles
        self.isSecret = isSecret
        isList = form.isList
        isSwitch = form.isSwitch
        self.doc = doc
        accepts = { form.parse($0) != nil }
        mask = form.mask
    }

    /// `--push-listen`.
    package var flag: String { "--" + String(name.map { $0 == "." ? "-" : $0 }) }

    /// `WINDFIRE_PUSH_LISTEN`.
    package var variable: String {
        "WINDFIRE_" + String(name.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
    }

    /// The text as it may be shown: secrets and passwords in addresses are replaced.
    package func shown(_ text: String) -> String { isSecret ? "********" : mask(text) }

    /// `dev` is on for every key: it runs all roles.
    package func isUsed(by role: ConfigurationRole) -> Bool { role == .dev || roles.contains(role) }
}
