import ArgumentParser
import Foundation

/// Where the push API is, and with which key.
struct RouteOptions: ParsableArguments {
    @Option(name: .customLong("route"), help: "Base URL of a route server.")
    var url = Environment.text("WINDFIRE_ROUTE_URL") ?? "http://127.0.0.1:8200"

    @Option(help: ArgumentHelp("API key. Better in WINDFIRE_KEY, where other users of the machine cannot read it."))
    var key = SecretValue(variable: "WINDFIRE_KEY")

    var client: APIClient { APIClient(base: url, key: key.text) }
}

/// Where the token API is.
struct AuthOptions: ParsableArguments {
    @Option(name: .customLong("auth"), help: "Base URL of an auth server.")
    var url = Environment.text("WINDFIRE_AUTH_URL") ?? "http://127.0.0.1:8100"
}

struct OutputOptions: ParsableArguments {
    @Flag(help: "Print the answer as JSON.")
    var json = false
}

/// The keys of the configuration as flags. They are not declared one by one: `Configuration.load` reads them from the
/// table, and so do the help and the printout. A role command has a property `@OptionGroup var keys:
/// ConfigurationFlags` and loads with `try keys.load(role:)`.
struct ConfigurationFlags: ParsableArguments {
    @Argument(
        parsing: .allUnrecognized,
        help: ArgumentHelp(
            "Any key of the configuration as a flag, such as `--push-listen 0.0.0.0:8300`, and `--config FILE`.",
            valueName: "flags"))
    var flags: [String] = []
}

enum Environment {
    /// Nil when not set or empty.
    static func text(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
