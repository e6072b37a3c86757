import Common
import Testing

@testable import PushRoute

@Suite struct PushParametersTests {
    @Test(arguments: [
        PushParameters(data: Array("null".utf8)),
        PushParameters(
            data: Array(#"{"a" : [1, "é\n"]}"#.utf8), mode: .stored, timeToLive: .seconds(60),
            collapseKey: "k \"1\"", dedupeKey: "ordér-1", ratePerSecond: 500, isAsync: true),
    ])
    func aJobKeepsThemAsJSON(_ parameters: PushParameters) throws {
        #expect(try PushParameters(json: parameters.json()) == parameters)
    }

    @Test func whatIsNotAPushIsRefusedByName() {
        for (text, code) in [
            ("", FailureCode.invalidJSON), ("[]", .invalidRequest), ("{}", .invalidRequest),
            (#"{"data":1,"x":1}"#, .invalidRequest), (#"{"data":1,"to":{}}"#, .invalidRequest),
            (#"{"data":1} "#, nil), (#"{"data":1}x"#, .invalidJSON), (#"{"data":1,"data":2}"#, .invalidRequest),
        ] as [(String, FailureCode?)] {
            do {
                _ = try PushParameters(json: Array(text.utf8))
                #expect(code == nil, "\(text)")
            } catch {
                #expect(error.code == code, "\(text)")
            }
        }
    }
}
