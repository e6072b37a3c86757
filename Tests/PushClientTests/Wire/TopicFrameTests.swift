import Testing

@testable import PushClient

@Suite struct TopicFrameTests {
    private func frame(_ text: String) -> ServerFrame? { ServerFrame(Array(text.utf8)) }

    private func message(_ id: String, _ data: String, from: String? = nil, _ position: String?) -> PushClient.Message {
        PushClient.Message(
            id: id, data: Array(data.utf8), timestamp: 17, from: from, wantsAcknowledgement: false, topic: "room/1",
            position: position)
    }

    @Test func `a message names its topic and its place`() {
        #expect(
            frame(
                #"{"op":"message","topic":"room/1","id":"a","data":{"x":1},"ts":17,"from":"bob","position":"41-0","ack":false}"#
            ) == .message(message("a", #"{"x":1}"#, from: "bob", "41-0")))
    }

    @Test func `a batch is its messages in order, byte for byte`() {
        let first = #"{"id":"a","data":{"s":"],[}"},"ts":17,"position":"41-0"}"#
        let second = #" {"id":"b","data":[1, [2]],"ts":17,"from":"bob"} "#
        #expect(
            frame(#"{"op":"batch","topic":"room/1","left_out":3,"messages":[\#(first),\#(second)]}"#)
                == .batch(
                    topic: "room/1",
                    [message("a", #"{"s":"],[}"}"#, "41-0"), message("b", "[1, [2]]", from: "bob", nil)], leftOut: 3))
        #expect(
            frame(#"{"op":"batch","topic":"room/1","messages":[ ]}"#) == .batch(topic: "room/1", [], leftOut: 0))
        #expect(
            frame(#"{"op":"batch","topic":"t","left_out":-3,"messages":[]}"#) == .batch(topic: "t", [], leftOut: 0))
    }

    @Test(arguments: [
        #"{"op":"batch","messages":[]}"#, #"{"op":"batch","topic":"t"}"#, #"{"op":"batch","topic":"t","messages":{}}"#,
        #"{"op":"batch","topic":"t","messages":[1]}"#, #"{"op":"batch","topic":"t","messages":[{"id":"a"}]}"#,
        #"{"op":"batch","topic":"t","messages":[{"id":"a","data":1},]}"#,
        #"{"op":"batch","topic":"t","messages":[{"id":"a","data":1} {"id":"b","data":1}]}"#,
        #"{"op":"batch","topic":"t","messages":["#,
    ])
    func `a batch that is torn or of another shape is refused whole`(text: String) {
        #expect(frame(text) == nil)
    }

    @Test func `a gap of a topic is not one of the inbox`() {
        #expect(frame(#"{"op":"gap","missed":12}"#) == .gap(missed: 12))
        #expect(
            frame(#"{"op":"gap","topic":"t","missed":12,"reason":"trimmed"}"#)
                == .topicGap(.init(topic: "t", missed: 12, reason: "trimmed")))
        #expect(
            frame(#"{"op":"gap","topic":"t","missed":-1}"#) == .topicGap(.init(topic: "t", missed: 0, reason: "")))
    }

    @Test func `an answer may tell a place`() {
        #expect(
            frame(#"{"op":"ok","ref":1,"position":"40-00061f"}"#)
                == .ok(ref: 1, delivered: nil, position: "40-00061f"))
        #expect(frame(#"{"op":"ok","ref":1,"local":true}"#) == .ok(ref: 1, delivered: nil))
    }

    @Test func `what the client says about topics`() {
        #expect(
            ClientFrame.subscribe("room/1", since: nil, ref: 1).text
                == #"{"op":"subscribe","topic":"room/1","ref":1}"#)
        #expect(
            ClientFrame.subscribe("a\"b", since: "1-0", ref: 1).text
                == #"{"op":"subscribe","topic":"a\"b","since":"1-0","ref":1}"#)
        #expect(
            ClientFrame.unsubscribe("room/1", ref: 2).text == #"{"op":"unsubscribe","topic":"room/1","ref":2}"#)
        #expect(
            ClientFrame.publish(Array(#"{"x":1}"#.utf8), to: "room/1", ref: 3).text
                == #"{"op":"publish","topic":"room/1","data":{"x":1},"ref":3}"#)
    }
}
