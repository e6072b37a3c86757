/// How a token is signed (RFC 7518, section 3.1; RFC 8037). Windfire signs with the first three; the others are for
/// tokens of customers' own issuers. `none` has no case, so it cannot be chosen.
package enum TokenAlgorithm: String, Hashable, Sendable, CaseIterable {
    case es256 = "ES256"
    case edDSA = "EdDSA"
    case hs256 = "HS256"
    case es384 = "ES384"
    case es512 = "ES512"
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"

    /// Who can check can also sign. Such keys are never published.
    package var isSymmetric: Bool { self == .hs256 }

    package static let ours: Set<TokenAlgorithm> = [.es256, .edDSA, .hs256]
    package static let publicKeyed = Set(allCases.filter { !$0.isSymmetric })
}

/// What a key is called: 1–64 of `[A-Za-z0-9._-]`. It is only ever looked up in a dictionary, and the alphabet keeps
/// it harmless wherever else it may end up.
package struct KeyID: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let text: String

    package init?(_ text: String) {
        guard (1...64).contains(text.utf8.count), text.utf8.allSatisfy(NodeID.allows) else { return nil }
        self.text = text
    }

    package var description: String { text }

    package static func < (left: KeyID, right: KeyID) -> Bool { left.text < right.text }
}
