/// A set of keys at one moment: an immutable value, replaced as a whole when keys change.
package struct VerificationKeys: Sendable {
    package let byID: [KeyID: VerificationKey]
    /// For tokens that name no key: only with customers' issuers that have a single one.
    package let unnamed: VerificationKey?
    /// Headers exactly as our signer writes them, so that the ordinary token's header is looked up and not parsed.
    let knownHeaders: [String: KeyID]

    package init(_ byID: [KeyID: VerificationKey], unnamed: VerificationKey? = nil) {
        self.byID = byID
        self.unnamed = unnamed
        knownHeaders = Dictionary(
            byID.map { (TokenHeader.encoded(algorithm: $0.value.algorithm, key: $0.key), $0.key) },
            uniquingKeysWith: { first, _ in first })
    }

    package static let none = VerificationKeys([:])

    package var isEmpty: Bool { byID.isEmpty && unnamed == nil }

    package var ids: [KeyID] { byID.keys.sorted() }
}

/// Where a verifier's keys come from: fixed ones, this process's own signing keys, or a fetched set.
package protocol VerificationKeySource: Sendable {
    /// The keys now. Asked once per token; must not wait.
    var current: VerificationKeys { get }

    /// A token named a key that `current` does not have. May fetch, at most once in a while.
    /// - Returns: the newer set, or nil when there is none to be had now.
    func refreshed(missing id: KeyID) async -> VerificationKeys?
}

extension VerificationKeys: VerificationKeySource {
    package var current: VerificationKeys { self }
    package func refreshed(missing id: KeyID) async -> VerificationKeys? { nil }
}
