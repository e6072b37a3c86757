/// The table as a list: collected from the properties of `ConfigurationKeys`, in their order, so that a key cannot be
/// declared and forgotten.
package enum ConfigurationTable {
    package static let definitions: [KeyDefinition] =
        collect(ConfigurationKeys.table) + LimitKey.all.map(\.definition)

    package static let byName: [String: KeyDefinition] =
        Dictionary(uniqueKeysWithValues: definitions.map { ($0.name, $0) })

    static let byFlag: [String: KeyDefinition] =
        Dictionary(uniqueKeysWithValues: definitions.map { ($0.flag, $0) })

    static let byVariable: [String: KeyDefinition] =
        Dictionary(uniqueKeysWithValues: definitions.map { ($0.variable, $0) })

    /// The keys of one role, in the order of the table.
    package static func definitions(usedBy role: ConfigurationRole) -> [KeyDefinition] {
        definitions.filter { $0.isUsed(by: role) }
    }

    private static func collect(_ section: any Sendable) -> [KeyDefinition] {
        Mirror(reflecting: section).children.flatMap { _, value -> [KeyDefinition] in
            if let key = value as? any AnyConfigurationKey { return [key.definition] }
            if let section = value as? any ConfigurationKeySection { return collect(section) }
            return []
        }
    }

    /// The manual for people: for `--help` of a role, and for docs/configuration.md.
    package static func manual(of definitions: [KeyDefinition]) -> String {
        definitions.map { key in
            var lines = ["\(key.flag) <\(key.type)>", "    \(key.doc)", "    \(key.variable), file: \(key.name)"]
            lines.append(
                "    must be \(key.allowed); default: \(key.defaultText.map { $0.isEmpty ? "empty" : $0 } ?? "none")")
            return lines.joined(separator: "\n")
        }.joined(separator: "\n")
    }
}

private protocol AnyConfigurationKey {
    var definition: KeyDefinition { get }
}

extension ConfigurationKey: AnyConfigurationKey {}
