import Common
import Crypto

/// What every role of one deployment knows and nobody else: proves that a call comes from inside.
///
/// It travels as `authorization: Bearer <secret>` (RFC 6750, section 2.1). The receiving side keeps and compares
/// SHA-256 hashes: equal-length digests compare in constant time, so the answer's timing tells nothing about how much
/// of a guess was right.
package struct SharedSecret: Sendable, CustomStringConvertible {
    /// The metadata key, in lower case as HTTP/2 demands (RFC 9113, section 8.2).
    static let metadataKey = "authorization"

    let credentials: String
    private let digest: SHA256.Digest

    /// - Throws: `configuration_invalid` unless the text is 1–1,024 printable ASCII characters without spaces, as a
    ///   header value must be. How long a secret must be to be a good one is the configuration's to judge.
    package init(_ text: String) throws(WindfireError) {
        guard !text.isEmpty, text.utf8.count <= 1024, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw WindfireError(
                .configurationInvalid, "the shared secret is not 1 to 1024 printable ASCII characters without spaces")
        }
        credentials = "Bearer " + text
        digest = Self.digest(of: credentials)
    }

    /// Whether a caller's `authorization` value proves this secret.
    func matches(_ presented: String) -> Bool { Self.digest(of: presented) == digest }

    private static func digest(of text: String) -> SHA256.Digest { SHA256.hash(data: Array(text.utf8)) }

    /// Never the secret: it would end up in a log.
    package var description: String { "***" }
}
