import Common
import NIOCore
import PushCore
import Testing

struct SharedEncodingTests {
    private func message(_ id: String) -> Message {
        Message(id: MessageID(unchecked: id), timestampMilliseconds: 1, data: ByteBuffer(string: "1"))
    }

    @Test func aMessageIsEncodedOncePerKeyHoweverManyReceiveIt() {
        var encoded = SharedEncoding(message("m"))
        var made: [String] = []
        func bytes(_ key: EncodingKey, _ text: String) -> String {
            let bytes = encoded.bytes(in: key) { _, bytes in
                made.append(text)
                bytes.writeString(text)
            }
            return String(buffer: bytes)
        }
        for _ in 0..<3 {
            #expect(bytes(.json, "json") == "json")
            #expect(bytes(.json, "json again") == "json")
            #expect(bytes(.echo, "echo") == "echo")
        }
        #expect(made == ["json", "echo"])
    }

    @Test func messagesThatLeaveTogetherAreOneRunOfBytes() {
        let topic = Topic(unchecked: "room/1")
        var encoded = SharedEncoding([
            .message(message("a")), .batch(topic, [message("b"), message("c")], leftOut: 4), .message(message("d")),
        ])
        #expect(encoded.messageCount == 4)
        let bytes = encoded.bytes(in: .json) { command, bytes in
            switch command {
            case .message(let message): bytes.writeString(message.id.text)
            case .batch(_, let messages, _): bytes.writeString("[\(messages.map(\.id.text).joined())]")
            default: Issue.record("nothing else was put in")
            }
        }
        #expect(String(buffer: bytes) == "a[bc]d")
    }
}
