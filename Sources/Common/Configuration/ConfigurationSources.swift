// Reading one source each into texts by key name. A source is read whole; whatever in it is not in the table is a
// problem.

/// What a source said about one key.
struct ConfigurationEntry: Hashable, Sendable {
    let key: String
    let text: String
    /// As the source writes the key.
    let name: String
    let source: Configuration.Source
}

/// What one source said.
struct ConfigurationReading: Sendable {
    var entries: [ConfigurationEntry] = []
    var problems: [ConfigurationProblem] = []
}

/// `--push-listen 0.0.0.0:8300`, `--push-listen=0.0.0.0:8300`. A list's flag may be repeated; a boolean's needs no
/// value.
enum FlagSource {
    /// Takes the value of `--config` out of the arguments: it names a source and is no key.
    static let fileFlag = "--config"

    static func read(_ arguments: [String], role: ConfigurationRole?) -> (reading: ConfigurationReading, file: String?)
    {
        var reading = ConfigurationReading()
        var file: String?
        var texts: [String: String] = [:]
        var order: [String] = []
        var rest = arguments[...]
        func problem(_ name: String, _ message: String) {
            reading.problems.append(ConfigurationProblem(name: name, place: "flag", message: message))
        }

        while let argument = rest.popFirst() {
            guard argument.hasPrefix("--"), argument.count > 2 else {
                problem(String(argument.prefix(200)), "is not a flag; flags are written `--push-listen 0.0.0.0:8300`")
                continue
            }
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let flag = parts[0]
            let key = ConfigurationTable.byFlag[flag]
            guard key != nil || flag == fileFlag else {
                // Its value would only be reported a second time.
                if parts.count == 1, let next = rest.first, !next.hasPrefix("--") { rest.removeFirst() }
                reading.problems.append(
                    .unknown(flag, in: "flag", known: ConfigurationTable.definitions.map(\.flag) + [fileFlag]))
                continue
            }
            var value = parts.count == 2 ? parts[1] : nil
            if value == nil, let next = rest.first, !next.hasPrefix("--") { value = rest.removeFirst() }
            if value == nil, key?.isSwitch == true { value = "true" }
            guard let value else {
                problem(flag, "needs a value" + (key.map { "; must be \($0.allowed)" } ?? ""))
                continue
            }
            guard let key else {
                file = value
                continue
            }
            if let role, !key.isUsed(by: role) {
                problem(flag, "is not used by `windfire \(role.rawValue)`")
                continue
            }
            if let earlier = texts[key.name] {
                if key.isList { texts[key.name] = earlier + "," + value } else { problem(flag, "stands twice") }
            } else {
                texts[key.name] = value
                order.append(key.name)
            }
        }
        reading.entries = order.compactMap { name in
            guard let text = texts[name], let key = ConfigurationTable.byName[name] else { return nil }
            return ConfigurationEntry(key: name, text: text, name: key.flag, source: .flag)
        }
        return (reading, file)
    }
}

/// `WINDFIRE_PUSH_LISTEN`. Other variables are not looked at.
package enum EnvironmentSource {
    static let fileVariable = "WINDFIRE_CONFIG"
    /// Read by the tools (`windfire push`, `windfire nodes`, …) and by the test suite, whose children inherit them; and
    /// therefore known.
    package static let otherVariables = [
        "WINDFIRE_ROUTE_URL", "WINDFIRE_AUTH_URL", "WINDFIRE_KEY", "WINDFIRE_SECRET",
        "WINDFIRE_KEEP_TEST_FOLDERS", "WINDFIRE_LONG", "WINDFIRE_TEST_PORTS", "WINDFIRE_UPDATE_DOCS",
    ]

    static func read(_ environment: [String: String]) -> (reading: ConfigurationReading, file: String?) {
        var reading = ConfigurationReading()
        for (variable, text) in environment.sorted(by: { $0.key < $1.key }) where variable.hasPrefix("WINDFIRE_") {
            if let key = ConfigurationTable.byVariable[variable] {
                // Set and empty is how shells and compose files say "not set", except for a list.
                guard !text.isEmpty || key.isList else { continue }
                reading.entries.append(
                    ConfigurationEntry(key: key.name, text: text, name: variable, source: .environment))
            } else if variable != fileVariable, !otherVariables.contains(variable), !isServiceLink(variable) {
                reading.problems.append(
                    .unknown(
                        variable, in: "environment",
                        known: ConfigurationTable.definitions.map(\.variable) + [fileVariable] + otherVariables))
            }
        }
        return (reading, environment[fileVariable].flatMap { $0.isEmpty ? nil : $0 })
    }

    /// Kubernetes gives every container in a namespace with a service `windfire-auth` the variables
    /// `WINDFIRE_AUTH_SERVICE_HOST`, `WINDFIRE_AUTH_PORT`, `WINDFIRE_AUTH_PORT_8100_TCP_ADDR`, … (Kubernetes
    /// documentation, "Accessing the Service: Environment Variables"). Nobody typed those.
    static func isServiceLink(_ variable: String) -> Bool {
        variable.hasSuffix("_SERVICE_HOST") || variable.hasSuffix("_PORT")
            || variable.contains("_SERVICE_PORT") || variable.contains(/_PORT_[0-9]+_(TCP|UDP|SCTP)/)
    }
}
