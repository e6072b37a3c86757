import ArgumentParser
import Common
import Foundation

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config",
        abstract: "Print what is in force and where each value came from; secrets are masked.",
        discussion:
            "Takes the flags of the role commands, as in `windfire config --config windfire.yaml --log-level debug`.")

    @Option(help: "Check this file without starting anything; exits 1 with all problems.")
    var check: String?

    @Option(help: "Only the keys of this role (auth, push-server, push-route, dev); with --check, all its rules.")
    var role: ConfigurationRole?

    @Flag(help: "Print the manual: every key, its type, what is allowed, its default.")
    var manual = false

    @OptionGroup var keys: ConfigurationFlags

    func run() throws {
        let definitions = role.map(ConfigurationTable.definitions(usedBy:)) ?? ConfigurationTable.definitions
        if manual {
            Output.line(ConfigurationTable.manual(of: definitions))
        } else if let check {
            try checkFile(check)
        } else {
            try printSettings(try keys.load(role: role), definitions)
        }
    }

    /// The file alone: what the environment of this shell says is no matter of the file.
    private func checkFile(_ path: String) throws {
        do throws(WindfireError) {
            let configuration = try Configuration.load(flags: keys.flags, file: path, role: role)
            if let role { try configuration.check(for: role) }
        } catch {
            throw CommandFailure(error)
        }
        Output.line("\(path): all right")
    }

    private func printSettings(_ configuration: Configuration, _ definitions: [KeyDefinition]) throws {
        var table = TextTable("key", "value", "from")
        for key in definitions {
            guard let setting = configuration.settings[key.name] else { continue }
            let value = setting.text.map { $0.isEmpty ? "(empty)" : key.shown($0) } ?? "-"
            table.add(key.name, value, setting.source.description)
        }
        Output.line(table.text)
    }
}

extension ConfigurationRole: ExpressibleByArgument {}
