import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

struct RequestHeadTests {
    private let good = "GET /v1/connect?token=a%20b&x HTTP/1.1\r\nHost: node:1\r\nX-A:\t one \r\nX-A: two,three\r\n\r\n"

    @Test func aHeadIsTakenApartAndTheRestIsLeft() throws {
        var bytes = ByteBuffer(string: good + "rest")
        let head = try #require(try RequestHead.take(from: &bytes, bytesMax: 1000))
        #expect(String(buffer: bytes) == "rest")
        #expect(head.method == "GET")
        #expect(head.path == "/v1/connect")
        #expect(head.query == "token=a%20b&x")
        #expect(head.queryParameter("token") == "a b")
        #expect(head.queryParameter("x") == "")
        #expect(head.queryParameter("y") == nil)
        #expect(head.single("host") == "node:1")
        #expect(head.single("x-a") == nil, "repeated")
        #expect(head.tokens(of: "x-a") == ["one", "two", "three"])
        #expect(head.has("three", in: "x-a"))
    }

    @Test func everyBeginningIsIncomplete() throws {
        for count in 0..<good.utf8.count {
            var bytes = ByteBuffer(bytes: good.utf8.prefix(count))
            #expect(try RequestHead.take(from: &bytes, bytesMax: 1000) == nil)
            #expect(bytes.readableBytes == count)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        "GET / HTTP/1.1\r\n: a\r\n\r\n", "GET / HTTP/1.1\r\nnothing\r\n\r\n", "GET / HTTP/1.1\r\nA: \u{0}\r\n\r\n",
        "GET / HTTP/1.1\r\nA: \u{7F}\r\n\r\n", "GET / HTTP/2.0\r\n\r\n", "GET /\r\n\r\n", "GET  / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1 \r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET http://a/ HTTP/1.1\r\n\r\n", "G(T / HTTP/1.1\r\n\r\n",
        "GET /\u{1} HTTP/1.1\r\n\r\n", "GET /\u{E9} HTTP/1.1\r\n\r\n", "\r\n\r\n", "GET / HTTP/1.1\r\nÄ: a\r\n\r\n",
    ])
    func isMalformed(_ text: String) {
        #expect(throws: WireError(.badProtocol, "")) {
            var bytes = ByteBuffer(string: text)
            return try RequestHead.take(from: &bytes, bytesMax: 1000)
        }
    }

    @Test func isTooLargeAtItsBoundAndNotBefore() throws {
        let size = good.utf8.count
        var exact = ByteBuffer(string: good)
        #expect(try RequestHead.take(from: &exact, bytesMax: size) != nil)
        for text in [good, String(repeating: "A", count: 500)] {
            #expect(throws: WireError(.tooLarge, "")) {
                var bytes = ByteBuffer(string: text)
                return try RequestHead.take(from: &bytes, bytesMax: size - 1)
            }
        }
    }

    @Test(
        arguments: [
            ("a", "a"), ("%41%62", "Ab"), ("%e2%82%AC", "€"), ("+", "+"), ("%", nil), ("%4", nil), ("%4g", nil),
            ("%ff", nil), ("%%41", nil),
        ] as [(String, String?)])
    func percentDecoding(_ text: String, _ decoded: String?) {
        #expect(String(percentEncoded: text) == decoded)
    }
}
