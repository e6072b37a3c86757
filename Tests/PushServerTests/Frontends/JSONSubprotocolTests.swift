import Common
import NIOCore
import PushCore
import Testing

@testable import PushServer

/// Every frame of docs/protocols/websocket.md, as text.
struct JSONSubprotocolTests {
    private func event(_ text: String) -> SessionEvent { JSONFrameReader.event(in: ByteBuffer(string: text)) }

    private func text(_ command: SessionCommand) -> String {
        var bytes = ByteBuffer()
        JSONSubprotocol().encode(command, into: &bytes)
        return String(buffer: bytes)
    }

    private func refusal(_ text: String) -> (code: FailureCode, ref: String?)? {
        guard case .invalid(let error, let ref) = event(text) else { return nil }
        return (error.code, ref?.json)
    }

    // MARK: From the device

    @Test func helloNamesItsDeviceOrNot() {
        #expect(
            event(#"{"op":"hello","token":"t","device":"phone"}"#)
                == .hello(token: "t", device: DeviceID(unchecked: "phone")))
        #expect(event(#" { "token" : "t" , "op" : "hello" } "#) == .hello(token: "t", device: nil))
    }

    @Test func requestsBringTheirReference() {
        #expect(event(#"{"op":"token","token":"n","ref":"a"}"#) == .renew(token: "n", ref: Reference(json: #""a""#)))
        #expect(
            event(#"{"op":"send","to":"bob","data":"hey","ref":3}"#)
                == .send(
                    to: ClientID(unchecked: "bob"), data: ByteBuffer(string: #""hey""#), ref: Reference(json: "3")))
        #expect(event(#"{"op":"ack","id":"0192-a"}"#) == .acknowledge(MessageID(unchecked: "0192-a")))
        #expect(event(#"{"op":"ping"}"#) == .ping)
    }

    @Test(arguments: [
        "null", "0", "-1.50e+3", #""\u00e9 \" \\""#, "[1, 2 ,3]", #"{ "a" : {"b":[ ]} }"#, "true", #""grüße 🎉""#,
    ])
    func dataKeepsItsBytes(_ json: String) {
        let sent = event(#"{"op":"send","data": \#(json) ,"to":"bob"}"#)
        #expect(sent == .send(to: ClientID(unchecked: "bob"), data: ByteBuffer(string: json), ref: nil))
    }

    @Test func unknownMembersArePassedOver() {
        #expect(event(#"{"op":"ping","later":{"op":"hello"},"more":[1]}"#) == .ping)
    }

    static let refused: [(String, String, String?)] = [
        (#"{"op":"dance","ref":7}"#, "unknown_op", "7"),
        (#"{"ref":"x"}"#, "invalid_request", #""x""#),
        (#"{"op":"hello"}"#, "invalid_request", nil),
        (#"{"op":"token","ref":1}"#, "invalid_request", "1"),
        (#"{"op":"ack"}"#, "invalid_request", nil),
        (#"{"op":"send","to":"b","ref":1.5}"#, "invalid_request", "1.5"),
        (#"{"op":"send","data":1,"ref":2}"#, "invalid_request", "2"),
        (#"{"op":"send","to":"","data":1,"ref":2}"#, "invalid_id", "2"),
        (#"{"op":"send","to":"a|b","data":1,"ref":2}"#, "invalid_id", "2"),
        (#"{"op":"ack","id":"a b"}"#, "invalid_id", nil),
        (#"{"op":"hello","token":"t","device":"a\u0000"}"#, "invalid_id", nil),
        (#"{"op":"ping","ref":null}"#, "invalid_request", nil),
        (#"{"op":"ping","ref":{}}"#, "invalid_request", nil),
        (#"{"op":1}"#, "invalid_json", nil),
        (#"{"op":"hello","token":1}"#, "invalid_json", nil),
        (#"{"op":"token","token":1,"ref":5}"#, "invalid_json", "5"),
        (#"{"ref":"r","op":{"ref":2},"to":[]}"#, "invalid_json", #""r""#),
        (#"{"op":"send","to":null,"data":{"ref":1},"ref":6}"#, "invalid_json", "6"),
        (#"{"op":"token","token":1,"ref":5"#, "invalid_json", nil),
        (#"{"op":"token","token":tru,"ref":5}"#, "invalid_json", nil),
        (#"{"op":"ping"} x"#, "invalid_json", nil),
        (#"{"op":"ping""#, "invalid_json", nil),
        ("[]", "invalid_json", nil), ("", "invalid_json", nil),
    ]

    @Test(arguments: refused.indices) func isRefusedByItsReference(_ index: Int) {
        let (frame, code, ref) = Self.refused[index]
        let answer = refusal(frame)
        #expect(answer?.code.name == code, "\(frame)")
        #expect(answer?.ref == ref, "\(frame)")
    }

    @Test func aReferenceHas64Bytes() {
        let longest = "\"" + String(repeating: "r", count: 62) + "\""
        #expect(
            event(#"{"op":"token","token":"t","ref":\#(longest)}"#)
                == .renew(token: "t", ref: Reference(json: longest)))
        #expect(refusal(#"{"op":"ping","ref":"\#(longest.dropFirst())r"}"#)?.code == .invalidJSON)
        let tooLong = "\"" + String(repeating: "r", count: 63) + "\""
        #expect(refusal(#"{"op":"ping","ref":\#(tooLong)}"#)?.code == .invalidRequest)
    }

    @Test func binaryIsUnsupported() {
        var subprotocol = JSONSubprotocol()
        #expect(throws: WireError(.unsupportedData, "")) {
            try subprotocol.receive(ByteBuffer(string: #"{"op":"ping"}"#), isText: false)
        }
    }

    // MARK: From the node

    @Test func welcomeNamesTheSession() {
        let identity = SessionIdentity(
            client: ClientID(unchecked: "al\"ice\\"),
            route: Route(
                device: DeviceID(unchecked: "phone"),
                incarnation: Incarnation(node: NodeID(unchecked: "n1"), life: 1),
                session: SessionID(high: 0x0123_4567_89AB_CDEF, low: 0x1F), epoch: Epoch(1)),
            generation: .first, permissions: .none)
        #expect(
            text(.welcome(identity, heartbeat: .seconds(25)))
                == #"{"op":"welcome","session":"0123456789abcdef000000000000001f","node":"n1","#
                + #""client":"al\"ice\\","device":"phone","heartbeat_s":25}"#)
    }

    @Test func messageCarriesItsDataAsPushed() {
        let data = ByteBuffer(string: #"{ "hi" : 1.0 }"#)
        let id = MessageID(unchecked: "0192")
        #expect(
            text(.message(Message(id: id, timestampMilliseconds: 1_732_000_000_000, data: data)))
                == #"{"op":"message","id":"0192","data":{ "hi" : 1.0 },"ts":1732000000000,"ack":false}"#)
        let sent = Message(
            id: id, timestampMilliseconds: 5, data: data, from: ClientID(unchecked: "b\u{1}\n\"b"),
            wantsAcknowledgement: true)
        #expect(
            text(.message(sent))
                == #"{"op":"message","id":"0192","data":{ "hi" : 1.0 },"ts":5,"from":"b\u0001\u000a\"b","ack":true}"#)
    }

    @Test func answersBringTheReferenceBack() {
        #expect(text(.ok(ref: Reference(json: "3"), delivered: 1)) == #"{"op":"ok","ref":3,"delivered":1}"#)
        #expect(
            text(.ok(ref: Reference(json: #""\u0061""#), expiresAt: 9))
                == #"{"op":"ok","ref":"\u0061","expires_at":9}"#)
        #expect(
            text(.error(.notAuthenticated, message: "Say \"hello\".", ref: nil))
                == #"{"op":"error","code":"not_authenticated","message":"Say \"hello\"."}"#)
        #expect(
            text(.error(.unknownOperation, message: "No.", ref: Reference(json: "1")))
                == #"{"op":"error","ref":1,"code":"unknown_op","message":"No."}"#)
        #expect(text(.pong) == #"{"op":"pong"}"#)
        #expect(text(.ping) == "")
    }

    @Test func lastWordsSayWhetherToComeBack() {
        #expect(
            text(.close(.kicked))
                == #"{"op":"error","code":"kicked","message":"An operator or back end closed the session.","#
                + #""reconnect":"never"}"#)
        #expect(
            text(.close(.tokenExpired))
                == #"{"op":"error","code":"token_expired","message":"The token ended and no new one was presented.","#
                + #""reconnect":"new_token"}"#)
        #expect(
            text(.close(.overloaded))
                == #"{"op":"error","code":"overloaded","message":"The node takes no more connections now.","#
                + #""reconnect":"after","retry_after_ms":5000}"#)
        #expect(text(.close(.clientLeft)) == "")
    }
}
