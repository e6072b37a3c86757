import Common
import Testing

@testable import PushRoute

/// Bodies of lines and tables: what counts as an id, and what becomes of lines that are none.
@Suite struct ListIntakeTests {
    static let parameters = PushParameters(data: Array("1".utf8))

    private func lines(
        _ text: String, _ policy: BadLines.Policy = .refuse, limits: Limits = .default
    ) throws -> WholeIntake {
        try WholeIntake(Array("{\"data\":1}\n\(text)".utf8), .lines(onBadLine: policy), limits: limits)
    }

    private func table(
        _ text: String, _ policy: BadLines.Policy = .refuse, limits: Limits = .default
    ) throws -> WholeIntake {
        try WholeIntake(Array(text.utf8), .csv(Self.parameters, onBadLine: policy), limits: limits)
    }

    // Lines.

    @Test func theFirstLineIsThePush() throws {
        let body = "\n" + #"{"data":{"hi":1},"mode":"stored","async":true}"# + "\n\"alice\"\n{\"client\":\"bob\"}"
        let push = try WholeIntake(Array(body.utf8), .lines(onBadLine: .refuse))
        #expect(
            push.parameters == PushParameters(data: Array(#"{"hi":1}"#.utf8), mode: .stored, isAsync: true))
        #expect(push.targets == [client("alice"), client("bob")])
    }

    @Test(arguments: [
        ("", FailureCode.invalidRequest, "line 1: the push is missing"),
        ("{}\n\"a\"", .invalidRequest, "data is missing"),
        ("\"a\"\n", .invalidRequest, "line 1 is not a JSON object"),
        ("nope\n", .invalidJSON, "line 1 is not valid JSON: it has a byte that may not stand here, at byte 1"),
        ("{\"data\":1", .invalidJSON, "line 1 is not valid JSON: it ends too early, at byte 9"),
        ("{\"data\":1,\"to\":{}}\n", .invalidRequest, "to does not stand in line 1: the lines are the ids"),
        ("{\"data\":1,\"dta\":1}\n", .invalidRequest, "there is no field dta"),
        ("{\"data\":1}\n", .invalidRequest, "there is no client id in the body"),
    ])
    func aFirstLineThatIsNoPushIsRefusedInAnyCase(_ body: String, _ code: FailureCode, _ message: String) {
        for policy in BadLines.Policy.allCases {
            #expect(throws: WindfireError(code, message)) {
                try WholeIntake(Array(body.utf8), .lines(onBadLine: policy))
            }
        }
    }

    @Test(arguments: [
        ("bob", FailureCode.invalidJSON, "it is not valid JSON: it has a byte that may not stand here, at byte 0"),
        ("\"bob", .invalidJSON, "it is not valid JSON: it ends too early, at byte 4"),
        ("\"bob\" \"eve\"", .invalidJSON, "it is not valid JSON: it goes on after its value, at byte 6"),
        ("7", .invalidRequest, "it is neither a string nor {\"client\":…}"),
        ("{\"client\":7}", .invalidRequest, "it is neither a string nor {\"client\":…}"),
        ("{\"id\":\"a\"}", .invalidRequest, "it is neither a string nor {\"client\":…}"),
        ("{}", .invalidRequest, "it is neither a string nor {\"client\":…}"),
        ("\"a|b\"", .invalidID, "client id has a character that is not allowed"),
        ("\"\"", .invalidID, "client id is empty"),
        ("\"\(String(repeating: "x", count: 3_000))\"", .invalidRequest, "it is longer than 2048 bytes"),
    ])
    func aLineThatIsNoIdIsNamedOrLeftOut(_ line: String, _ code: FailureCode, _ message: String) throws {
        #expect(throws: WindfireError(code, "line 3: \(message)")) { try lines("\"a\"\n\(line)\n\"b\"\n") }
        let rest = try lines("\"a\"\n\(line)\n\"b\"\n", .skip)
        #expect(rest.targets == [client("a"), client("b")])
        #expect(rest.badLines?.first == [3])
    }

    @Test func ofManyBadLinesTheFirstHundredAreNamed() throws {
        let text = (0..<250).map { "\"c\($0)\"\n?\n" }.joined()
        let push = try lines(text, .skip)
        #expect(push.targets.count == 250)
        #expect(push.badLines?.count == 250)
        #expect(push.badLines?.first == (0..<100).map { 3 + 2 * $0 })
        #expect(throws: WindfireError.self) { try lines(text) }
    }

    @Test func aPushWithoutAnyGoodLineIsRefused() {
        #expect(throws: WindfireError(.invalidRequest, "there is no client id in the body")) {
            try lines("?\n!\n", .skip)
        }
    }

