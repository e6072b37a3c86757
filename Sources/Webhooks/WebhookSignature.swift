import Common
import Crypto
import Foundation

/// `Windfire-Signature: t=<Unix seconds>,v1=<hex>`: HMAC-SHA256 (RFC 2104) over `t`, a dot, and the body's very bytes.
/// The time is inside, so that a recorded call is worthless after the receiver's tolerance.
package enum WebhookSignature {
    package static let header = "windfire-signature"

    package static func value(body: [UInt8], unixSeconds: Int64, secret: String) -> String {
        let code = HMAC<SHA256>.authenticationCode(
            for: signed(body, unixSeconds), using: SymmetricKey(data: Data(secret.utf8)))
        return "t=\(unixSeconds),v1=" + code.map(Self.hex).joined()
    }

    /// What a receiver does. Compares in constant time; of several `v1` (an old and a new secret) one must hold.
    /// - Parameter tolerance: how far the two clocks, and the way, may be apart.
    package static func isValid(
        _ value: String, body: [UInt8], secret: String, unixSeconds now: Int64, tolerance: Int64 = 300
    ) -> Bool {
        guard value.utf8.count <= 1_024 else { return false }
        let fields = value.split(separator: ",").map { $0.split(separator: "=", maxSplits: 1) }
        guard let time = fields.first(where: { $0.count == 2 && $0[0] == "t" }).flatMap({ Int64($0[1]) }),
            time >= 0, now >= 0, time > now ? time - now <= tolerance : now - time <= tolerance
        else { return false }
        let key = SymmetricKey(data: Data(secret.utf8))
        return fields.contains { field in
            guard field.count == 2, field[0] == "v1", let code = bytes(field[1]) else { return false }
            return HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: signed(body, time), using: key)
        }
    }

    private static func signed(_ body: [UInt8], _ unixSeconds: Int64) -> Data {
        var data = Data("\(unixSeconds).".utf8)
        data.append(contentsOf: body)
        return data
    }

    private static func hex(_ byte: UInt8) -> String {
        let text = String(byte, radix: 16)
        return byte < 16 ? "0" + text : text
    }

    /// The 32 bytes of 64 hex digits.
    private static func bytes(_ text: Substring) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count == 64 else { return nil }
        let parts = stride(from: 0, to: 64, by: 16).compactMap { start in
            UInt64(hex16: String(decoding: digits[start..<start + 16], as: UTF8.self))
        }
        guard parts.count == 4 else { return nil }
        return parts.flatMap { part in (0..<8).map { UInt8(truncatingIfNeeded: part >> UInt64(56 - 8 * $0)) } }
    }
}
