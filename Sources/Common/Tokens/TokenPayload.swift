/// The JSON between a token's dots: `TokenClaims` as RFC 7519 names them.
///
/// `sub` is the subject, that is the client, so the permissions have an object of their own:
/// `"perm": {"pub": ["room/+"], "sub": ["room/#"], "send": true}`.
struct TokenPayload: Codable, Equatable {
    var iss: String
    var aud: Audience
    var sub: String
    var dev: String
    var jti: String
    var gen: UInt64
    var iat: Int64
    var nbf: Int64
    var exp: Int64
    var node: String?
    var perm: Permissions?
}

/// One string or several (RFC 7519, section 4.1.3).
package enum Audience: Codable, Hashable, Sendable {
    case one(String)
    case several([String])

    package func contains(_ audience: String) -> Bool {
        switch self {
        case .one(let text): text == audience
        case .several(let texts): texts.contains(audience)
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let text = try? container.decode(String.self) {
            self = .one(text)
        } else {
            self = .several(try container.decode([String].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .one(let text): try container.encode(text)
        case .several(let texts): try container.encode(texts)
        }
    }
}
