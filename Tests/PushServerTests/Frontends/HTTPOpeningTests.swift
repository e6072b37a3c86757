import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

struct HTTPOpeningTests {
    private func opening(origins: Set<String> = []) -> HTTPOpening {
        HTTPOpening(
            allowedOrigins: origins, limits: WebSocketLimits(messageBytesMax: 100, fragmentsMax: 4),
            subprotocols: [JSONSubprotocol.self])
    }

    private static let fields = [
        "host": "n", "upgrade": "websocket", "connection": "keep-alive, Upgrade", "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]

    /// The answer's text, and the hello that came with the request.
    private func decide(
        _ line: String = "GET /v1/connect HTTP/1.1", _ changes: [String: String?] = [:], origins: Set<String> = []
    ) throws -> (text: String, hello: SessionEvent?) {
        var fields = Self.fields
        for (name, value) in changes { fields[name] = value }
        let text = "\(line)\r\n" + fields.map { "\($0): \($1)\r\n" }.sorted().joined() + "\r\n"
        var bytes = ByteBuffer(string: text)
        let head = try #require(try RequestHead.take(from: &bytes, bytesMax: 10_000))
        switch opening(origins: origins).decide(head) {
        case .upgrade(let response, _, let hello): return (String(buffer: response), hello)
        case .respond(let response, _): return (String(buffer: response), nil)
        }
    }

    @Test func theRFCsExampleIsAccepted() throws {
        #expect(HTTPOpening.acceptKey(for: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
        #expect(
            try decide().text
                == "HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: Upgrade\r\n"
                + "sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
    }

    @Test(arguments: [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")])
    func base64OfRFC4648(_ text: String, _ encoded: String) {
        #expect(Base64.encode(text.utf8) == encoded)
    }

    @Test func theAddressAndTheMethodAreTold() throws {
        #expect(try decide("GET /other HTTP/1.1").text.hasPrefix("HTTP/1.1 404 "))
        let post = try decide("POST /v1/connect HTTP/1.1").text
        #expect(post.hasPrefix("HTTP/1.1 405 "))
        #expect(post.contains("\r\nallow: GET\r\n"))
        #expect(post.contains(#""code":"method_not_allowed""#))
        #expect(post.contains("content-type: application/problem+json\r\n"))
    }

    @Test(arguments: ["upgrade", "connection"]) func withoutAnUpgradeItIs426(_ field: String) throws {
        let answer = try decide(changes: [field: nil])
        #expect(answer.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
        #expect(answer.contains("\r\nupgrade: websocket\r\n"))
    }

    @Test func anUpgradeOfHTTP10IsIgnored() throws {
        let answer = try decide("GET /v1/connect HTTP/1.0").text
        #expect(answer.hasPrefix("HTTP/1.1 426 Upgrade Required\r\n"))
        #expect(answer.contains("\r\nupgrade: websocket\r\n"))
    }

    private func decide(changes: [String: String?]) throws -> String {
        try decide("GET /v1/connect HTTP/1.1", changes).text
    }

    @Test(arguments: ["12", "8", nil] as [String?]) func anotherVersionIsToldOurs(_ version: String?) throws {
        let answer = try decide(changes: ["sec-websocket-version": version])
        #expect(answer.hasPrefix("HTTP/1.1 426 "))
        #expect(answer.contains("\r\nsec-websocket-version: 13\r\n"))
    }

    @Test(
        arguments: [
            "short", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25jZ===",
            "dGhlIHNhbXBsZSBub25jZ-==", "dGhlIHNhbXBsZSBub25jZ_==", "dGhlIHNhb BsZSBub25jZQ==",
            "dGhlIHNhbXBsZSBub25jé==", "AdGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ=A", nil,
        ] as [String?])
    func aKeyHas16Bytes(_ key: String?) throws {
        #expect(try decide(changes: ["sec-websocket-key": key]).hasPrefix("HTTP/1.1 400 "))
    }

    @Test func aHostIsDemanded() throws {
        #expect(try decide(changes: ["host": nil]).hasPrefix("HTTP/1.1 400 "))
    }

    @Test func originsAreCheckedWhenSomeAreAllowed() throws {
        let line = "GET /v1/connect HTTP/1.1"
        let ours: Set = ["https://a.example"]
        #expect(try decide(line, ["origin": "https://b.example"], origins: ours).text.hasPrefix("HTTP/1.1 403 "))
        #expect(try decide(line, ["origin": "https://a.example"], origins: ours).text.hasPrefix("HTTP/1.1 101 "))
        #expect(try decide(line, [:], origins: ours).text.hasPrefix("HTTP/1.1 101 "), "not a browser")
        #expect(try decide(line, ["origin": "https://b.example"]).text.hasPrefix("HTTP/1.1 101 "))
    }

    @Test func theSubprotocolIsChosenFromTheOffer() throws {
        let chosen = try decide(changes: ["sec-websocket-protocol": "other, windfire.v1"])
        #expect(chosen.contains("\r\nsec-websocket-protocol: windfire.v1\r\n"))
        #expect(try decide(changes: ["sec-websocket-protocol": "other"]).hasPrefix("HTTP/1.1 501 "))
    }

    @Test func aTokenMayComeWithTheRequest() throws {
        #expect(try decide().hello == nil)
        #expect(
            try decide("GET /v1/connect HTTP/1.1", ["authorization": "Bearer abc"]).hello
                == .hello(token: "abc", device: nil))
        #expect(
            try decide("GET /v1/connect?token=a%2Db&device=pad HTTP/1.1").hello
                == .hello(token: "a-b", device: DeviceID(unchecked: "pad")))
        #expect(
            try decide("GET /v1/connect?token=query HTTP/1.1", ["authorization": "bearer field"]).hello
                == .hello(token: "field", device: nil))
        #expect(try decide("GET /v1/connect?token= HTTP/1.1").hello == nil)
        #expect(try decide("GET /v1/connect HTTP/1.1", ["authorization": "Basic abc"]).hello == nil)
    }

    @Test func aDeviceThatBreaksItsRulesIsRefused() throws {
        guard case .invalid(let error, nil) = try decide("GET /v1/connect?token=t&device=a%7Cb HTTP/1.1").hello else {
            Issue.record("not refused")
            return
        }
        #expect(error.code == .invalidID)
    }
}
