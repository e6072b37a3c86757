import Common
import Testing

@testable import PushRoute

/// The object with fields in any order.
@Suite struct JSONIntakeTests {
    private func parse(_ body: String, limits: Limits = .default) throws -> WholeIntake {
        try WholeIntake(Array(body.utf8), .json, limits: limits)
    }

    private func parse(_ body: [UInt8], limits: Limits = .default) throws -> WholeIntake {
        try WholeIntake(body, .json, limits: limits)
    }

    @Test func takesAListAndThePayloadAsItWasWritten() throws {
        let push = try parse(
            #"""
             { "to" : { "clients" : [ "alice", "b\u006fb" ] },
               "data" :  {"z": 1.0,  "a":[1 ,2], "s":"\u00e9\/"}  , "mode":"live","ttl_s":60,
               "collapse_key":"score","dedupe_key":"k-1","rate_per_s":500}
            """#)
        #expect(push.targets == [client("alice"), client("bob")])
        #expect(String(decoding: push.parameters.data, as: UTF8.self) == #"{"z": 1.0,  "a":[1 ,2], "s":"\u00e9\/"}"#)
        #expect(push.parameters.timeToLive == .seconds(60))
        #expect(push.parameters.collapseKey == "score")
        #expect(push.parameters.dedupeKey == "k-1")
        #expect(push.parameters.ratePerSecond == 500)
        #expect(push.parameters.mode == .live)
    }

    @Test(arguments: ["null", "true", "0", "-1.5e300", #""text""#, "[]", "{}", #"[{"a":null}]"#])
    func theDataIsAnyValue(_ data: String) throws {
        let push = try parse(#"{"data":\#(data),"to":{"clients":["a"]},"async":false}"#)
        #expect(push.targets == [client("a")])
        #expect(push.parameters == PushParameters(data: Array(data.utf8)))
    }

    @Test func duplicatesAreOneTargetEach() throws {
        let push = try parse(#"{"to":{"clients":["b","a","b","\u0061","c","a"]},"data":1}"#)
        #expect(push.targets == [client("b"), client("a"), client("c")])
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let body: String
        let code: FailureCode
        let message: String
        init(_ body: String, _ code: FailureCode, _ message: String) {
            (self.body, self.code, self.message) = (body, code, message)
        }
        var testDescription: String { body }
    }

    static let someone = #""to":{"clients":["a"]}"#

    @Test(arguments: [
        Refusal("", .invalidJSON, "the body is not valid JSON: it ends too early, at byte 0"),
        Refusal("{\(someone),\"data\":1", .invalidJSON, "the body is not valid JSON: it ends too early, at byte 32"),
        Refusal("nope", .invalidJSON, "the body is not valid JSON: it has a byte that may not stand here, at byte 1"),
        Refusal(
            "{\(someone),\"data\":01}", .invalidJSON, "the body is not valid JSON: it has an invalid number, at byte 32"
        ),
        Refusal(
            "{\(someone),\"data\":1} x", .invalidJSON,
            "the body is not valid JSON: it goes on after its value, at byte 34"),
        Refusal("[]", .invalidRequest, "the body has the wrong type"),
        Refusal("{}", .invalidRequest, "to is missing"),
        Refusal("{\"data\":1}", .invalidRequest, "to is missing"),
        Refusal("{\(someone)}", .invalidRequest, "data is missing"),
        Refusal("{\"to\":{},\"data\":1}", .invalidRequest, "to.clients is missing"),
        Refusal("{\"to\":[\"a\"],\"data\":1}", .invalidRequest, "to has the wrong type"),
        Refusal("{\"to\":{\"clients\":\"a\"},\"data\":1}", .invalidRequest, "to.clients has the wrong type"),
        Refusal("{\"to\":{\"clients\":[]},\"data\":1}", .invalidRequest, "to.clients is empty"),
        Refusal("{\"to\":{\"clients\":[\"a\",7]}}", .invalidRequest, "to.clients[1] has the wrong type"),
        Refusal("{\"to\":{\"clients\":[\"a\"],\"clients\":[]}}", .invalidRequest, "to.clients is given twice"),
        Refusal("{\"to\":{\"users\":[]}}", .invalidRequest, "there is no field to.users"),
        Refusal("{\(someone),\"dta\":1}", .invalidRequest, "there is no field dta"),
        Refusal("{\"é\\u0000\":1}", .invalidRequest, "there is no field ??"),
        Refusal("{\(someone),\(someone)}", .invalidRequest, "to is given twice"),
        Refusal("{\(someone),\"mode\":\"fast\"}", .invalidRequest, "mode is neither live nor stored"),
        Refusal("{\(someone),\"mode\":1}", .invalidRequest, "mode has the wrong type"),
        Refusal("{\"ttl_s\":0}", .invalidRequest, "ttl_s is not a whole number from 1 to 604800"),
        Refusal("{\"ttl_s\":604801}", .invalidRequest, "ttl_s is not a whole number from 1 to 604800"),
        Refusal("{\"ttl_s\":1.5}", .invalidRequest, "ttl_s is not a whole number from 1 to 604800"),
        Refusal("{\"ttl_s\":\"1\"}", .invalidRequest, "ttl_s has the wrong type"),
        Refusal("{\"collapse_key\":\"\"}", .invalidRequest, "collapse_key is not 1 to 128 bytes"),
        Refusal("{\"async\":1}", .invalidRequest, "async has the wrong type"),
        Refusal("{\"to\":{\"group\":\"x\"}}", .notSupported, "to.group is not offered by this version"),
        Refusal("{\"ttl_s\":-1}", .invalidRequest, "ttl_s is not a whole number from 1 to 604800"),
        Refusal("{\"ttl_s\":99999999999999999999}", .invalidRequest, "ttl_s is not a whole number from 1 to 604800"),
        Refusal("{\"rate_per_s\":0}", .invalidRequest, "rate_per_s is not a whole number from 1 to 1000000"),
        Refusal("{\"dedupe_key\":\"\"}", .invalidRequest, "dedupe_key is not 1 to 128 bytes"),
        Refusal("{\"dedupe_key\":7}", .invalidRequest, "dedupe_key has the wrong type"),
        Refusal("{\"to\":null}", .invalidRequest, "to has the wrong type"),
        Refusal("{\"to\":nul}", .invalidJSON, "the body is not valid JSON: it ends too early, at byte 9"),
        Refusal("{\"a\" 1}", .invalidRequest, "there is no field a"),
        Refusal(
            "{\"data\" 1}", .invalidJSON, "the body is not valid JSON: it has a byte that may not stand here, at byte 8"
        ),
        Refusal(
            "{\"data\":1,}", .invalidJSON,
            "the body is not valid JSON: it has a byte that may not stand here, at byte 10"),
        Refusal(
            "{\"data\":[1}}", .invalidJSON,
            "the body is not valid JSON: it has a byte that may not stand here, at byte 10"),
        Refusal(
            "{\"data\":\(String(repeating: "[", count: 100))", .invalidJSON,
            "the body is not valid JSON: it is nested too deeply, at byte 72"),
        Refusal(
            "{\"to\":{\"clients\":[\"a\",]}}", .invalidJSON,
            "the body is not valid JSON: it has a byte that may not stand here, at byte 22"),
        Refusal(
            "{\"mode\":\"\(String(repeating: "x", count: 5_000))\"}", .invalidRequest,
            "mode is longer than 4096 bytes"),
        Refusal(
            "{\"to\":{\"clients\":[\"\(String(repeating: "x", count: 5_000))\"]}}", .invalidID,
            "to.clients[0]: client id is longer than 128 bytes"),
        Refusal("{\"to\":{\"clients\":[\"\"]}}", .invalidID, "to.clients[0]: client id is empty"),
        Refusal(
            "{\"to\":{\"clients\":[\"a\",\"b\\u0007secret\"]}}", .invalidID,
            "to.clients[1]: client id has a character that is not allowed"),
        Refusal(
            "{\"to\":{\"clients\":[\"a|b\"]}}", .invalidID,
            "to.clients[0]: client id has a character that is not allowed"),
        Refusal(
            "{\"to\":{\"clients\":[\"\(String(repeating: "x", count: 129))\"]}}", .invalidID,
            "to.clients[0]: client id is longer than 128 bytes"),
    ])
    func refusesByName(_ refusal: Refusal) {
        #expect(throws: WindfireError(refusal.code, refusal.message)) { try parse(refusal.body) }
    }

    @Test func everyTruncationIsRefused() throws {
        let body = Array(#"{"to":{"clients":["a","b"]},"data":{"x":[1,"y"]},"ttl_s":5}"#.utf8)
        _ = try parse(body)
        for count in 0..<body.count {
            let error = #expect(throws: WindfireError.self) { try parse(Array(body[..<count])) }
            #expect(error?.code == .invalidJSON, "cut after \(count) bytes")
        }
    }

    @Test func asManyIdsAsAllowedAreTakenAndOneMoreIsNot() throws {
        #expect(Limits.default.targetsPerPushMax == 1_000_000)
        var limits = Limits()
        limits.targetsPerPushMax = 10_000
        func body(_ count: Int) -> [UInt8] {
            var writer = JSONWriter(capacity: count * 10)
            writer.beginObject()
            writer.key("data")
            writer.null()
            writer.key("to")
            writer.beginObject()
            writer.key("clients")
            writer.beginArray()
            for index in 0..<count { writer.string("u\(index)") }
            writer.endArray()
            writer.endObject()
            writer.endObject()
            return writer.bytes
        }
        #expect(try parse(body(10_000), limits: limits).targets.count == 10_000)
        #expect(throws: WindfireError(.tooManyTargets, "the push has more than 10000 ids")) {
            try parse(body(10_001), limits: limits)
        }
    }

    @Test func thePayloadHasABound() throws {
        var limits = Limits()
        limits.payloadBytesMax = 10
        #expect(try parse(#"{"data": "12345678" ,"to":{"clients":["a"]}}"#, limits: limits).parameters.data.count == 10)
        #expect(throws: WindfireError(.payloadTooLarge, "data is longer than 10 bytes")) {
            try parse(#"{"data":"123456789","to":{"clients":["a"]}}"#, limits: limits)
        }
    }
}
