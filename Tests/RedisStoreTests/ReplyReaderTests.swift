import NIOCore
import Testing

@testable import RedisStore

@Suite struct ReplyReaderTests {
    /// Bytes on the wire, and the replies they are (redis.io/docs/reference/protocol-spec).
    static let golden: [(wire: String, replies: [RESPValue])] = [
        ("+OK\r\n", [.status("OK")]),
        ("-ERR no such thing\r\n", [.error(RedisReplyError("ERR no such thing"))]),
        (":0\r\n:-42\r\n:9223372036854775807\r\n", [.integer(0), .integer(-42), .integer(.max)]),
        ("$-1\r\n*-1\r\n", [.null, .null]),
        ("$0\r\n\r\n*0\r\n", [.text(""), .array([])]),
        ("$9\r\n\r\n+OK\r\n$1\r\n", [.text("\r\n+OK\r\n$1")]),
        (
            "*3\r\n$2\r\nzö\r\n$-1\r\n:7\r\n+PONG\r\n",
            [.array([.bulk(ByteBuffer(bytes: [0x7A, 0xC3])), .null, .integer(7)]), .status("PONG")]
        ),
        (
            "*2\r\n*2\r\n:1\r\n*1\r\n$1\r\na\r\n*2\r\n-NO\r\n*0\r\n",
            [
                .array([
                    .array([.integer(1), .array([.text("a")])]), .array([.error(RedisReplyError("NO")), .array([])]),
                ])
            ]
        ),
    ]

    /// The "zö" above is cut in the middle of a character on purpose: strings are bytes. It is written so here.
    private static func bytes(_ wire: String) -> ByteBuffer {
        var bytes = Array(wire.utf8)
        if let at = bytes.firstIndex(of: 0xB6) { bytes.remove(at: at) }
        return ByteBuffer(bytes: bytes)
    }

    private func replies(_ pieces: [ByteBuffer], _ reader: ReplyReader = ReplyReader()) throws -> [RESPValue] {
        var replies: [RESPValue] = []
        for piece in pieces { try reader.feed(piece) { replies.append($0) } }
        return replies
    }

    @Test(arguments: golden.indices)
    func everySplitPointGivesTheSameReplies(_ index: Int) throws {
        let (wire, expected) = Self.golden[index]
        let bytes = Self.bytes(wire)
        #expect(try replies([bytes]) == expected)
        for cut in 0...bytes.readableBytes {
            var rest = bytes
            let first = rest.readSlice(length: cut) ?? ByteBuffer()
            #expect(try replies([first, rest]) == expected, "cut at \(cut)")
        }
        #expect(try replies(bytes.readableBytesView.map { ByteBuffer(bytes: [$0]) }) == expected)
    }

    @Test func allRepliesOfOnePacketComeOut() throws {
        let wire = Self.golden.map { Self.bytes($0.wire) }.reduce(into: ByteBuffer()) {
            _ = $0.writeImmutableBuffer($1)
        }
        #expect(try replies([wire]) == Self.golden.flatMap(\.replies))
    }

