/// What is in force, key by key, and where each value came from. Made by `load`, handed to what needs it, never global.
///
/// Values are read as `configuration.push.listen`, `configuration.registry`, `configuration.limits`: the property names
/// are those of `ConfigurationKeys`, and the types are the keys' own.
///
/// Why not the readers of swift-configuration: they look up the keys a program asks for, and so never meet a key that
/// was mistyped. Here a source is read whole, each name is held against the table, and all faults are told at once.
@dynamicMemberLookup
package struct Configuration: Sendable {
    /// Where a value came from; the order is the order of precedence.
    package enum Source: Hashable, Sendable, CustomStringConvertible {
        case flag
        case environment
        case file(path: String, line: Int)
        case `default`

        package var description: String {
            switch self {
            case .flag: "flag"
            case .environment: "environment"
            case .file(let path, let line): "\(path):\(line)"
            case .default: "default"
            }
        }
    }

    /// One key's value as text; nil when the key is optional and no source has it.
    package struct Setting: Hashable, Sendable {
        package let text: String?
        package let source: Source
    }

    package let settings: [String: Setting]
    /// The bounds of the system, `limits.…`.
    package let limits: Limits

    /// - Parameter settings: one for each key of the table, each of its key's form.
    init(checked settings: [String: Setting]) {
        self.settings = settings
        var limits = Limits.default
        for key in LimitKey.all {
            if let text = settings[key.definition.name]?.text { key.set(&limits, text) }
        }
        self.limits = limits
    }

    /// The defaults alone.
    package static let defaults = Configuration(
        checked: Dictionary(
            uniqueKeysWithValues: ConfigurationTable.definitions.map {
                ($0.name, Setting(text: $0.defaultText, source: .default))
            }))

    package func value<Value>(of key: ConfigurationKey<Value>) -> Value {
        guard let value = key.read(settings[key.definition.name]?.text) else {
            preconditionFailure("\(key.definition.name) is in the table, and its text was checked when it was loaded")
        }
        return value
    }

    package subscript<Value>(dynamicMember key: KeyPath<ConfigurationKeys, ConfigurationKey<Value>>) -> Value {
        value(of: ConfigurationKeys.table[keyPath: key])
    }

    package subscript<Keys: ConfigurationKeySection>(
        dynamicMember section: KeyPath<ConfigurationKeys, Keys>
    ) -> ConfigurationSection<Keys> {
        ConfigurationSection(holder: self, table: ConfigurationKeys.table[keyPath: section])
    }
}

/// The values of one section: `configuration.push`.
@dynamicMemberLookup
package struct ConfigurationSection<Keys: ConfigurationKeySection>: Sendable {
    // Named so that no key of any section is hidden by them.
    let holder: Configuration
    let table: Keys

    package subscript<Value>(dynamicMember key: KeyPath<Keys, ConfigurationKey<Value>>) -> Value {
        holder.value(of: table[keyPath: key])
    }
}
