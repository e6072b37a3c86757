import Common
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import Testing

@testable import HTTPSupport

/// Every error is a problem answer, and says no more than it should.
@Suite struct ProblemTests {
    @Test func ourErrorsKeepTheirCodeAndSayWhenToComeBack() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            try await client.execute(uri: "/busy", method: .get) { answer in
                let problem = try answer.problem(.noNode)
                #expect(problem.detail == "all full")
                #expect(problem.type == "urn:windfire:error:no_node")
                #expect(answer.headers[.retryAfter] == "2")
            }
        }
    }

    @Test func otherErrorsAreNotShown() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            try await client.execute(uri: "/broken", method: .get) { answer in
                let problem = try answer.problem(.internalError)
                #expect(problem.detail == FailureCode.internalError.title)
                #expect(!String(buffer: answer.body).contains("Unexpected()"))
            }
        }
    }

    @Test func anInternalErrorsOwnMessageIsForTheLog() {
        let problem = Problem(WindfireError(.internalError, "secret path /x"), traceID: "t")
        #expect(problem.detail == FailureCode.internalError.title)
    }

    @Test(arguments: ["/nothing", "/", "/busy/more", "/..%2f..%2fetc/passwd", "//"])
    func unknownAddressesAre404(path: String) async throws {
        try await FaceFixture.application().application.test(.router) { client in
            try await client.execute(uri: path, method: .get) { _ = try $0.problem(.notFound) }
        }
    }

    @Test func aWrongMethodIs405AndNamesTheRightOnes() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            for method in [HTTPRequest.Method.get, .put, .delete, .patch] {
                try await client.execute(uri: "/body", method: method) { answer in
                    _ = try answer.problem(.methodNotAllowed)
                    #expect(answer.headers[.allow] == "POST")
                }
            }
            try await client.execute(uri: "/busy", method: .post) { answer in
                _ = try answer.problem(.methodNotAllowed)
                #expect(answer.headers[.allow] == "GET, HEAD")
            }
        }
    }

    @Test(arguments: FailureCode.all) func everyCodeMakesAProblem(code: FailureCode) {
        let response = Problem(WindfireError(code, "why"), traceID: "t").response(retryAfter: .seconds(3))
        #expect(response.status.code == code.status)
        #expect(response.headers[.retryAfter] == "3")
        #expect((response.headers[.wwwAuthenticate] != nil) == (code.status == 401))
    }

    @Test func waitingTimesAreRoundedUpToASecond() {
        #expect(Duration.zero.wholeSecondsUp == 1)
        #expect(Duration.milliseconds(10).wholeSecondsUp == 1)
        #expect(Duration.seconds(2).wholeSecondsUp == 2)
        #expect(Duration.milliseconds(2_001).wholeSecondsUp == 3)
    }
}

/// Bodies are bounded, and a wrong field is named.
@Suite struct RequestBodyTests {
    private func post(_ text: String, _ check: @escaping @Sendable (TestResponse) throws -> Void) async throws {
        try await FaceFixture.application().application.test(.router) { client in
            try await client.execute(uri: "/body", method: .post, body: ByteBuffer(string: text)) { try check($0) }
        }
    }

    @Test func aGoodBodyIsRead() async throws {
        try await post(#"{"client":"alice","count":3,"nested":{"list":[1,2]}}"#) { answer in
            #expect(answer.status == .ok)
            let body = try answer.json([String: String].self)
            #expect(body == ["client": "alice"])
        }
    }

    @Test(arguments: ["", "{", "nonsense", #"{"client":}"#, "\u{0}", #"{"client":"alice"} x"#])
    func whatIsNotJSONIsRefused(text: String) async throws {
        try await post(text) { _ = try $0.problem(.invalidJSON) }
    }

    @Test func aBodyBeyondTheBoundIsRefused() async throws {
        try await post(#"{"client":"\#(String(repeating: "a", count: 300))"}"#) { answer in
            let problem = try answer.problem(.bodyTooLarge)
            #expect(problem.detail == "the request body may have 256 bytes")
        }
    }

    @Test func aWrongFieldIsNamed() async throws {
        let table: [(String, FailureCode, String)] = [
            ("{}", .invalidRequest, "client is missing"),
            (#"{"client":7}"#, .invalidRequest, "client has the wrong type"),
            (#"{"client":"a","count":"x"}"#, .invalidRequest, "count has the wrong type"),
            (#"{"client":"a","nested":{"list":[1,"x"]}}"#, .invalidRequest, "nested.list[1] has the wrong type"),
            (#"{"client":"a","nested":{}}"#, .invalidRequest, "nested.list is missing"),
            (#"{"client":"a","clinet":"b"}"#, .invalidRequest, "there is no field clinet"),
            (#"{"client":"a","\n\u001b":"b"}"#, .invalidRequest, "there is no field ??"),
            (#"{"client":""}"#, .invalidID, "client id is empty"),
            (#"{"client":"a|b"}"#, .invalidID, "client id has a character that is not allowed"),
            ("[]", .invalidRequest, "the body has the wrong type"),
        ]
        for (text, code, detail) in table {
            try await post(text) { answer in
                let problem = try answer.problem(code)
                #expect(problem.detail == detail)
            }
        }
    }
}
