import Common
import NodeRPC
import TestKit
import Testing

@testable import PushServer

/// The device port with a certificate.
@Suite(.timeLimit(.minutes(2))) struct TLSTests {
    private func expectMessage(_ device: DeviceSocket, _ client: String, _ node: RunningNode) async throws {
        let route = try #require(try await node.neighbours.routes(of: client).first)
        #expect(try await node.deliver(#"{"hi":1}"#, to: [route.session]) == [.written])
        #expect(try await device.text(with: #""op":"message""#).contains(#""data":{"hi":1},"#))
    }

    @Test func aSessionIsWelcomedPushedToAndEndedOverTLS() async throws {
        let certificate = try await TestCertificate()
        try await Neighbours().withNode(certificate: certificate) { node in
            #expect(try node.member.endpoints.ws == "wss://127.0.0.1:\(node.bound.devices)/v1/connect")
            let device = try await node.login("alice", tls: certificate.trust())
            try await expectMessage(device, "alice", node)
            try await device.send(DeviceSocket.frame(0x88, [0x03, 0xE8]))
            #expect(try await device.closeNumber() == 1000)
            try await node.expectNobody()
        }
    }

    @Test func aPROXYHeaderStandsInFrontOfTLS() async throws {
        let certificate = try await TestCertificate()
        let loopback = try #require(AddressBlock("127.0.0.1"))
        try await Neighbours().withNode(certificate: certificate, { $0.trustedProxies = [loopback] }) { node in
            let headers = [Array("PROXY TCP4 192.0.2.1 192.0.2.9 1 2\r\n".utf8), ProxyHeaderTests.binary()]
            for (client, header) in zip(["alice", "bob"], headers) {
                let device = try await node.login(client, preface: header, tls: certificate.trust())
                try await expectMessage(device, client, node)
            }
            let without = try? await node.connect(tls: certificate.trust())
            try await without?.end()
            try await eventually("it is counted") {
                try await node.figure("windfire_proxy_headers_refused_total") == 1
            }
        }
    }

    /// Neither a word of HTTP in the clear nor a broken handshake gets anything but the end.
    @Test(arguments: [
        Array(DeviceSocket.request().utf8), [0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x02, 0x03, 0x04, 0x05],
        [UInt8](repeating: 0xFF, count: 1_000), [0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28],
    ])
    func whatIsNoHandshakeEndsTheConnection(_ bytes: [UInt8]) async throws {
        let certificate = try await TestCertificate()
        try await Neighbours().withNode(certificate: certificate) { node in
            let stranger = try await node.connect()
            try await stranger.send(bytes)
            try await stranger.end()
            #expect(stranger.frames.isEmpty)
            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(.connectionLost) == 2, "it and the node's own probe")
            let device = try await node.login("alice", tls: certificate.trust())
            try await device.close()
        }
    }

    @Test func aHandshakeThatStallsEndsAtTheDeadlineOfTheLogin() async throws {
        let certificate = try await TestCertificate()
        try await Neighbours().withNode(
            certificate: certificate,
            {
                $0.limits.authenticationDeadline = .seconds(1)
            }
        ) { node in
            let silent = try await node.connect()
            let torn = try await node.connect()
            try await torn.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00])
            for device in [silent, torn] { try await device.end(within: .seconds(20)) }
            try await node.expectNobody()
            #expect(try await node.endedBeforeLogin(.authenticationTimeout) == 2)
        }
    }

    @Test func aCertificateThatCannotBeReadStopsTheStart() async throws {
        let certificate = try await TestCertificate()
        let failure = await #expect(throws: WindfireError.self) {
            _ = try await Neighbours().start("n1") {
                $0.tlsCertificate = certificate.key
                $0.tlsKey = certificate.key
            }
        }
        #expect(failure?.code == .configurationInvalid)
    }
}
