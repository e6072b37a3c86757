import FoundationEssentials

/// What stands before the first dot of a token (RFC 7515, section 4).
struct TokenHeader: Decodable, Equatable {
    let algorithm: String
    let key: String?
    /// Whether it names a key by other means or demands extensions. Both are refused: keys come from configuration.
    let hasForbiddenFields: Bool

    enum CodingKeys: String, CodingKey, CaseIterable {
        case alg, kid
        case jku, jwk, x5u, x5c, x5t
        case x5tS256 = "x5t#S256"
        case crit
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        algorithm = try container.decode(String.self, forKey: .alg)
        key = try container.decodeIfPresent(String.self, forKey: .kid)
        let forbidden: [CodingKeys] = [.jku, .jwk, .x5u, .x5c, .x5t, .x5tS256, .crit]
        hasForbiddenFields = forbidden.contains { container.contains($0) }
    }

    /// The header that goes with a key, as the signer writes it.
    static func encoded(algorithm: TokenAlgorithm, key: KeyID) -> String {
        // Neither value has a character that JSON would escape.
        Base64URL.encode(Array(#"{"alg":"\#(algorithm.rawValue)","kid":"\#(key.text)","typ":"JWT"}"#.utf8))
    }
}

/// Opens signed tokens (JWS compact serialisation, RFC 7515, section 7.1): finds the key, checks the signature, and
/// only then gives the payload's bytes out. What algorithms are allowed is fixed here by configuration; the header
/// merely has to agree with the key it names (RFC 8725, section 3.1).
package struct TokenEnvelope: Sendable {
    /// Largest token. Ours have about 500 bytes; permissions may add some.
    package static let bytesMax = 4096

    private let algorithms: Set<TokenAlgorithm>

    /// - Throws: `configuration_invalid` for a mixture of secrets and public keys, with which a public key could be
    ///   passed off as a secret, and for an empty list.
    package init(algorithms: Set<TokenAlgorithm>) throws(WindfireError) {
        guard !algorithms.isEmpty else {
            throw WindfireError(.configurationInvalid, "the list of token algorithms is empty")
        }
        guard Set(algorithms.map(\.isSymmetric)).count == 1 else {
            throw WindfireError(.configurationInvalid, "HS256 cannot be allowed beside public-key algorithms")
        }
        self.algorithms = algorithms
    }

    /// The payload of a token with a valid signature.
    package func open(
        _ token: String, keys source: some VerificationKeySource
    ) async throws(TokenRejection) -> [UInt8] {
        let parts = try Parts(token)
        let keys = source.current
        let named = try Self.key(of: parts, in: keys)
        var key = named.id.flatMap { keys.byID[$0] }
        if key == nil {
            switch named.id {
            case .some(let id): key = await source.refreshed(missing: id)?.byID[id]
            case .none: key = keys.unnamed
            }
        }
        guard let key else { throw .unknownKey }
        guard algorithms.contains(key.algorithm), named.algorithm == key.algorithm.rawValue else {
            throw .algorithmRefused
        }
        guard key.isValid(signature: parts.signature, for: parts.signed) else { throw .badSignature }
        guard let payload = Base64URL.decode(parts.payload) else { throw .malformed }
        return payload
    }

    private static func key(
        of parts: Parts, in keys: VerificationKeys
    ) throws(TokenRejection) -> (id: KeyID?, algorithm: String) {
        if let id = keys.knownHeaders[parts.header], let key = keys.byID[id] { return (id, key.algorithm.rawValue) }
        guard let bytes = Base64URL.decode(parts.header.utf8),
            let header = try? JSONDecoder().decode(TokenHeader.self, from: Data(bytes))
        else { throw .malformed }
        // An algorithm of no name that is ever allowed, `none` in all its spellings among them.
        guard let algorithm = TokenAlgorithm(rawValue: header.algorithm) else { throw .algorithmRefused }
        guard !header.hasForbiddenFields else { throw .malformed }
        guard let text = header.key else { return (nil, algorithm.rawValue) }
        guard let id = KeyID(text) else { throw .unknownKey }
        return (id, algorithm.rawValue)
    }

    /// The three parts; nothing but the signature is decoded yet.
    private struct Parts {
        let header: String
        let payload: ArraySlice<UInt8>
        /// Header, dot and payload: the bytes that were signed (RFC 7515, section 5.1).
        let signed: ArraySlice<UInt8>
        let signature: [UInt8]

        init(_ token: String) throws(TokenRejection) {
            let bytes = Array(token.utf8)
            guard bytes.count <= TokenEnvelope.bytesMax else { throw .malformed }
            let dot = UInt8(ascii: ".")
            guard let first = bytes.firstIndex(of: dot), let last = bytes.lastIndex(of: dot), first > 0,
                first + 1 < last, last + 1 < bytes.count, !bytes[(first + 1)..<last].contains(dot),
                let signature = Base64URL.decode(bytes[(last + 1)...])
            else { throw .malformed }
            header = String(decoding: bytes[..<first], as: UTF8.self)
            payload = bytes[(first + 1)..<last]
            signed = bytes[..<last]
            self.signature = signature
        }
    }
}
