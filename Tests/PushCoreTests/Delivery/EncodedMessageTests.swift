import Common
import NIOCore
import PushCore
import Testing

struct EncodedMessageTests {
    /// Counts how often it is asked.
    private struct CountingFrontend: Frontend {
        let encodingKey: EncodingKey
        var encodings = 0

        mutating func receive(_ bytes: inout ByteBuffer, into events: inout [SessionEvent]) throws(WireError) {}

        mutating func encode(_ command: SessionCommand, into bytes: inout ByteBuffer) {
            encodings += 1
            bytes.writeString(encodingKey == .json ? "json" : "echo")
        }
    }

    @Test func aMessageIsEncodedOncePerKeyHoweverManyReceiveIt() {
        var encoded = EncodedMessage(
            Message(id: MessageID(unchecked: "m"), timestampMilliseconds: 1, data: ByteBuffer(string: "1")))
        var json = CountingFrontend(encodingKey: .json)
        var alsoJSON = CountingFrontend(encodingKey: .json)
        var echo = CountingFrontend(encodingKey: .echo)
        let allocator = ByteBufferAllocator()
        for _ in 0..<3 {
            #expect(String(buffer: encoded.bytes(for: &json, allocator: allocator)) == "json")
            #expect(String(buffer: encoded.bytes(for: &alsoJSON, allocator: allocator)) == "json")
            #expect(String(buffer: encoded.bytes(for: &echo, allocator: allocator)) == "echo")
        }
        #expect([json.encodings, alsoJSON.encodings, echo.encodings] == [1, 0, 1])
    }
}
