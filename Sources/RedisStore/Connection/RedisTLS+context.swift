import Common
import NIOSSL

extension RedisTLS {
    /// - Throws: `configuration_invalid`, naming the file that cannot be used.
    func makeContext() throws(WindfireError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification =
            switch verification {
            case .full: .fullVerification
            case .anyHost: .noHostnameVerification
            case .none: .none
            }
        if let authoritiesFile { configuration.trustRoots = .file(authoritiesFile) }
        do {
            if let certificateFile {
                configuration.certificateChain = try NIOSSLCertificate.fromPEMFile(certificateFile)
                    .map { .certificate($0) }
            }
            if let privateKeyFile {
                configuration.privateKey = .privateKey(try NIOSSLPrivateKey(file: privateKeyFile, format: .pem))
            }
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw WindfireError(
                .configurationInvalid, "the certificate files for Redis cannot be used", cause: error)
        }
    }
}
