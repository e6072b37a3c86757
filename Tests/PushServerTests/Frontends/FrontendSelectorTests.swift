import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

/// What the first bytes of a connection are taken for.
struct FrontendSelectorTests {
    private let selector = SessionSettings(
        limits: .default, overflow: .dropOldest, allowedOrigins: [], subprotocols: [JSONSubprotocol.self]
    ).selector

    private enum Found: Equatable {
        case incomplete, webSocket(hello: SessionEvent?), answer(status: String), anonymous, ended(CloseReason)
    }

    private func find(_ bytes: inout ByteBuffer) -> Found {
        do throws(WireError) {
            switch try selector.select(&bytes) {
            case .needsMore: return .incomplete
            case .speak(_, let response, let hello):
                #expect(String(buffer: response).hasPrefix("HTTP/1.1 101 "))
                return .webSocket(hello: hello)
            case .enter: return .anonymous
            case .respond(let response, _):
                return .answer(status: String(String(buffer: response).split(separator: " ")[1]))
            }
        } catch {
            return .ended(error.reason)
        }
    }

    private func find(_ bytes: [UInt8]) -> Found {
        var buffer = ByteBuffer(bytes: bytes)
        return find(&buffer)
    }

    @Test func anUpgradeIsWebSocketAndLeavesWhatFollows() {
        var bytes = ByteBuffer(string: DeviceSocket.request() + "frames")
        #expect(find(&bytes) == .webSocket(hello: nil))
        #expect(String(buffer: bytes) == "frames")
    }

    @Test func aTokenInTheRequestIsAHello() {
        let request = DeviceSocket.request("/v1/connect?token=t&device=phone")
        #expect(
            find(Array(request.utf8)) == .webSocket(hello: .hello(token: "t", device: DeviceID(unchecked: "phone"))))
    }

    @Test func otherRequestsAreAnswered() {
        #expect(find(Array("GET / HTTP/1.1\r\nhost: n\r\n\r\n".utf8)) == .answer(status: "404"))
        #expect(find(Array("BREW /v1/connect HTTP/1.1\r\nhost: n\r\n\r\n".utf8)) == .answer(status: "405"))
        #expect(find(Array("GET /v1/connect HTTP/1.0\r\nhost: n\r\n\r\n".utf8)) == .answer(status: "426"))
    }

    @Test func aTornRequestIsWaitedForWithoutTakingAByte() {
        let request = Array(DeviceSocket.request().utf8)
        for count in 0..<request.count {
            var bytes = ByteBuffer(bytes: request[..<count])
            #expect(find(&bytes) == .incomplete)
            #expect(bytes.readableBytes == count)
        }
        #expect(find(request) == .webSocket(hello: nil))
    }

    @Test func aTLSHelloOnAPlainPortIsNoProtocolOfOurs() {
        // A record of a handshake (22) of TLS 1.0 with a ClientHello (1) in it: RFC 8446, sections 5.1 and 4.1.2.
        let hello: [UInt8] = [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03]
        for count in 1...hello.count { #expect(find(Array(hello[..<count])) == .ended(.badProtocol)) }
    }

    @Test func garbageEndsAtItsFirstByte() {
        for byte in UInt8.min ... .max where !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) {
            let expected: Found =
                switch byte {
                case UInt8(ascii: "<"): .incomplete
                case UInt8(ascii: "{"): .ended(.anonymousRefused)
                default: .ended(.badProtocol)
                }
            #expect(find([byte]) == expected, "\(byte)")
        }
        #expect(find(Array("GARBAGE\r\n\r\n".utf8)) == .ended(.badProtocol))
        #expect(find(Array("get /v1/connect HTTP/1.1\r\n\r\n".utf8)) == .ended(.badProtocol))
    }

    @Test func aRequestWithoutAnEndIsTooLarge() {
        let bound = Limits.default.requestHeadBytesMax
        #expect(find([UInt8](repeating: UInt8(ascii: "A"), count: bound - 1)) == .incomplete)
        #expect(find([UInt8](repeating: UInt8(ascii: "A"), count: bound)) == .ended(.tooLarge))
    }

    /// Whoever is not trusted may not say where a connection comes from.
    @Test func aPROXYHeaderIsBadBytesHere() {
        let text = "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + DeviceSocket.request()
        #expect(find(Array(text.utf8)) == .ended(.badProtocol))
        #expect(find(ProxyHeaderTests.binary() + Array(DeviceSocket.request().utf8)) == .ended(.badProtocol))
    }
}
