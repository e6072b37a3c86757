import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

/// Janus on the port of all protocols.
struct JanusOpeningTests {
    private func selector(_ janus: JanusConfiguration?) -> FrontendSelector {
        SessionSettings(
            limits: .default, overflow: .dropOldest, allowedOrigins: [], subprotocols: [JSONSubprotocol.self],
            janus: janus
        ).selector
    }

    private enum Found: Equatable {
        case incomplete, janus(SessionEvent), http, ended(CloseReason)
    }

    private func find(_ text: String, _ janus: JanusConfiguration?) -> Found {
        var bytes = ByteBuffer(string: text)
        do throws(WireError) {
            switch try selector(janus).select(&bytes) {
            case .needsMore: return .incomplete
            case .speak, .respond: return .http
            case .enter(let frontend, let event):
                #expect(frontend.encodingKey == .janus)
                #expect(bytes.readableBytes == text.utf8.count, "the front-end reads them")
                return .janus(event)
            }
        } catch {
            return .ended(error.reason)
        }
    }

    private let permissions = Permissions(publish: ["a"], subscribe: ["b/#"])

    @Test(arguments: ["<regular-socket/>\0", "PING\0", "PONG\0", "PUBLISH\0", "{"])
    func itIsKnownByItsBeginning(_ beginning: String) {
        let configuration = JanusConfiguration(permissions: permissions)
        let entered = Found.janus(.enter(anonymous: SessionPermissions(permissions)))
        #expect(find(beginning, configuration) == entered)
        #expect(find(beginning + "more", configuration) == entered)
        for count in 0..<beginning.utf8.count {
            #expect(find(String(beginning.prefix(count)), configuration) == .incomplete)
            #expect(find(String(beginning.prefix(count)), nil) == .incomplete)
        }
        #expect(find(beginning, nil) == .ended(.anonymousRefused))
    }

    @Test(arguments: ["PUT ", "POST ", "PATCH ", "PROPFIND ", "PUBLISH ", "PING "])
    func methodsOfHTTPAreHTTP(_ method: String) {
        let configuration = JanusConfiguration(permissions: permissions)
        #expect(find(method + "/ HTTP/1.1\r\nhost: n\r\n\r\n", configuration) == .http)
    }

    @Test func halfAPrefixAndSomethingElseIsNothing() {
        #expect(find("<regular-sockets>\0", JanusConfiguration(permissions: permissions)) == .ended(.badProtocol))
        #expect(find("<html>", nil) == .ended(.badProtocol))
    }
}
