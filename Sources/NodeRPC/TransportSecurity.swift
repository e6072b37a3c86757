/// How the bytes between two roles are protected. Servers and callers take the same value, so that a deployment has one
/// answer to it.
package enum TransportSecurity: Hashable, Sendable {
    /// HTTP/2 without TLS: for loopback and for networks that encrypt below (WireGuard, a service mesh). The shared
    /// secret authenticates either way.
    case plaintext
}
