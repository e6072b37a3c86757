/// Tells where a request came from when balancers stand in front.
///
/// `X-Forwarded-For` is what callers write into it, so only what trusted peers appended counts: read from the right,
/// the first address that is not a trusted proxy is the client's.
package struct TrustedProxies: Hashable, Sendable {
    /// Addresses as text, `10.0.0.7` or `::1`; empty trusts nobody, which is right without a balancer.
    package let addresses: Set<String>

    /// Longest list of hops that is read. More is somebody's joke.
    private static let hopsMax = 16

    package init(_ addresses: Set<String> = []) { self.addresses = addresses }

    package static let none = TrustedProxies()

    /// - Parameters:
    ///   - peer: the connection's own address; nil (a Unix socket) is called `local`.
    ///   - forwardedFor: the header's values, in order.
    package func clientAddress(peer: String?, forwardedFor: [String]) -> String {
        let peer = peer ?? "local"
        guard addresses.contains(peer) else { return peer }
        let hops = forwardedFor.flatMap { $0.split(separator: ",") }.suffix(Self.hopsMax)
        for hop in hops.reversed() {
            let address = String(hop.drop(while: { $0 == " " }).prefix(while: { $0 != " " }))
            guard Self.isPlausible(address) else { return peer }
            if !addresses.contains(address) { return address }
        }
        return peer
    }

    /// Digits, hex, dots and colons: enough to keep garbage out of limits and logs.
    private static func isPlausible(_ address: String) -> Bool {
        !address.isEmpty && address.utf8.count <= 45
            && address.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "a")...UInt8(ascii: "f"),
                    UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
    }
}
