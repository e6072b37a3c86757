import Common
import TestKit
import Testing

@testable import MySQLJobStore

/// 127.0.0.2 is in no certificate of ours.
@Suite(.mariaDB(tls: true, "--bind-address=127.0.0.1,127.0.0.2")) struct MySQLTLSTests {
    @Test func aServerWhoseAuthorityIsGivenIsTalkedToInTLS() async throws {
        try await withStores { harness in
            for tls in [MySQLConfiguration.TLS.required, .verified(authorities: harness.server.authoritiesFile)] {
                let store = try await harness.open { $0.tls = tls }
                let cipher = try await store.read { try $0.row("SHOW STATUS LIKE 'Ssl_cipher'")?[1].text }
                #expect(cipher?.isEmpty == false, "\(tls)")
            }
            let plain = try await harness.open()
            #expect(try await plain.read { try $0.row("SHOW STATUS LIKE 'Ssl_cipher'")?[1].text } == "")
        }
    }

    @Test func aCertificateThatNobodyTrustsIsRefused() async throws {
        try await withStores { harness in
            await expectUnavailable("certificate that is not trusted") {
                _ = try await harness.open { $0.tls = .verified(authorities: nil) }
            }
        }
    }

    @Test func aCertificateForAnotherHostIsRefused() async throws {
        try await withStores { harness in
            await expectUnavailable("certificate that is not trusted") {
                _ = try await harness.open {
                    // The same server, by a name that is not in its certificate.
                    ($0.host, $0.tls) = ("127.0.0.2", .verified(authorities: harness.server.authoritiesFile))
                }
            }
        }
    }
}
