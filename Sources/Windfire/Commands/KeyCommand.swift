import ArgumentParser
import Common
import Crypto
import Foundation

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make an API key: prints it once, and the line for `api.keys`.",
        discussion: "The servers keep only the hash, so a lost key cannot be shown again: make a new one.")

    @Argument(help: "Who will use it; for logs and for taking it back.")
    var name: String

    @Option(help: "What it may: push (send), ops (look and steer), admin (both, and keys).")
    var role = ConfiguredAPIKey.Role.push

    @OptionGroup var output: OutputOptions

    func validate() throws {
        let isAllowed = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { NodeID.allows($0) }
        guard isAllowed else { throw ValidationError("a name is 1 to 64 of [A-Za-z0-9._-]") }
    }

    func run() {
        let (key, entry) = Self.make(name: name, role: role)
        if output.json {
            Output.line(#"{"key":"\#(key)","api_keys":"\#(entry)"}"#)
        } else {
            Output.line("key       \(key)")
            Output.line("api.keys  \(entry)")
        }
    }

    /// 32 random bytes: nothing to guess, so the servers may use a fast hash.
    static func make(name: String, role: ConfiguredAPIKey.Role) -> (key: String, entry: ConfiguredAPIKey) {
        let bytes = SymmetricKey(size: .bits256).withUnsafeBytes { Data($0) }
        let key = "wf_" + bytes.map { hex($0) }.joined()
        let hash = SHA256.hash(data: Data(key.utf8)).map { hex($0) }.joined()
        return (key, ConfiguredAPIKey(name: name, role: role, sha256Hex: hash))
    }

    private static func hex(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

extension ConfiguredAPIKey.Role: ExpressibleByArgument {}
