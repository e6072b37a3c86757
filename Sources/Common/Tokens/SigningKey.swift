import Crypto
import FoundationEssentials
import JWTKit

/// One key that tokens are signed with.
package struct SigningKey: Sendable {
    private enum Material: Sendable {
        case p256(P256.Signing.PrivateKey)
        case ed25519(Curve25519.Signing.PrivateKey)
        case secret(SymmetricKey)
    }

    package let id: KeyID
    package let algorithm: TokenAlgorithm
    /// The first part of every token it signs.
    package let header: String
    private let material: Material

    private init(id: KeyID, algorithm: TokenAlgorithm, material: Material) {
        self.id = id
        self.algorithm = algorithm
        self.material = material
        header = TokenHeader.encoded(algorithm: algorithm, key: id)
    }

    /// A new key from the system's random numbers.
    /// - Throws: `not_supported` for algorithms that Windfire only verifies.
    package static func generate(_ algorithm: TokenAlgorithm, id: KeyID) throws(WindfireError) -> SigningKey {
        switch algorithm {
        case .es256: SigningKey(id: id, algorithm: algorithm, material: .p256(.init()))
        case .edDSA: SigningKey(id: id, algorithm: algorithm, material: .ed25519(.init()))
        case .hs256: SigningKey(id: id, algorithm: algorithm, material: .secret(SymmetricKey(size: .bits256)))
        default: throw WindfireError(.notSupported, "tokens are signed with ES256, EdDSA or HS256")
        }
    }

    /// Reads a private key: PEM (P-256 or Ed25519, as `openssl genpkey` writes them) or a JWK (EC, OKP or oct).
    /// - Parameter defaultID: for PEM, and for a JWK without `kid`.
    /// - Throws: `configuration_invalid`, without a word of the content.
    package init(file text: String, defaultID: KeyID) throws(WindfireError) {
        if text.contains("-----BEGIN") {
            if let key = try? P256.Signing.PrivateKey(pemRepresentation: text) {
                self.init(id: defaultID, algorithm: .es256, material: .p256(key))
            } else if let pem = try? EdDSA.PrivateKey(pem: text),
                let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: pem.rawRepresentation)
            {
                self.init(id: defaultID, algorithm: .edDSA, material: .ed25519(key))
            } else {
                throw WindfireError(
                    .configurationInvalid, "key \(defaultID) is not a private key on P-256 or Ed25519 in PEM")
            }
            return
        }
        guard let row = try? JSONDecoder().decode(PrivateRow.self, from: Data(text.utf8)) else {
            throw WindfireError(.configurationInvalid, "key \(defaultID) is neither PEM nor a JSON Web Key")
        }
        guard let id = row.kid.map(KeyID.init) ?? defaultID else {
            throw WindfireError(.configurationInvalid, "key \(defaultID) has a kid that is not [A-Za-z0-9._-]{1,64}")
        }
        let secret = (row.kty == "oct" ? row.k : row.d).flatMap { Base64URL.decode($0.utf8) }
        switch (row.kty, row.crv, secret) {
        case ("EC", "P-256", .some(let bytes)):
            guard let key = try? P256.Signing.PrivateKey(rawRepresentation: bytes) else { break }
            self.init(id: id, algorithm: .es256, material: .p256(key))
            return
        case ("OKP", "Ed25519", .some(let bytes)):
            guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: bytes) else { break }
            self.init(id: id, algorithm: .edDSA, material: .ed25519(key))
            return
        case ("oct", _, .some(let bytes)):
            guard bytes.count >= 32 else {
                throw WindfireError(.configurationInvalid, "key \(defaultID): a secret for HS256 has at least 32 bytes")
            }
            self.init(id: id, algorithm: .hs256, material: .secret(SymmetricKey(data: bytes)))
            return
        default:
            break
        }
        throw WindfireError(
            .configurationInvalid, "key \(defaultID) is not a private key: EC P-256, OKP Ed25519, or oct")
    }

    package func sign(_ bytes: [UInt8]) throws(WindfireError) -> [UInt8] {
        do {
            switch material {
            case .p256(let key): return Array(try key.signature(for: bytes).rawRepresentation)
            case .ed25519(let key): return Array(try key.signature(for: bytes))
            case .secret(let key): return Array(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
            }
        } catch {
            throw WindfireError(.internalError, "signing failed", cause: error)
        }
    }

    package var verification: VerificationKey {
        switch material {
        case .p256(let key): return VerificationKey(p256: key.publicKey)
        case .ed25519(let key): return VerificationKey(ed25519: key.publicKey)
        case .secret(let key):
            do {
                return try VerificationKey(secret: key.withUnsafeBytes { Array($0) })
            } catch {
                preconditionFailure("a secret of at least 32 bytes was checked when it was read")
            }
        }
    }

    /// The published half; nil for a secret, which is never published.
    package var publicJWK: PublicJWK? {
        switch material {
        case .p256(let key):
            let point = key.publicKey.rawRepresentation
            return PublicJWK(
                kty: "EC", crv: "P-256", x: Base64URL.encode(point.prefix(32)), y: Base64URL.encode(point.suffix(32)),
                kid: id.text, alg: algorithm.rawValue)
        case .ed25519(let key):
            return PublicJWK(
                kty: "OKP", crv: "Ed25519", x: Base64URL.encode(key.publicKey.rawRepresentation), y: nil,
                kid: id.text, alg: algorithm.rawValue)
        case .secret:
            return nil
        }
    }

    /// The private key as a JWK, for the file of a generated key.
    package var privateJWK: String {
        switch material {
        case .p256(let key):
            let point = key.publicKey.rawRepresentation
            let (x, y) = (Base64URL.encode(point.prefix(32)), Base64URL.encode(point.suffix(32)))
            return
                #"{"kty":"EC","crv":"P-256","kid":"\#(id)","x":"\#(x)","y":"\#(y)","#
                + #""d":"\#(Base64URL.encode(key.rawRepresentation))"}"#
        case .ed25519(let key):
            let x = Base64URL.encode(key.publicKey.rawRepresentation)
            return
                #"{"kty":"OKP","crv":"Ed25519","kid":"\#(id)","x":"\#(x)","#
                + #""d":"\#(Base64URL.encode(key.rawRepresentation))"}"#
        case .secret(let key):
            let k = Base64URL.encode(key.withUnsafeBytes { Array($0) })
            return #"{"kty":"oct","kid":"\#(id)","k":"\#(k)"}"#
        }
    }

    /// Tells keys apart without showing them: a hash of the private form.
    package var fingerprint: String { Base64URL.encode(Array(SHA256.hash(data: Array(privateJWK.utf8)))) }
}

/// One row of `/.well-known/jwks.json` (RFC 7517, section 4).
package struct PublicJWK: Codable, Hashable, Sendable {
    package let kty: String
    package let crv: String
    package let x: String
    package let y: String?
    package let kid: String
    package let alg: String
    package var use = "sig"

    init(kty: String, crv: String, x: String, y: String?, kid: String, alg: String) {
        self.kty = kty
        self.crv = crv
        self.x = x
        self.y = y
        self.kid = kid
        self.alg = alg
    }
}

private struct PrivateRow: Decodable {
    let kty: String
    let kid: String?
    let crv: String?
    let d: String?
    let k: String?
}
