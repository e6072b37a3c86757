import NIOSSL

extension PushClientError {
    /// Reads from an error of a TLS handshake that the server could not show who it is. Nil for any other error.
    init?(untrusted error: any Error) {
        switch error {
        case let error as NIOSSLExtraError where error == .failedToValidateHostname:
            self.init(.untrusted, "the server's certificate is for another name")
        case NIOSSLError.unableToValidateCertificate, NIOSSLError.noCertificateToValidate:
            self.init(.untrusted, "the server's certificate cannot be checked")
        case NIOSSLError.handshakeFailed(.sslError(let reasons)):
            // BoringSSL has one number for whatever the chain lacks, and the library shows it as text only.
            guard reasons.contains(where: { $0.description.contains("CERTIFICATE_VERIFY_FAILED") }) else { return nil }
            self.init(.untrusted, "the server's certificate is not signed by a trusted authority, or has ended")
        default: return nil
        }
    }
}
