import Common
import TestKit
import Testing

@testable import PushRoute

/// Where a body is cut makes no difference: not to what is read, and not to what is refused.
@Suite struct CutTests {
    static let csv = PushIntake.Form.csv(PushParameters(data: Array("1".utf8)), onBadLine: .skip)

    struct Body: Sendable, CustomTestStringConvertible {
        let name: String
        let bytes: [UInt8]
        let form: PushIntake.Form
        init(_ name: String, _ text: String, _ form: PushIntake.Form) {
            (self.name, bytes, self.form) = (name, Array(text.utf8), form)
        }
        init(_ name: String, _ bytes: [UInt8], _ form: PushIntake.Form) {
            (self.name, self.bytes, self.form) = (name, bytes, form)
        }
        var testDescription: String { name }
    }

    static let bodies: [Body] = [
        Body(
            "every field, ids with escapes and letters of several bytes",
            #" {"data" : {"a":[1,"]}\""],"é":null}, "to":{"clients":["b\u006fb", "žofie","\ud83d\ude00","a"]} , "#
                + #""mode":"stored","ttl_s":60,"collapse_key":"k\n","async":false,"rate_per_s":9,"dedupe_key":"d"} "#,
            .json),
        Body("ids before the data, which is a number", #"{"to":{"clients":["a","b","a"]},"data":-1.5e3}"#, .json),
        Body("a wrong id", #"{"data":true,"to":{"clients":["a","b|c"]}}"#, .json),
        Body("a body of another type", "[1, 2]", .json),
        Body("a word", "null", .json),
        Body("bytes behind the end", #"{"data":1,"to":{"clients":["a"]}}x"#, .json),
        Body("half a surrogate pair", #"{"to":{"clients":["\ud83d"]}}"#, .json),
        Body(
            "bytes that are not UTF-8", Array(#"{"to":{"clients":["a"#.utf8) + [0xC3, 0x28] + Array(#""]}}"#.utf8),
            .json),
        Body(
            "lines", "{\"data\":{\"x\":1},\"mode\":\"stored\"}\r\n\"a\"\n\n{\"client\":\"b\"}\r\n \"c\" \n\"a\"",
            .lines(onBadLine: .refuse)),
        Body(
            "lines, some bad", "{\"data\":1}\n\"a\"\nbob\n7\n{\"client\":1}\n\"b\nx\n\"c\"\n\"d|\"\n",
            .lines(onBadLine: .skip)),
        Body("lines, the third bad", "{\"data\":1}\n\"a\"\n{}\n", .lines(onBadLine: .refuse)),
        Body(
            "a table with a header, quotes and a mark",
            "\u{FEFF}name,client\r\n\"Bob, the \"\"first\"\"\r\nof his name\",bob\r\n,alice\r\n\r\nx,\"q\"\"r\"\r\n",
            csv),
        Body("a table without a header, some lines bad", "a,1\nb\"c\n\"d\"e\n\"f\",\n,g\nh\ni|j\n\"k", csv),
    ]

    @Test(arguments: bodies) func everyCutReadsTheSame(_ body: Body) {
        let whole = WholeIntake.outcome(body.bytes, body.form)
        for cut in 0...body.bytes.count {
            #expect(WholeIntake.outcome(body.bytes, body.form, cuts: [cut]) == whole, "cut at \(cut)")
        }
        let single = Array(1..<body.bytes.count)
        #expect(WholeIntake.outcome(body.bytes, body.form, cuts: single) == whole, "byte by byte")
    }

    @Test(arguments: bodies) func randomCutsReadTheSame(_ body: Body) {
        var random = SplitMix.printed()
        let whole = WholeIntake.outcome(body.bytes, body.form)
        for _ in 0..<200 {
            let cuts = (0..<Int.random(in: 1...9, using: &random)).map { _ in
                Int.random(in: 0...body.bytes.count, using: &random)
            }.sorted()
            #expect(WholeIntake.outcome(body.bytes, body.form, cuts: cuts) == whole, "cuts \(cuts)")
        }
    }

    /// Whatever stands in a body, it is read or refused, the same way wherever it is cut.
    @Test(arguments: bodies) func changedBytesAreReadOrRefusedTheSame(_ body: Body) {
        var random = SplitMix.printed()
        let letters = Array("\"\\{}[],:\n\r|ax19-.etrufalsn\u{7}\u{FF}".utf8)
        for _ in 0..<300 {
            var bytes = body.bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch UInt8.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = letters.randomElement(using: &random) ?? 0
                case 1: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                default: bytes.removeSubrange(place..<min(bytes.count, place + 3))
                }
                if bytes.isEmpty { bytes = [0x20] }
            }
            let whole = WholeIntake.outcome(bytes, body.form)
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let outcome = WholeIntake.outcome(bytes, body.form, cuts: [cut])
            #expect(outcome == whole, "cut at \(cut): \(String(decoding: bytes, as: UTF8.self).debugDescription)")
            if case .failure(let error) = whole { #expect(error.code.status < 500) }
        }
    }

    @Test func whatIsReadIsWhatWasMeant() throws {
        #expect(
            try WholeIntake(Self.bodies[0].bytes, .json).targets.map(\.text) == ["bob", "žofie", "😀", "a"])
        #expect(try WholeIntake(Self.bodies[8].bytes, Self.bodies[8].form).targets.map(\.text) == ["a", "b", "c"])
        let some = try WholeIntake(Self.bodies[9].bytes, Self.bodies[9].form)
        #expect(some.targets.map(\.text) == ["a", "c"])
        #expect(some.badLines?.first == [3, 4, 5, 6, 7, 9])
        let table = try WholeIntake(Self.bodies[11].bytes, Self.bodies[11].form)
        #expect(table.targets.map(\.text) == ["bob", "alice", "q\"r"])
        #expect(table.badLines?.count == 0)
        let poor = try WholeIntake(Self.bodies[12].bytes, Self.bodies[12].form)
        #expect(poor.targets.map(\.text) == ["a", "f", "h"])
        #expect(poor.badLines?.first == [2, 3, 5, 7, 8])
    }
}
