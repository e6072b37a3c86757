import Crypto
import JWTKit

/// One key that signatures are checked with, bound to one algorithm: a key of one kind is never used for another.
package struct VerificationKey: Sendable {
    package enum Material: Sendable {
        case p256(P256.Signing.PublicKey)
        case ed25519(Curve25519.Signing.PublicKey)
        case secret(SymmetricKey)
        /// RSA and the larger curves, for customers' issuers.
        case foreign(any JWTAlgorithm)
    }

    package let algorithm: TokenAlgorithm
    private let material: Material

    package init(p256 key: P256.Signing.PublicKey) {
        algorithm = .es256
        material = .p256(key)
    }

    package init(ed25519 key: Curve25519.Signing.PublicKey) {
        algorithm = .edDSA
        material = .ed25519(key)
    }

    /// - Parameter key: at least 32 bytes (RFC 7518, section 3.2).
    /// - Throws: `configuration_invalid` when it is shorter.
    package init(secret key: [UInt8]) throws(WindfireError) {
        guard key.count >= 32 else {
            throw WindfireError(.configurationInvalid, "a secret for HS256 has at least 32 bytes")
        }
        algorithm = .hs256
        material = .secret(SymmetricKey(data: key))
    }

    init(foreign key: any JWTAlgorithm, algorithm: TokenAlgorithm) {
        self.algorithm = algorithm
        material = .foreign(key)
    }

    /// Signatures of a wrong length are not valid. HMACs are compared in constant time by swift-crypto.
    package func isValid(signature: [UInt8], for signed: ArraySlice<UInt8>) -> Bool {
        switch material {
        case .p256(let key):
            guard let signature = try? P256.Signing.ECDSASignature(rawRepresentation: signature) else { return false }
            return key.isValidSignature(signature, for: signed)
        case .ed25519(let key):
            return key.isValidSignature(signature, for: signed)
        case .secret(let key):
            return HMAC<SHA256>.isValidAuthenticationCode(signature, authenticating: signed, using: key)
        case .foreign(let key):
            return (try? key.verify(signature, signs: signed)) ?? false
        }
    }
}
