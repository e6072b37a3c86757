import Common
import Foundation
import TestKit
import Testing

@Suite struct JSONScannerTests {
    // What is JSON, after the y_ and n_ cases of JSONTestSuite (github.com/nst/JSONTestSuite).

    static let good = [
        "[]", "{}", "[ ]", " [] ", "\t[\r\n]\t", "null", "true", "false", "\"\"", "0", "-0", "-1", "1.5", "1e5", "1E+5",
        "1e-5", "0e1", "0.0", "123456789012345678901234567890", "-0.1e-7", "[1,2,3]", "[[[]],{}]", "[null,true,false]",
        "{\"a\":1}", "{ \"a\" : [ 1 , { \"b\" : null } ] , \"\" : \"\" }", "{\"a\":1,\"a\":2}", "[[],[],[]]",
        #""\"\\\/\b\f\n\r\t""#, #""\u0041\u00e9\u20ac""#, #""\ud83d\ude00""#, #""\uDBFF\uDFFF""#, "\"é€😀\"",
        "\"\u{7f}\"", "\"\u{10FFFF}\"", "\"\u{2028}\"", #"["\u0000"]"#, "\"12345678\"", "\"1234567\\\"\"",
        "\"a long string without anything special in it, longer than any word\"",
    ]

    static let bad: [(String, JSONFailure.Reason)] = [
        ("", .unexpectedEnd), (" ", .unexpectedEnd), ("[", .unexpectedEnd), ("]", .unexpectedByte),
        ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("[1,]", .unexpectedByte), ("[,1]", .unexpectedByte),
        ("[1 2]", .unexpectedByte), ("[1,,2]", .unexpectedByte), ("[1]]", .trailingBytes), ("[1}", .unexpectedByte),
        ("{", .unexpectedEnd), ("{]", .unexpectedByte), ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd),
        ("{\"a\":1", .unexpectedEnd), ("{\"a\":1,}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte),
        ("{\"a\":}", .unexpectedByte), ("{a:1}", .unexpectedByte), ("{1:1}", .unexpectedByte),
        ("{'a':1}", .unexpectedByte), ("{,}", .unexpectedByte), ("{\"a\"::1}", .unexpectedByte),
        ("{\"a\":1 \"b\":2}", .unexpectedByte), ("{null:1}", .unexpectedByte), ("nul", .unexpectedEnd),
        ("nulL", .unexpectedByte), ("True", .unexpectedByte), ("truth", .unexpectedByte), ("nullx", .trailingBytes),
        ("01", .invalidNumber), ("-01", .invalidNumber), ("-", .unexpectedEnd), ("+1", .unexpectedByte),
        (".5", .unexpectedByte), ("1.", .unexpectedEnd), ("1.e1", .invalidNumber), ("1e", .unexpectedEnd),
        ("1e+", .unexpectedEnd), ("1ea", .invalidNumber), ("-a", .invalidNumber), ("0x1", .trailingBytes),
        ("1_000", .trailingBytes), ("NaN", .unexpectedByte), ("Infinity", .unexpectedByte),
        ("-Infinity", .invalidNumber), ("1 2", .trailingBytes), ("[1]x", .trailingBytes), ("//", .unexpectedByte),
        ("[/**/]", .unexpectedByte), ("\"", .unexpectedEnd), ("\"a", .unexpectedEnd), ("\"\\\"", .unexpectedEnd),
        ("\"a\nb\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter), ("\"\t\"", .controlCharacter),
        ("\"12345678\u{1f}\"", .controlCharacter), ("\"\\x41\"", .invalidEscape), ("\"\\u12\"", .invalidEscape),
        ("\"\\u12G4\"", .invalidEscape), ("\"\\a\"", .invalidEscape), ("\"\\U0041\"", .invalidEscape),
        (#""\ud800""#, .loneSurrogate), (#""\udc00""#, .loneSurrogate), (#""\ud800\ud800""#, .loneSurrogate),
        (#""\ud800\n""#, .loneSurrogate), (#""\ud800x""#, .loneSurrogate), ("\u{feff}[]", .unexpectedByte),
        ("'a'", .unexpectedByte), ("[\u{a0}]", .unexpectedByte), ("\u{c}[]", .unexpectedByte),
    ]

    @Test(arguments: good) func takesJSON(_ text: String) throws {
        #expect(try validate(Array(text.utf8)) == text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test(arguments: bad) func refusesWhatIsNot(_ text: String, _ reason: JSONFailure.Reason) {
        let failure = #expect(throws: JSONFailure.self) { try validate(Array(text.utf8)) }
        #expect(failure?.reason == reason)
        #expect((failure?.offset ?? -1) <= text.utf8.count)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0xAF], [0xC1, 0xBF], [0xC2, 0x41], [0xE0, 0x80, 0xAF], [0xE0, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xEF, 0xBF, 0x41], [0xF0, 0x80, 0x80, 0xAF], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
        ] as [[UInt8]])
    func refusesWhatIsNotUTF8(_ bytes: [UInt8]) {
        let failure = #expect(throws: JSONFailure.self) { try validate([0x22] + bytes + [0x22]) }
        #expect(failure == JSONFailure(.invalidUTF8, at: 1))
    }

    @Test func everyTruncationOfAnObjectEndsTooEarly() throws {
        let text = Array(#" {"k\u00e9y":[1.5e+3,-0,true,null,"😀\ud83d\ude00"],"z":{"a":{}}}"#.utf8)
        _ = try validate(text)
        for count in 0..<text.count {
            let failure = #expect(throws: JSONFailure.self) { try validate(Array(text[..<count])) }
            #expect(failure?.reason == .unexpectedEnd, "cut after \(count) bytes")
        }
    }

    @Test(arguments: ["[", "{\"a\":"])
    func nestsSixtyFourDeepAndNoDeeper(_ opening: String) throws {
        let closing = opening == "[" ? "]" : "}"
        func nested(_ depth: Int) -> [UInt8] {
            Array(
                (String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)).utf8)
        }
        _ = try validate(nested(64))
        #expect(throws: JSONFailure(.tooDeep, at: 64 * opening.utf8.count)) { try validate(nested(65)) }
        // A million brackets cost neither stack nor memory.
        let endless = Array(String(repeating: opening, count: 1_000_000).utf8)
        #expect(throws: JSONFailure(.tooDeep, at: 64 * opening.utf8.count)) { try validate(endless) }
    }

    // The quick steps over plain text must see every special byte at every place of a word.

    @Test func aSpecialByteIsSeenAtEveryPlace() throws {
        for length in 0..<20 {
            for place in 0...length {
                let before = String(repeating: "a", count: place)
                let after = String(repeating: "~", count: length - place)
                #expect(try read("\"\(before)\\n\(after)\"") == before + "\n" + after)
                #expect(try read("\"\(before)é\(after)\"") == before + "é" + after)
                #expect(try read("\"\(before)\u{7f} !#[]\(after)\"") == before + "\u{7f} !#[]" + after)
                let control = Array("\"\(before)\u{1f}\(after)\"".utf8)
                #expect(throws: JSONFailure(.controlCharacter, at: place + 1)) { try validate(control) }
                let early = Array("\"\(before)\"\(after)\"".utf8)
                if place < length {
                    #expect(throws: JSONFailure(.trailingBytes, at: place + 2)) { try validate(early) }
                }
            }
        }
    }

    @Test(arguments: [
        (#""""#, ""), (#""a\"\\\/\b\f\n\r\tz""#, "a\"\\/\u{8}\u{c}\n\r\tz"), (#""\u0041\u00E9\u20AC""#, "Aé€"),
        (#""\ud83d\ude00é""#, "😀é"), (#""\u0000""#, "\0"), (#""\udbff\udfff""#, "\u{10FFFF}"), ("\"x\"", "x"),
    ])
    func readsStrings(_ json: String, _ text: String) throws {
        #expect(try read(json) == text)
    }

    // Walking.

    @Test func walksAnObjectAndSlicesOutWhatItDoesNotKnow() throws {
        let text = #"{"ids":["a","\u0062"],"data": {"x" : [1, 2 ] } ,"n":-12,"on":true,"x":1.5}"#
        var ids: [String] = []
        var data = ""
        var rest: [String] = []
        try withScanner(text) { scanner in
            try scanner.enterObject()
            while let key = try scanner.nextKey() {
                switch key {
                case "ids":
                    try scanner.enterArray()
                    while try scanner.nextElement() { ids.append(try scanner.readString()) }
                case "data": data = scanner.text(in: try scanner.skipValue())
                case "n": rest.append("\(try scanner.readInteger() as Int?)")
                case "on": rest.append("\(try scanner.readBoolean())")
                default: rest.append("\(key)=\(try scanner.readInteger() as Int?)")
                }
            }
            try scanner.finish()
        }
        #expect(ids == ["a", "b"])
        #expect(data == #"{"x" : [1, 2 ] }"#)
        #expect(rest == ["Optional(-12)", "true", "x=nil"])
    }

    @Test func anotherTypeThanExpectedIsSaidWithItsPlace() throws {
        try withScanner("  [1]") { scanner in
            #expect(throws: JSONFailure(.wrongType, at: 2)) { try scanner.enterObject() }
            #expect(throws: JSONFailure(.wrongType, at: 2)) { try scanner.readString() }
            #expect(throws: JSONFailure(.wrongType, at: 2)) { try scanner.readInteger() }
            #expect(throws: JSONFailure(.wrongType, at: 2)) { try scanner.readBoolean() }
            try scanner.enterArray()
            #expect(try scanner.nextElement())
            #expect(try scanner.readInteger() == 1)
            #expect(try !scanner.nextElement())
            try scanner.finish()
        }
    }

    @Test(
        arguments: [
            ("0", 0), ("-0", 0), ("9223372036854775807", .max), ("9223372036854775808", nil), ("1.0", nil),
            ("1e2", nil),
        ] as [(String, Int?)])
    func integersAreExactOrNone(_ text: String, _ value: Int?) throws {
        try withScanner(text) { scanner in
            #expect(try scanner.readInteger() == value)
            try scanner.finish()
        }
    }

    /// Foundation decides the same, for texts with a few bytes changed. Its own choices (surrogates, number ranges) are
    /// kept out of the alphabet, and it takes a comma before a closing bracket, which is not JSON.
    @Test func agreesWithFoundationOnDamagedTexts() throws {
        let seed: UInt64 = 0x5EED_0001
        var random = SplitMix(seed: seed)
        let alphabet = Array("{}[]:,\"\\ 0123-.nulltruefase/bx".utf8)
        let whole = Array(#"{"a":[1,-2.5,true,null,"x\n"],"b":{"c":[[],{}]},"d":"text"}"#.utf8)
        for round in 0..<20_000 {
            var text = whole
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<text.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = alphabet.randomElement(using: &random) ?? 0
                case 1: text.remove(at: place)
                default: text.insert(alphabet.randomElement(using: &random) ?? 0, at: place)
                }
            }
            let ours = (try? validate(text)) != nil
            let compact = String(decoding: text, as: UTF8.self).filter { $0 != " " }
            if compact.contains(",}") || compact.contains(",]") { continue }
            let theirs = (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
            #expect(ours == theirs, "seed \(seed), round \(round): \(String(decoding: text, as: UTF8.self))")
        }
    }
}

/// Scans exactly these bytes, in memory of their own, so that a read beyond them is a read beyond an allocation.
private func withScanner(_ bytes: [UInt8], _ body: (inout JSONScanner) throws -> Void) throws {
    try bytes.withUnsafeBytes { buffer in
        var scanner = JSONScanner(buffer)
        try body(&scanner)
    }
}

private func withScanner(_ text: String, _ body: (inout JSONScanner) throws -> Void) throws {
    try withScanner(Array(text.utf8), body)
}

@discardableResult
private func validate(_ bytes: [UInt8]) throws -> String {
    var text = ""
    try withScanner(bytes) { scanner in
        text = scanner.text(in: try scanner.skipValue())
        try scanner.finish()
    }
    return text
}

private func read(_ text: String) throws -> String {
    var value = ""
    try withScanner(text) { scanner in
        value = try scanner.readString()
        try scanner.finish()
    }
    return value
}
