import Foundation

extension Configuration {
    /// A file's text and the name it is called by in messages.
    package struct File: Hashable, Sendable {
        package let path: String
        package let text: String

        package init(path: String, text: String) {
            self.path = path
            self.text = text
        }

        /// Larger files are refused: a configuration is a few KiB.
        static let bytesMax = 1 << 20

        /// - Throws: `configuration_invalid` when the file is missing, too large, or not UTF-8.
        package init(reading path: String) throws(WindfireError) {
            func refused(_ message: String) -> WindfireError {
                WindfireError(configuration: [ConfigurationProblem(name: "--config", place: path, message: message)])
            }
            guard let data = FileManager.default.contents(atPath: path) else { throw refused("cannot be read") }
            guard data.count <= Self.bytesMax else { throw refused("is larger than 1 MiB") }
            guard let text = String(data: data, encoding: .utf8) else { throw refused("is not UTF-8") }
            self.init(path: path, text: text)
        }
    }

    /// Loads what is in force: flags, then environment, then the file, then defaults.
    /// - Parameters:
    ///   - flags: the arguments after the subcommand. `--config FILE` among them names the file.
    ///   - environment: all variables; only `WINDFIRE_…` are looked at. `WINDFIRE_CONFIG` names the file, too.
    ///   - file: the file to read when neither flags nor environment name one.
    ///   - role: when given, a flag of a key that the role does not use is refused.
    /// - Throws: `configuration_invalid` with every problem, not only the first.
    package static func load(
        flags: [String] = [], environment: [String: String] = [:], file: String? = nil, role: ConfigurationRole? = nil
    ) throws(WindfireError) -> Configuration {
        let named = FlagSource.read(flags, role: role).file ?? EnvironmentSource.read(environment).file ?? file
        let text: File? = if let named { try File(reading: named) } else { nil }
        return try resolve(flags: flags, environment: environment, file: text, role: role)
    }

    /// `load` without touching the disk.
    package static func resolve(
        flags: [String] = [], environment: [String: String] = [:], file: File? = nil, role: ConfigurationRole? = nil
    ) throws(WindfireError) -> Configuration {
        let readings = [
            FlagSource.read(flags, role: role).reading,
            EnvironmentSource.read(environment).reading,
            file.map { FileSource.read($0.text, path: $0.path) } ?? ConfigurationReading(),
        ]
        var problems = readings.flatMap(\.problems)
        var settings = defaults.settings
        // From the weakest source to the strongest; each value is checked, also one that a stronger source hides.
        for entry in readings.reversed().flatMap(\.entries) {
            guard let key = ConfigurationTable.byName[entry.key] else { continue }
            if key.accepts(entry.text) {
                settings[key.name] = Setting(text: entry.text, source: entry.source)
            } else {
                problems.append(.badValue(entry.text, of: key, as: entry.name, in: entry.source.description))
            }
        }
        guard problems.isEmpty else { throw WindfireError(configuration: problems) }
        return Configuration(checked: settings)
    }
}
