import Common
import CryptoExtras

/// A client's secret as it is kept: scrypt (RFC 7914) with its own salt, so that a stolen file is slow to turn into
/// secrets. Written `scrypt$<log2 N>$<r>$<p>$<salt>$<hash>`, both in base64url.
package struct SecretHash: Hashable, Sendable, CustomStringConvertible {
    /// N = 2¹⁴, r = 8, p = 1: 16 MiB and some 40 ms. Secrets of devices are random more often than not.
    package static let costDefault = Cost(logN: 14, blockSize: 8, parallelism: 1)
    package static let secretBytesMax = 1024

    package struct Cost: Hashable, Sendable {
        let logN: Int
        let blockSize: Int
        let parallelism: Int

        package init(logN: Int, blockSize: Int, parallelism: Int) {
            self.logN = logN
            self.blockSize = blockSize
            self.parallelism = parallelism
        }

        /// What a file may ask of us: from 2¹⁰ to 2¹⁷ rounds, at most 128 MiB.
        var isAllowed: Bool {
            (10...17).contains(logN) && (1...8).contains(blockSize) && (1...4).contains(parallelism)
        }
    }

    package let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    /// - Parameter salt: 16 random bytes.
    package init(secret: String, salt: [UInt8], cost: Cost = costDefault) throws(WindfireError) {
        guard cost.isAllowed, salt.count >= 8 else {
            throw WindfireError(.configurationInvalid, "the cost of a secret's hash is outside of what is allowed")
        }
        self.cost = cost
        self.salt = salt
        hash = try Self.derive(secret, salt: salt, cost: cost)
    }

    /// Reads the written form.
    /// - Throws: `configuration_invalid`.
    package init(_ text: String) throws(WindfireError) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0] == "scrypt", let logN = Int(parts[1]), let blockSize = Int(parts[2]),
            let parallelism = Int(parts[3]), let salt = Base64URL.decode(parts[4].utf8),
            let hash = Base64URL.decode(parts[5].utf8), salt.count >= 8, hash.count == 32
        else { throw WindfireError(.configurationInvalid, "a secret's hash is not scrypt$logN$r$p$salt$hash") }
        cost = Cost(logN: logN, blockSize: blockSize, parallelism: parallelism)
        guard cost.isAllowed else {
            throw WindfireError(.configurationInvalid, "the cost of a secret's hash is outside of what is allowed")
        }
        self.salt = salt
        self.hash = hash
    }

    package var description: String {
        "scrypt$\(cost.logN)$\(cost.blockSize)$\(cost.parallelism)$\(Base64URL.encode(salt))$\(Base64URL.encode(hash))"
    }

    /// Whether this is the secret. Slow on purpose; compares in constant time.
    package func matches(_ secret: String) -> Bool {
        guard secret.utf8.count <= Self.secretBytesMax,
            let candidate = try? Self.derive(secret, salt: salt, cost: cost)
        else { return false }
        var difference: UInt8 = 0
        for (left, right) in zip(candidate, hash) { difference |= left ^ right }
        return difference == 0 && candidate.count == hash.count
    }

    private static func derive(_ secret: String, salt: [UInt8], cost: Cost) throws(WindfireError) -> [UInt8] {
        do {
            let key = try KDF.Scrypt.deriveKey(
                from: Array(secret.utf8), salt: salt, outputByteCount: 32, rounds: 1 << cost.logN,
                blockSize: cost.blockSize, parallelism: cost.parallelism)
            return key.withUnsafeBytes { Array($0) }
        } catch {
            throw WindfireError(.internalError, "scrypt failed", cause: error)
        }
    }
}
