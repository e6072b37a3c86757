import Common
import NIOCore
import PushCore
import Testing

struct EncodedMessageTests {
    @Test func aMessageIsEncodedOncePerKeyHoweverManyReceiveIt() {
        var encoded = EncodedMessage(
            Message(id: MessageID(unchecked: "m"), timestampMilliseconds: 1, data: ByteBuffer(string: "1")))
        var made: [String] = []
        func bytes(_ key: EncodingKey, _ text: String) -> String {
            let bytes = encoded.bytes(in: key) { _ in
                made.append(text)
                return ByteBuffer(string: text)
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
}
