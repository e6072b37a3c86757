import Common
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HTTPSupport

@Suite struct TraceTests {
    static let given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

    @Test func aGivenTraceIsContinued() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            try await client.execute(uri: "/trace", method: .get, headers: [.traceparent: Self.given]) { answer in
                #expect(try answer.json([String: String].self) == ["trace": "4bf92f3577b34da6a3ce929d0e0e4736"])
                let echoed: String = try #require(answer.headers[.traceparent])
                #expect(echoed.hasPrefix("00-4bf92f3577b34da6a3ce929d0e0e4736-"))
                #expect(echoed.hasSuffix("-01"))
                #expect(!echoed.contains("00f067aa0ba902b7"))
            }
        }
    }

    @Test func withoutOneANewTraceIsMadeAndEveryAnswerCarriesIt() async throws {
        try await FaceFixture.application().application.test(.router) { client in
            var seen: Set<String> = []
            for path in ["/trace", "/busy", "/nothing", "/healthz"] {
                let answer = try await client.execute(uri: path, method: .get)
                let header: String = try #require(answer.headers[.traceparent])
                let trace = try #require(TraceContext(traceparent: header, span: 1))
                seen.insert(trace.traceID)
                if answer.status.code >= 400 { #expect(try answer.json(ProblemAnswer.self).trace_id == trace.traceID) }
            }
            #expect(seen.count == 4)
        }
    }

    /// The examples and rules of https://www.w3.org/TR/trace-context/#traceparent-header.
    @Test(arguments: [
        "", "00", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-extra",
        "0-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
    ])
    func headersThatBreakTheRulesAreIgnored(header: String) {
        #expect(TraceContext(traceparent: header, span: 1) == nil)
    }

    @Test func aLaterVersionIsReadByItsFirstFields() {
        let trace = TraceContext(
            traceparent: "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-comes", span: 0)
        #expect(trace?.traceparent == "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000001-01")
    }

    @Test func aRandomTraceIsNeverAllZeros() {
        #expect(TraceContext(random: (0, 0, 0)).traceID == "00000000000000010000000000000000")
        #expect(TraceContext(random: (0, 5, 0)).spanID == "0000000000000001")
    }
}

@Suite struct TrustedProxiesTests {
    @Test func onlyTrustedPeersAreBelieved() {
        let proxies = TrustedProxies(["10.0.0.1", "10.0.0.2"])
        let table: [(String?, [String], String)] = [
            ("1.2.3.4", [], "1.2.3.4"),
            ("1.2.3.4", ["9.9.9.9"], "1.2.3.4"),
            ("10.0.0.1", [], "10.0.0.1"),
            ("10.0.0.1", ["9.9.9.9"], "9.9.9.9"),
            ("10.0.0.1", ["8.8.8.8, 9.9.9.9"], "9.9.9.9"),
            ("10.0.0.1", ["8.8.8.8, 9.9.9.9, 10.0.0.2"], "9.9.9.9"),
            ("10.0.0.1", ["9.9.9.9", "10.0.0.2"], "9.9.9.9"),
            ("10.0.0.1", ["2001:db8::1"], "2001:db8::1"),
            ("10.0.0.1", ["<script>"], "10.0.0.1"),
            ("10.0.0.1", [String(repeating: "1", count: 99)], "10.0.0.1"),
            ("10.0.0.1", ["10.0.0.2,10.0.0.1"], "10.0.0.1"),
            (nil, ["9.9.9.9"], "local"),
        ]
        for (peer, forwarded, expected) in table {
            #expect(proxies.clientAddress(peer: peer, forwardedFor: forwarded) == expected)
        }
    }
}

@Suite struct CrossOriginTests {
    @Test func aListedOriginMayAskAndOthersMayNot() async throws {
        try await FaceFixture.application(origins: ["https://app.example"]).application.test(.router) { client in
            let preflight: HTTPFields = [.origin: "https://app.example", .accessControlRequestMethod: "POST"]
            try await client.execute(uri: "/body", method: .options, headers: preflight) { answer in
                #expect(answer.status == .noContent)
                #expect(answer.headers[.accessControlAllowOrigin] == "https://app.example")
                #expect(answer.headers[.accessControlAllowHeaders]?.contains("authorization") == true)
            }
            try await client.execute(uri: "/busy", method: .get, headers: [.origin: "https://app.example"]) { answer in
                _ = try answer.problem(.noNode)
                #expect(answer.headers[.accessControlAllowOrigin] == "https://app.example")
            }
            try await client.execute(uri: "/trace", method: .get, headers: [.origin: "https://evil.example"]) {
                answer in
                #expect(answer.headers[.accessControlAllowOrigin] == nil)
            }
        }
    }
}
