import Foundation
import TestKit
import Testing

@testable import PushClient

@Suite struct FrameTests {
    private func frame(_ text: String) -> ServerFrame? { ServerFrame(Array(text.utf8)) }

    @Test func `a message keeps its data byte for byte`() {
        let data = #"{ "n": 1.0000000000000000001, "s":"}\"]", "a":[1,{"b":null}] }"#
        #expect(
            frame(#"{"op":"message","id":"1-0","data":\#(data),"ts":1732,"from":"bob","ack":true}"#)
                == .message(
                    .init(id: "1-0", data: Array(data.utf8), timestamp: 1732, from: "bob", wantsAcknowledgement: true)))
        #expect(
            frame(#" {"ack":false , "data" : 7,"id":"x","op":"message"} "#)
                == .message(.init(id: "x", data: Array("7".utf8), timestamp: 0, wantsAcknowledgement: false)))
    }

    @Test func `all frames of the server are understood`() {
        #expect(
            frame(#"{"op":"welcome","session":"s","node":"n1","client":"c","device":"d","heartbeat_s":25}"#)
                == .welcome(node: "n1", heartbeat: .seconds(25)))
        #expect(frame(#"{"op":"pong"}"#) == .pong)
        #expect(frame(#"{"op":"ok","ref":3,"delivered":1}"#) == .ok(ref: 3, delivered: 1))
        #expect(
            frame(#"{"op":"error","ref":3,"code":"forbidden","message":"no \"send\""}"#)
                == .error(ref: 3, .init(code: "forbidden", message: #"no "send""#)))
        #expect(
            frame(
                #"{"op":"error","code":"overloaded","message":"m","reconnect":"after","retry_after_ms":5000}"#)
                == .error(
                    ref: nil,
                    .init(code: "overloaded", message: "m", advice: .after, retryAfter: .seconds(5))))
        #expect(
            frame(
                #"{"op":"move","after_ms":4200,"node":{"id":"n2","endpoints":{"ws":"ws://h:1/v1/connect"}},"reason":"drain"}"#
            )
                == .move(.init(id: "n2", url: "ws://h:1/v1/connect"), after: .milliseconds(4200)))
        #expect(frame(#"{"op":"sing"}"#) == .unknown)
    }

    @Test(arguments: [
        "", "{", "}", "null", "[]", "7", #""op""#, #"{"op":}"#, #"{"op":"message"}"#, #"{"op":"ok"}"#, #"{"op":7}"#,
        #"{"op":"pong"} x"#, #"{"op":"pong""#, #"{"op":"pong",}"#, #"{op:"pong"}"#,
        #"{"op":"message","id":"x","data":}"#,
        #"{"op":"message","id":"x","data":[}"#, #"{"op":"message","id":"x","data":{"a":1]}"#, #"{"op":"po\"#,
        #"{"op":"move","after_ms":1}"#,
    ])
    func `what is no frame is refused`(text: String) {
        #expect(frame(text) == nil)
    }

    @Test func `waits that no sane server asks for are cut`() {
        #expect(
            frame(#"{"op":"error","code":"x","retry_after_ms":1e300}"#)
                == .error(ref: nil, .init(code: "x", message: "", retryAfter: .seconds(86_400))))
        #expect(
            frame(#"{"op":"error","code":"x","retry_after_ms":-5}"#) == .error(ref: nil, .init(code: "x", message: "")))
    }

    @Test func `every prefix of a frame is refused and none traps`() {
        let whole = Array(#"{"op":"message","id":"a\u0041","data":{"k":["v\\",{}]},"ts":1}"#.utf8)
        for end in 0..<whole.count { #expect(ServerFrame(Array(whole[..<end])) == nil) }
        #expect(ServerFrame(whole) != nil)
    }

    @Test func `random bytes do not trap`() {
        var random = SplitMix.printed()
        let alphabet = Array(#"{}[]",:\op0 message"#.utf8) + [0x00, 0xC3, 0xFF]
        for _ in 0..<20_000 {
            let count = Int(random.next() % 40)
            let bytes = (0..<count).map { _ in alphabet[Int(random.next() % UInt64(alphabet.count))] }
            _ = ServerFrame(bytes)
        }
    }

    @Test func `the client's frames are JSON, whatever the texts hold`() throws {
        let nasty = "q\"b\\n\u{1}é\u{2028}"
        for frame in [
            ClientFrame.hello(token: nasty, device: nasty), .hello(token: "t", device: nil), .acknowledge(id: nasty),
            .ping, .token(nasty, ref: 1), .send(to: nasty, data: Array(#"{"a":[1]}"#.utf8), ref: 2),
        ] {
            let object = try JSONSerialization.jsonObject(with: Data(frame.text.utf8)) as? [String: Any]
            #expect(object?["op"] is String, "\(frame.text)")
        }
        #expect(ClientFrame.hello(token: "t", device: "phone").text == #"{"op":"hello","token":"t","device":"phone"}"#)
        #expect(
            ClientFrame.hello(token: "t", device: nil, takesInbox: false).text
                == #"{"op":"hello","token":"t","inbox":false}"#)
        #expect(ClientFrame.acknowledge(id: "1-0").text == #"{"op":"ack","id":"1-0"}"#)
        #expect(ClientFrame.quoted("a\"\u{1F}") == #""a\"\u001f""#)
    }

    @Test func `only one whole JSON value can be sent`() {
        for good in ["1", "null", #""x""#, "[1,2]", "{}"] { #expect(ClientFrame.isJSONValue(Array(good.utf8))) }
        for bad in ["", "1,2", #"1,"op":"ack""#, "{", "nul"] { #expect(!ClientFrame.isJSONValue(Array(bad.utf8))) }
    }

    @Test func `addresses of nodes are taken apart`() {
        let url = WebSocketURL("wss://push.example/v1/connect?x=1")
        #expect(url?.isSecure == true)
        #expect(url?.port == 443)
        #expect(url?.target == "/v1/connect?x=1")
        #expect(url?.authority == "push.example")
        #expect(WebSocketURL("ws://[::1]:8300")?.host == "::1")
        #expect(WebSocketURL("ws://[::1]:8300")?.authority == "[::1]:8300")
        #expect(WebSocketURL("ws://h")?.target == "/")
        for bad in ["", "h:1", "http://h", "ws://", "ws://h:99999", "ws://h/#f"] {
            #expect(WebSocketURL(bad) == nil, "\(bad)")
        }
    }

    @Test func `the answer of the token service is read, hints and all`() throws {
        let json = """
            {"token":"t","expires_at":1732000000,"client":"alice","device":"phone",
             "node":{"id":"n1","endpoints":{"ws":"ws://h:1"}},
             "alternatives":[{"id":"n2","endpoints":{"ws":"ws://h:2"}},{"id":"n3","endpoints":{"mqtt":"x"}}],
             "heartbeat_s":30,"backoff":{"base_ms":1000,"factor":3,"max_ms":60000,"jitter":1}}
            """
        #expect(
            try PushClient.Assignment(json: Data(json.utf8))
                == PushClient.Assignment(
                    token: "t", expiresAt: 1_732_000_000, node: .init(id: "n1", url: "ws://h:1"),
                    alternatives: [.init(id: "n2", url: "ws://h:2")], heartbeat: .seconds(30),
                    backoff: .init(base: .seconds(1), factor: 3, max: .seconds(60), jitter: 1)))
        for bad in ["", "{}", #"{"token":"t","expires_at":1,"node":{"id":"n"}}"#] {
            let error = #expect(throws: PushClientError.self) { try PushClient.Assignment(json: Data(bad.utf8)) }
            #expect(error?.kind == .badAnswer)
        }
    }
}
