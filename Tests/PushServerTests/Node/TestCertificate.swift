import Common
import NIOSSL
import TestKit

@testable import PushServer

/// A certificate that vouches for itself, in a folder of its own, made as operators make them for a try.
struct TestCertificate {
    private let folder: TemporaryFolder

    var certificate: String { folder.path("certificate.pem") }
    var key: String { folder.path("key.pem") }

    /// - Parameter names: in the form of openssl's `subjectAltName`.
    init(for names: String = "DNS:localhost,IP:127.0.0.1") async throws {
        folder = try TemporaryFolder("certificate")
        let openssl = try ChildProcess(
            "openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                "-subj", "/CN=windfire-test", "-addext", "subjectAltName=\(names)", "-keyout", key,
                "-out", certificate,
            ], logPath: folder.path("openssl.log"))
        guard await openssl.waitForExit() == .code(0) else {
            throw ChildProcessFailure("openssl made no certificate: \(openssl.output)")
        }
    }

    /// What a client needs that trusts this certificate and no other.
    func trust() throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.trustRoots = .file(certificate)
        return try NIOSSLContext(configuration: configuration)
    }
}

extension Neighbours {
    /// A node that speaks TLS on its device port.
    func withNode(
        certificate: TestCertificate, _ change: (inout PushServerConfiguration) -> Void = { _ in },
        _ body: (RunningNode) async throws -> Void
    ) async throws {
        try await withNode("n1") {
            $0.tlsCertificate = certificate.certificate
            $0.tlsKey = certificate.key
            change(&$0)
        } _: { node in
            try await node.expectItsOwnProbeCounted()
            try await body(node)
        }
    }
}
