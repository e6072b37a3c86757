import ArgumentParser

/// The value of an option that is a secret. `--help` prints the default of every option, and the default of this one
/// may come from the environment: it says where from, and never what.
struct SecretValue: ExpressibleByArgument, CustomStringConvertible {
    let text: String
    let description: String

    init(argument: String) {
        text = argument
        description = "***"
    }

    /// The variable's value, or what `windfire dev` takes when it is not set.
    init(variable: String) {
        text = Environment.text(variable) ?? "dev"
        description = "$\(variable), or dev"
    }

    var defaultValueDescription: String { description }
}
