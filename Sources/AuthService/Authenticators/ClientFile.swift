import Common
import FoundationEssentials

/// The file of the static authenticator:
///
/// ```json
/// {"clients": [
///     {"client": "alice", "secret": "scrypt$14$8$1$…$…", "permissions": {"pub": [], "sub": ["room/+"], "send": true}}
/// ]}
/// ```
///
/// `windfire config secret` writes the hashes. Without `permissions` a client may subscribe to everything, publish
/// nothing and send to nobody.
package struct ClientFile: Sendable {
    package struct Entry: Sendable {
        package let hash: SecretHash
        package let permissions: Permissions
    }

    /// Half a million clients; more belong into a service of their own.
    package static let bytesMax = 128 << 20
    package static let permissionsDefault = Permissions(subscribe: ["#"])

    package let entries: [ClientID: Entry]

    /// - Throws: `configuration_invalid` naming the entry by its place.
    package init(json: [UInt8]) throws(WindfireError) {
        let file: File
        do {
            file = try JSONDecoder().decode(File.self, from: Data(json))
        } catch {
            throw WindfireError(.configurationInvalid, "the client file is not in the expected form", cause: error)
        }
        var entries: [ClientID: Entry] = [:]
        for (place, row) in file.clients.enumerated() {
            guard let hash = try? SecretHash(row.secret) else {
                throw WindfireError(.configurationInvalid, "client \(place + 1) of the client file has no valid hash")
            }
            guard entries[row.client] == nil else {
                throw WindfireError(.configurationInvalid, "client \(place + 1) of the client file stands there twice")
            }
            entries[row.client] = Entry(hash: hash, permissions: row.permissions ?? Self.permissionsDefault)
        }
        self.entries = entries
    }

    package init(path: String) throws(WindfireError) {
        try self.init(json: try ConfiguredFile.read(path, bytesMax: Self.bytesMax))
    }

    private struct File: Decodable {
        let clients: [Row]
    }

    private struct Row: Decodable {
        let client: ClientID
        let secret: String
        let permissions: Permissions?
    }
}
