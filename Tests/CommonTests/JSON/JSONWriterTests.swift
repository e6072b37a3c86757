import Common
import Testing

@Suite struct JSONWriterTests {
    private func written(_ body: (inout JSONWriter) -> Void) -> String {
        var writer = JSONWriter()
        body(&writer)
        return String(decoding: writer.bytes, as: UTF8.self)
    }

    @Test func commasStandWhereTheyBelong() {
        let text = written { writer in
            writer.beginObject()
            writer.key("a")
            writer.integer(-1)
            writer.key("b")
            writer.beginArray()
            writer.beginObject()
            writer.endObject()
            writer.beginArray()
            writer.endArray()
            writer.null()
            writer.boolean(true)
            writer.number(1.5)
            writer.raw("{\"x\": 1}".utf8)
            writer.string("s")
            writer.endArray()
            writer.key("c")
            writer.boolean(false)
            writer.endObject()
        }
        #expect(text == #"{"a":-1,"b":[{},[],null,true,1.5,{"x": 1},"s"],"c":false}"#)
    }

    @Test func stringsAreReadBackAsTheyWere() throws {
        for text in ["", "plain", "quote\"back\\slash/", "\0\u{1}\u{1f}\u{7f}\n\t\r", "é€😀\u{2028}"] {
            let json = written { $0.string(text) }
            let back = try Array(json.utf8).withUnsafeBytes { buffer in
                var scanner = JSONScanner(buffer)
                let back = try scanner.readString()
                try scanner.finish()
                return back
            }
            #expect(back == text)
        }
        #expect(written { $0.string("\u{1}\"") } == #""\u0001\"""#)
    }
}