    @Test func largeRepliesSpanManyPackets() throws {
        let values = (0..<5000).map { "value-\($0)" }
        var wire = ByteBuffer(string: "*\(values.count)\r\n")
        for value in values { wire.writeString("$\(value.utf8.count)\r\n\(value)\r\n") }
        var pieces: [ByteBuffer] = []
        while let piece = wire.readSlice(length: min(1460, wire.readableBytes)), piece.readableBytes > 0 {
            pieces.append(piece)
        }
        #expect(try replies(pieces) == [.array(values.map { .bulk(ByteBuffer(string: $0)) })])
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", "\u{15}\u{03}\u{01}\u{00}\u{02}", "*1\r\n?\r\n", "*x\r\n", "$5x\r\n",
        "*-7\r\n", "$-7\r\n", ":12a\r\n",
    ])
    func garbageIsAnErrorAndTheReaderStaysInIt(_ wire: String) throws {
        let reader = ReplyReader()
        #expect(throws: ReplyReader.Failure.self) { try replies([ByteBuffer(string: wire)], reader) }
        #expect(throws: ReplyReader.Failure.self) { try replies([ByteBuffer(string: "+OK\r\n")], reader) }
    }

    @Test func randomBytesNeverCrash() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<2000 {
            let reader = ReplyReader(bounds: .init(bytesMax: 4096, elementsMax: 64))
            for _ in 0..<4 {
                let alphabet = Array("*$:+-0123456789\r\n\r\nab".utf8)
                let bytes = (0..<Int.random(in: 1...40)).map { _ in alphabet.randomElement(using: &random) ?? 0 }
                guard (try? reader.feed(ByteBuffer(bytes: bytes)) { _ in }) != nil else { break }
            }
        }
    }

    @Test func nestingIsBounded() throws {
        let deep = String(repeating: "*1\r\n", count: 100) + ":1\r\n"
        #expect(throws: ReplyReader.Failure.self) { try replies([ByteBuffer(string: deep)]) }
        let allowed = String(repeating: "*1\r\n", count: 6) + ":1\r\n"
        #expect(try replies([ByteBuffer(string: allowed)]).count == 1)
    }

    @Test func elementsAreBoundedBeforeTheyArrive() throws {
        let reader = ReplyReader(bounds: .init(bytesMax: 1 << 20, elementsMax: 10))
        #expect(throws: ReplyReader.Failure(reason: "a reply has more than 10 elements")) {
            try replies([ByteBuffer(string: "*2147483647\r\n")], reader)
        }
        let nested = ReplyReader(bounds: .init(bytesMax: 1 << 20, elementsMax: 10))
        #expect(throws: ReplyReader.Failure(reason: "a reply has more than 10 elements")) {
            try replies([ByteBuffer(string: "*9\r\n*9\r\n" + String(repeating: ":1\r\n", count: 9))], nested)
        }
        // Ten replies of ten are no reply of a hundred.
        let many = ReplyReader(bounds: .init(bytesMax: 1 << 20, elementsMax: 10))
        let nine = "*9\r\n" + String(repeating: ":1\r\n", count: 9)
        #expect(try replies([ByteBuffer(string: String(repeating: nine, count: 10))], many).count == 10)
    }

    @Test func bytesOfOneReplyAreBounded() throws {
        let bounds = ReplyReader.Bounds(bytesMax: 1000, elementsMax: 100)
        let one = ByteBuffer(string: "$900\r\n" + String(repeating: "x", count: 900) + "\r\n")
        // Many allowed ones are allowed.
        let reader = ReplyReader(bounds: bounds)
        for _ in 0..<5 { #expect(try replies([one], reader).count == 1) }
        // One string that never ends, one line that never ends, one array whose strings add up.
        let text = "$40\r\n" + String(repeating: "y", count: 40) + "\r\n"
        let line = String(repeating: "y", count: 40)
        for (start, more) in [("$100000\r\n", text), ("+", line), ("*50\r\n", text)] {
            let reader = ReplyReader(bounds: bounds)
            #expect(throws: ReplyReader.Failure(reason: "a reply is larger than 1000 bytes")) {
                _ = try replies(([start] + Array(repeating: more, count: 40)).map { ByteBuffer(string: $0) }, reader)
            }
        }
    }
}

@Suite struct RedisCommandTests {
    @Test func wordsAreWrittenWithTheirLengths() {
        #expect(RedisCommand("PING").wire == ByteBuffer(string: "*1\r\n$4\r\nPING\r\n"))
        #expect(
            RedisCommand("SET", "zoë", "a\r\nb", "").wire
                == ByteBuffer(string: "*4\r\n$3\r\nSET\r\n$4\r\nzoë\r\n$4\r\na\r\nb\r\n$0\r\n\r\n"))
        #expect(RedisCommand("").wire == ByteBuffer(string: "*1\r\n$0\r\n\r\n"))
    }

    @Test func scriptsAreCalledByDigestInTheSlotOfTheirKeys() {
        let command = RedisCommand(.announce, keys: ["{a}x", "{a}y"], ["1"])
        #expect(command.slot == Slot(ofKey: "a"))
        #expect(command.script == .announce)
        let digest = Script.announce.digest
        #expect(digest.utf8.count == 40)
        #expect(
            command.wire
                == ByteBuffer(
                    string:
                        "*6\r\n$7\r\nEVALSHA\r\n$40\r\n\(digest)\r\n$1\r\n2\r\n$4\r\n{a}x\r\n$4\r\n{a}y\r\n$1\r\n1\r\n")
        )
    }

    @Test func everyScriptOpensWithItsKeysAndResult() {
        for script in Script.allCases {
            let text = String(decoding: script.source, as: UTF8.self)
            for part in ["-- KEYS[1]", "-- Result"] { #expect(text.contains(part), "\(script)") }
        }
        #expect(Set(Script.allCases.map(\.digest)).count == Script.allCases.count)
    }
}