    @Test func aFirstLineWithoutEndHasABound() {
        var limits = Limits()
        limits.payloadBytesMax = 100
        let body = Array("{\"data\":\"\(String(repeating: "x", count: 20_000))".utf8)
        #expect(throws: WindfireError(.payloadTooLarge, "line 1 is longer than 8292 bytes")) {
            try WholeIntake(body, .lines(onBadLine: .skip), limits: limits)
        }
    }

    // Tables.

    @Test(arguments: [
        ("a\nb\n", ["a", "b"]), ("a,x\r\nb,y", ["a", "b"]), ("client\na\n", ["a"]), ("\"client\"\r\na", ["a"]),
        ("n,client,z\n1,a,2\n3,b\n", ["a", "b"]), ("id\na\n", ["id", "a"]), ("\"a,b\"\n\"c\"\"d\"\n", ["a,b", "c\"d"]),
        ("\u{FEFF}client\na\n", ["a"]), ("\n\n\na\n\n", ["a"]), (" a ,\n", [" a "]), ("a\nclient\n", ["a", "client"]),
        ("note,client\n\"over\ntwo lines\",a\n", ["a"]),
    ])
    func idsStandInTheFirstColumnOrInTheOneCalledClient(_ text: String, _ ids: [String]) throws {
        #expect(try table(text).targets.map(\.text) == ids)
    }

    @Test(arguments: [
        ("a\nb\"c\nd\n", 2, "there is a quote in a field that is not quoted"),
        ("a\n\"b\"c\nd\n", 2, "a quoted field goes on after its quotes"),
        ("a\n\"b\"\rc\nd\n", 2, "a quoted field goes on after its quotes"),
        ("a\nd\n\"b", 3, "a quote is not closed"),
    ])
    func aLineThatIsNotCSVIsNamedOrLeftOut(_ text: String, _ line: Int, _ message: String) throws {
        #expect(throws: WindfireError(.invalidRequest, "line \(line): \(message)")) { try table(text) }
        let rest = try table(text, .skip)
        #expect(rest.targets.map(\.text) == ["a", "d"])
        #expect(rest.badLines?.first == [line])
    }

    @Test func aLineWithoutTheColumnAndAnIdThatIsNoneAreNamed() throws {
        let text = "x,client\n1\n2,a\n3,\n4,b|c\n"
        #expect(throws: WindfireError(.invalidRequest, "line 2: it has no column 2")) { try table(text) }
        let rest = try table(text, .skip)
        #expect(rest.targets == [client("a")])
        #expect(rest.badLines?.first == [2, 4, 5])
    }

    @Test func bytesThatAreNotUTF8AreNamed() {
        #expect(throws: WindfireError(.invalidID, "line 2: client id is not valid UTF-8")) {
            try WholeIntake([0x61, 0x0A, 0xC3, 0x28, 0x0A], .csv(Self.parameters, onBadLine: .refuse))
        }
    }

    @Test func aQuoteThatIsNeverClosedSwallowsEightKibibytesAtMostAndEveryLineOfThemCounts() throws {
        let lines = (0..<2_000).map { "user-\($0)\n" }
        let text = "first\n\"open\n" + lines.joined()
        let rest = try table(text, .skip)
        let bad = try #require(rest.badLines)
        #expect(rest.targets.count + bad.count == 2_002)
        #expect(bad.first.prefix(3) == [2, 3, 4])
        #expect(rest.targets.last == client("user-1999"))
        #expect(throws: WindfireError(.invalidRequest, "line 2: it is longer than 8192 bytes")) { try table(text) }
    }

    // Chunks.

    @Test func idsComeInChunksAndTheLastOneIsKeptBack() throws {
        var limits = Limits()
        limits.targetsPerChunkMax = 3
        let ids = (0..<8).map { "c\($0)" }
        let push = try table(ids.joined(separator: "\n"), limits: limits)
        #expect(push.chunkSizes == [3, 3])
        #expect(push.targets.map(\.text) == ids)
        // Exactly full is not more than full.
        #expect(try table("a\nb\nc\na\nb\n", limits: limits).chunkSizes == [])
    }

    @Test func idsBeyondTheBoundAreRefusedAlsoWhereBadLinesAreSkipped() {
        var limits = Limits()
        limits.targetsPerPushMax = 3
        #expect(throws: WindfireError(.tooManyTargets, "the push has more than 3 ids")) {
            try table("a\nb\nc\nd\n", .skip, limits: limits)
        }
    }
}
