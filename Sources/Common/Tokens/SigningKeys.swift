/// The keys in force at one moment: one signs, all are published. An immutable value, replaced as a whole.
package struct SigningKeys: Sendable {
    package let signer: SigningKey
    /// The signer, what signs next, and what has signed and may still be on tokens.
    package let published: [SigningKey]
    package let verification: VerificationKeys

    package init(signer: SigningKey, others: [SigningKey] = []) {
        self.signer = signer
        published = [signer] + others.filter { $0.id != signer.id }
        verification = VerificationKeys(
            Dictionary(published.map { ($0.id, $0.verification) }, uniquingKeysWith: { first, _ in first }))
    }

    /// The public halves, for `/.well-known/jwks.json`.
    package var publicKeys: [PublicJWK] { published.compactMap(\.publicJWK) }
}

/// Decides which key signs and which are published while key files come and go. Pure: time is handed in.
///
/// The files name the wish, first is the signer. Two rules keep every valid token valid:
/// - A key that was not published before signs only after a lead, in which verifiers fetch it; until then the old one
///   goes on, even if its file is gone.
/// - A key whose file is gone stays published until the last token it signed has expired.
package struct KeyRotation: Sendable {
    package struct Timing: Sendable, Equatable {
        /// How long a new key is published before it signs: more than verifiers' refresh interval.
        package var leadSeconds: Int64 = 360
        /// Longest life of a token, and the clock skew verifiers allow.
        package var retentionSeconds: Int64 = 3_660

        package init(leadSeconds: Int64 = 360, retentionSeconds: Int64 = 3_660) {
            self.leadSeconds = leadSeconds
            self.retentionSeconds = retentionSeconds
        }
    }

    private struct Entry: Sendable {
        let key: SigningKey
        let fingerprint: String
        /// Unix seconds; the least value for keys of the start, which other processes may have published long ago.
        let publishedSince: Int64
        /// Nil while it is wished for.
        var retiredAt: Int64?
        var lastSigned: Int64
    }

    private let timing: Timing
    /// In the order of the wish, retired ones after them.
    private var entries: [Entry]
    private var signer: KeyID

    /// - Throws: `configuration_invalid` when there is no key, or two have one name.
    package init(_ keys: [SigningKey], timing: Timing, now: Int64) throws(WindfireError) {
        try Self.check(keys)
        guard let first = keys.first else { throw WindfireError(.configurationInvalid, "there is no signing key") }
        self.timing = timing
        entries = keys.map {
            Entry(key: $0, fingerprint: $0.fingerprint, publishedSince: .min, retiredAt: nil, lastSigned: now)
        }
        signer = first.id
    }

    /// The files were read again.
    /// - Throws: `configuration_invalid`, with nothing changed, when the list is empty, or a name now stands for
    ///   another key: verifiers hold the old one under that name.
    package mutating func loaded(_ keys: [SigningKey], now: Int64) throws(WindfireError) {
        try Self.check(keys)
        guard !keys.isEmpty else { throw WindfireError(.configurationInvalid, "there is no signing key") }
        var next: [Entry] = []
        for key in keys {
            let fingerprint = key.fingerprint
            if var known = entries.first(where: { $0.key.id == key.id }) {
                guard known.fingerprint == fingerprint else {
                    throw WindfireError(.configurationInvalid, "key id \(key.id) was given to another key")
                }
                known.retiredAt = nil
                next.append(known)
            } else {
                next.append(
                    Entry(key: key, fingerprint: fingerprint, publishedSince: now, retiredAt: nil, lastSigned: .min))
            }
        }
        for var old in entries where !keys.contains(where: { $0.id == old.key.id }) {
            old.retiredAt = old.retiredAt ?? now
            next.append(old)
        }
        entries = next
    }

    /// The keys in force now. Call it now and then: leads and retentions pass with time.
    package mutating func keys(now: Int64) -> SigningKeys {
        let wished = entries.first { $0.retiredAt == nil }
        if let wished, wished.key.id != signer, wished.publishedSince <= now - timing.leadSeconds {
            signer = wished.key.id
        }
        for place in entries.indices where entries[place].key.id == signer { entries[place].lastSigned = now }
        entries.removeAll { entry in
            guard let retiredAt = entry.retiredAt, entry.key.id != signer else { return false }
            return max(retiredAt, entry.lastSigned) <= now - timing.retentionSeconds
        }
        guard let signing = entries.first(where: { $0.key.id == signer }) ?? entries.first else {
            preconditionFailure("the signer's entry is never removed")
        }
        return SigningKeys(signer: signing.key, others: entries.map(\.key))
    }

    private static func check(_ keys: [SigningKey]) throws(WindfireError) {
        for (place, key) in keys.enumerated() where keys[..<place].contains(where: { $0.id == key.id }) {
            throw WindfireError(.configurationInvalid, "two signing keys have the id \(key.id)")
        }
        guard Set(keys.map(\.algorithm.isSymmetric)).count <= 1 else {
            throw WindfireError(.configurationInvalid, "HS256 secrets cannot stand beside public keys")
        }
    }
}
