import Common
import FoundationEssentials

/// Reads the signing keys that configuration names, and makes the first one where that is allowed.
struct KeyFiles: Sendable {
    /// A key file holds one key.
    private static let bytesMax = 16 << 10
    private static let filesMax = 16
    private static let endings: Set<String> = ["pem", "jwk", "json"]

    let configuration: AuthServiceConfiguration.Keys

    /// Every file that counts, in order: the first one signs.
    func paths() throws(WindfireError) -> [String] {
        let paths: [String]
        if !configuration.files.isEmpty {
            paths = configuration.files
        } else if let folder = configuration.folder ?? ownFolder {
            let names: [String]
            do {
                names = try FileManager.default.contentsOfDirectory(atPath: folder)
            } catch {
                throw WindfireError(.configurationInvalid, "cannot read the key folder \(folder)", cause: error)
            }
            paths = names.filter { name in
                !name.hasPrefix(".") && Self.endings.contains(Self.ending(of: name))
            }.sorted().map { "\(folder)/\($0)" }
        } else {
            paths = []
        }
        guard paths.count <= Self.filesMax else {
            throw WindfireError(.configurationInvalid, "there are more than \(Self.filesMax) signing keys")
        }
        return paths
    }

    /// - Throws: `configuration_invalid` naming the file.
    func load() throws(WindfireError) -> [SigningKey] {
        var keys: [SigningKey] = []
        for path in try paths() {
            let name = path.split(separator: "/").last.map(String.init) ?? path
            guard let id = KeyID(String(name.dropLast(Self.ending(of: name).utf8.count + 1))) else {
                throw WindfireError(
                    .configurationInvalid, "the key file \(path) is not named [A-Za-z0-9._-]{1,64} and an ending")
            }
            let text = String(decoding: try ConfiguredFile.read(path, bytesMax: Self.bytesMax), as: UTF8.self)
            keys.append(try SigningKey(file: text, defaultID: id))
        }
        return keys
    }

    /// What changes when any of the files does.
    func stamp() -> [String: ConfiguredFile.Stamp]? {
        guard let paths = try? paths() else { return nil }
        return Dictionary(
            paths.compactMap { path in ConfiguredFile.stamp(path).map { (path, $0) } },
            uniquingKeysWith: { first, _ in first })
    }

    /// Keys for the start: those configured; else those of the data folder, where one is made the first time.
    /// - Throws: `configuration_invalid` when there is neither.
    func loadOrMake(random: UInt64) throws(WindfireError) -> [SigningKey] {
        if configuration.files.isEmpty, configuration.folder == nil {
            guard let folder = ownFolder else {
                throw WindfireError(
                    .configurationInvalid,
                    "there are no signing keys: name files or a folder, the same for every replica, "
                        + "or a data folder for a single one"
                )
            }
            try Self.makeFolder(folder)
            if try paths().isEmpty { try make(in: folder, random: random) }
        }
        let keys = try load()
        guard !keys.isEmpty else {
            throw WindfireError(.configurationInvalid, "the key folder has no *.pem, *.jwk or *.json")
        }
        return keys
    }

    private var ownFolder: String? { configuration.dataFolder.map { "\($0)/signing-keys" } }

    private func make(in folder: String, random: UInt64) throws(WindfireError) {
        guard let id = KeyID("k-\(random.hex16)") else { preconditionFailure("hex digits make a key id") }
        let key = try SigningKey.generate(configuration.algorithm, id: id)
        let path = "\(folder)/\(id).jwk"
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(key.privateJWK.utf8), attributes: [.posixPermissions: 0o600])
        guard isMade else { throw WindfireError(.configurationInvalid, "cannot write \(path)") }
    }

    private static func makeFolder(_ folder: String) throws(WindfireError) {
        do {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw WindfireError(.configurationInvalid, "cannot make the folder \(folder)", cause: error)
        }
    }

    private static func ending(of name: String) -> String {
        name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? ""
    }
}
