import Crypto
import FoundationEssentials
import JWTKit

extension VerificationKeys {
    /// Most keys read from one set. Issuers publish a handful.
    package static let keysMax = 64

    /// Reads a JSON Web Key Set (RFC 7517, section 5). Keys of unknown kinds, without a usable id, or not for signing
    /// are left out, as the RFC asks. Symmetric keys are never read from a published set.
    /// - Throws: `invalid_json` when it is no key set; `invalid_request` when it has no usable key or too many.
    package init(jwks bytes: [UInt8]) async throws(WindfireError) {
        let rows: [LenientRow]
        do {
            rows = try JSONDecoder().decode(KeySet.self, from: Data(bytes)).keys
        } catch {
            throw WindfireError(.invalidJSON, "the key set is not a JSON Web Key Set", cause: error)
        }
        guard rows.count <= Self.keysMax else {
            throw WindfireError(.invalidRequest, "the key set has more than \(Self.keysMax) keys")
        }
        var byID: [KeyID: VerificationKey] = [:]
        for case .some(let row) in rows.map(\.row) where row.use ?? "sig" == "sig" {
            guard let id = row.kid.flatMap(KeyID.init), let key = await row.key(id: id) else { continue }
            byID[id] = key
        }
        guard !byID.isEmpty else { throw WindfireError(.invalidRequest, "the key set has no usable key") }
        self.init(byID)
    }
}

private struct KeySet: Decodable {
    let keys: [LenientRow]
}

/// A key of a form we do not know must not spoil the set.
private struct LenientRow: Decodable {
    let row: KeyRow?

    init(from decoder: any Decoder) throws { row = try? KeyRow(from: decoder) }
}

/// The public members of a JSON Web Key (RFC 7518, section 6; RFC 8037, section 2).
private struct KeyRow: Decodable {
    let kty: String
    let kid: String?
    let use: String?
    let alg: String?
    let crv: String?
    let x: String?
    let y: String?
    let n: String?
    let e: String?

    func key(id: KeyID) async -> VerificationKey? {
        switch (kty, crv) {
        case ("EC", "P-256"):
            guard alg ?? "ES256" == "ES256", let x = x?.decoded, let y = y?.decoded, x.count == 32, y.count == 32,
                let key = try? P256.Signing.PublicKey(rawRepresentation: x + y)
            else { return nil }
            return VerificationKey(p256: key)
        case ("OKP", "Ed25519"):
            guard alg ?? "EdDSA" == "EdDSA", let x = x?.decoded,
                let key = try? Curve25519.Signing.PublicKey(rawRepresentation: x)
            else { return nil }
            return VerificationKey(ed25519: key)
        case ("EC", "P-384"):
            return await foreign(
                .ecdsa(.es384, identifier: .init(string: id.text), x: x, y: y, curve: .p384), .es384, id)
        case ("EC", "P-521"):
            return await foreign(
                .ecdsa(.es512, identifier: .init(string: id.text), x: x, y: y, curve: .p521), .es512, id)
        case ("RSA", _):
            guard let algorithm = TokenAlgorithm(rawValue: alg ?? "RS256"), !algorithm.isSymmetric,
                let name = JWK.Algorithm(rawValue: algorithm.rawValue)
            else { return nil }
            return await foreign(
                .rsa(name, identifier: .init(string: id.text), modulus: n, exponent: e), algorithm, id)
        default:
            return nil
        }
    }

    /// JWTKit makes its algorithms only inside a collection.
    private func foreign(_ row: JWK, _ algorithm: TokenAlgorithm, _ id: KeyID) async -> VerificationKey? {
        let collection = JWTKeyCollection()
        guard (try? await collection.add(jwk: row)) != nil,
            let key = try? await collection.getKey(for: .init(string: id.text), alg: algorithm.rawValue),
            key.name == algorithm.rawValue
        else { return nil }
        return VerificationKey(foreign: key, algorithm: algorithm)
    }
}

extension String {
    fileprivate var decoded: [UInt8]? { Base64URL.decode(utf8) }
}
