import Common
import Foundation
import HTTPSupport
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import PushRoute

@Suite struct PushEndpointTests {
    static let someone = #"{"to":{"clients":["a"]},"data":1}"#

    @Test func answersARowForEveryTarget() async throws {
        let harness = try FaceHarness()
        await harness.routes.set([
            client("alice"): [makeRoute(harness.one, 1, device: "phone")], client("carol"): [makeRoute(harness.two, 2)],
        ])
        harness.nodes.answer(.refused, for: session(2))
        let answer = try await harness.ask { client async throws in
            try await client.ask(
                .post, "/v1/push", key: "push-key",
                body: #"{"to":{"clients":["alice","bob","carol"]},"data":{"hi":1}}"#)
        }
        #expect(answer.status == 200)
        let id = try #require(answer.body.range(of: #""id":"[0-9a-f-]{36}""#, options: .regularExpression))
        #expect(
            answer.body.replacingCharacters(in: id, with: #""id":"…""#)
                == #"{"id":"…","total":3,"delivered":1,"offline":1,"failed":1,"stored":0,"results":["#
                + #"{"client":"alice","device":"phone","status":"delivered","node":"n1"},"#
                + #"{"client":"bob","status":"offline"},"#
                + #"{"client":"carol","device":"default","status":"failed","node":"n2","reason":"outbox_full"}]}"#)
    }

    @Test func theIdIsAVersion7UUIDAndTheMessagesOwn() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let answer = try await harness.ask { client async throws in
            try await client.ask(.post, "/v1/push", key: "push-key", body: Self.someone)
        }
        let sent = try #require(harness.nodes.deliveries.first).delivery
        #expect(answer.body.hasPrefix("{\"id\":\"\(sent.message)\""))
        #expect(Array(sent.message.text)[14] == "7")
        #expect(sent.traceID.utf8.count == 32)
    }

    @Test func aCallersTraceTravelsOn() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
        let traceparent = try #require(HTTPField.Name("traceparent"))
        _ = try await harness.ask { client async throws in
            try await client.ask(
                .post, "/v1/push", key: "push-key", body: Self.someone,
                headers: [traceparent: "00-\(trace)-00f067aa0ba902b7-01"])
        }
        #expect(harness.nodes.deliveries.map(\.delivery.traceID) == [trace])
    }

    @Test func aboveTheBoundOnlyTheUndeliveredAreNamed() async throws {
        var limits = Limits()
        limits.resultsPerAnswerMax = 2
        let harness = try FaceHarness(limits: limits)
        await harness.routes.set([client("a"): [makeRoute(harness.one, 1)], client("c"): [makeRoute(harness.one, 3)]])
        harness.nodes.answer(.refused, for: session(3))
        let answer = try await harness.ask { client async throws in
            try await client.ask(
                .post, "/v1/push", key: "push-key", body: #"{"to":{"clients":["a","b\"","c"]},"data":1}"#)
        }
        #expect(
            answer.body.hasSuffix(
                #""total":3,"delivered":1,"offline":1,"failed":1,"stored":0,"undelivered":["#
                    + #"{"client":"b\"","status":"offline"},"#
                    + #"{"client":"c","status":"failed","reason":"outbox_full"}]}"#))
    }

    @Test func timesAreGivenOnRequest() async throws {
        let harness = try FaceHarness()
        let (plain, timed) = try await harness.ask { client async throws in
            (
                try await client.ask(.post, "/v1/push", key: "push-key", body: Self.someone),
                try await client.ask(.post, "/v1/push?timing=1", key: "push-key", body: Self.someone)
            )
        }
        #expect(!plain.body.contains("timing_ms"))
        struct Timed: Decodable {
            let timing_ms: [String: Double]
        }
        let timing = try JSONDecoder().decode(Timed.self, from: Data(timed.body.utf8)).timing_ms
        #expect(Set(timing.keys) == ["parse", "lookup", "grpc", "total"])
        let parts = (timing["parse"] ?? 0) + (timing["lookup"] ?? 0) + (timing["grpc"] ?? 0)
        #expect(parts <= (timing["total"] ?? 0) + 0.003)
    }

    // Who may push.

    @Test(arguments: [(nil, 401, "unauthorized"), ("wrong", 401, "unauthorized"), ("ops-key", 403, "forbidden")])
    func withoutTheRightKeyNothingHappens(_ key: String?, _ status: Int, _ code: String) async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let answer = try await harness.ask { client async throws in
            try await client.ask(.post, "/v1/push", key: key, body: Self.someone)
        }
        #expect(answer.status == status)
        #expect(answer.code == code)
        #expect(await harness.routes.lookups.isEmpty)
        #expect(harness.nodes.calls.isEmpty)
    }

    @Test(arguments: ["push-key", "admin-key"]) func pushAndAdminKeysMayPush(_ key: String) async throws {
        let answer = try await FaceHarness().ask { client async throws in
            try await client.ask(.post, "/v1/push", key: key, body: Self.someone)
        }
        #expect(answer.status == 200)
    }

    // What may be pushed.

    @Test(arguments: [
        ("{", 400, "invalid_json"), ("", 400, "invalid_json"), ("hello", 400, "invalid_json"),
        (#"{"to":{"clients":["a"]},"data":1,}"#, 400, "invalid_json"),
        (#"{"to":{"clients":["a"]}}"#, 400, "invalid_request"),
        (#"{"to":{"clients":["a"]},"data":1,"priority":9}"#, 400, "invalid_request"),
        (#"{"to":{"clients":["a",""]},"data":1}"#, 400, "invalid_id"),
        (#"{"to":{"clients":["a\u0000b"]},"data":1}"#, 400, "invalid_id"),
        (#"{"to":{"clients":["a\#(String(repeating: "x", count: 128))"]},"data":1}"#, 400, "invalid_id"),
        (#"{"to":{"group":"g"},"data":1}"#, 501, "not_supported"),
        (#"{"to":{"clients":["a"]},"async":true,"data":1}"#, 501, "not_supported"),
        (#"{"to":{"clients":["a"]},"mode":"stored","ttl_s":0,"data":1}"#, 400, "invalid_request"),
        (#"{"to":{"clients":["a"]},"data":"\#(String(repeating: "x", count: 256 << 10))"}"#, 413, "payload_too_large"),
    ])
    func badBodiesAreRefusedByName(_ body: String, _ status: Int, _ code: String) async throws {
        let harness = try FaceHarness()
        let answer = try await harness.ask { client async throws in
            try await client.ask(.post, "/v1/push", key: "push-key", body: body)
        }
        #expect(answer.status == status)
        #expect(answer.code == code)
        #expect(await harness.routes.lookups.isEmpty)
    }

    @Test func oneIdTooManyIsRefused() async throws {
        let harness = try FaceHarness()
        var body = ByteBuffer(string: #"{"data":1,"to":{"clients":["a""#)
        for _ in 0..<1_000_000 { body.writeString(#","a""#) }
        body.writeString("]}}")
        let immutable = body
        let answer = try await harness.ask { client async throws in
            try await client.ask(.post, "/v1/push", key: "push-key", body: immutable)
        }
        #expect(answer.status == 413)
        #expect(answer.code == "too_many_targets")
        #expect(await harness.routes.lookups.isEmpty)
    }

    @Test func aBodyBeyondTheBoundIsRefused() async throws {
        var limits = Limits()
        limits.pushBodyBytesMax = 100
        let harness = try FaceHarness(limits: limits)
        let answer = try await harness.ask { client async throws in
            try await client.ask(
                .post, "/v1/push", key: "push-key",
                body: #"{"to":{"clients":["a"]},"data":"\#(String(repeating: "x", count: 100))"}"#)
        }
        #expect(answer.status == 413)
        #expect(answer.code == "body_too_large")
    }

    @Test func duplicatesGetTheMessageOnce() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let answer = try await harness.ask { client async throws in
            try await client.ask(
                .post, "/v1/push", key: "push-key", body: #"{"to":{"clients":["a","a","a"]},"data":1}"#)
        }
        #expect(answer.body.contains(#""total":1,"delivered":1"#))
        #expect(harness.nodes.calls == ["n1:1"])
    }

    // When something is away.

    @Test func withoutRoutesTheAnswerIs503AndSaysSo() async throws {
        let harness = try FaceHarness()
        await harness.routes.fail(
            with: WindfireError(.routesUnavailable, "Redis does not answer", retryAfter: .seconds(2)))
        let (push, ready) = try await harness.ask { client async throws in
            (
                try await client.ask(.post, "/v1/push", key: "push-key", body: Self.someone),
                try await client.ask(.get, "/readyz")
            )
        }
        #expect(push.status == 503)
        #expect(push.code == "routes_unavailable")
        #expect(ready.status == 503)
        #expect(ready.body.contains(#""name":"routes""#))
        #expect(harness.nodes.calls.isEmpty)
    }

    @Test func withoutAListOfNodesItIsNotReady() async throws {
        let harness = try FaceHarness()
        harness.registry.set(.unknown)
        let (push, ready) = try await harness.ask { client async throws in
            (
                try await client.ask(.post, "/v1/push", key: "push-key", body: Self.someone),
                try await client.ask(.get, "/readyz")
            )
        }
        #expect(push.status == 503)
        #expect(push.code == "registry_unavailable")
        #expect(ready.body.contains(#""name":"registry""#))
    }

    @Test func tooManyAtOnceAreToldToComeBack() async throws {
        var bounds = PushAdmission.Configuration()
        bounds.pushesMax = 2
        bounds.bytesMax = 100
        let admission = PushAdmission(bounds)
        // One of any size, then none beyond the bytes, then none beyond the count.
        try await admission.admit(bytes: 90) { () async throws(WindfireError) in
            _ = await #expect(throws: WindfireError(.rateLimited, "too many pushes are under way here")) {
                try await admission.admit(bytes: 11) {}
            }
            try await admission.admit(bytes: 10) { () async throws(WindfireError) in
                _ = await #expect(throws: WindfireError.self) { try await admission.admit(bytes: 0) {} }
            }
        }
        try await admission.admit(bytes: 1_000) {}
    }

    @Test func everyPushIsCounted() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let metrics = try await harness.ask { client async throws in
            _ = try await client.ask(
                .post, "/v1/push", key: "push-key", body: #"{"to":{"clients":["a","b"]},"data":1}"#)
            _ = try await client.ask(.post, "/v1/push", key: "push-key", body: "x")
            return try await client.ask(.get, "/metrics").body
        }
        #expect(metrics.contains("windfire_pushes_total{outcome=\"answered\"} 1\n"))
        #expect(metrics.contains("windfire_pushes_total{outcome=\"invalid_json\"} 1\n"))
        #expect(metrics.contains("windfire_push_targets_total{outcome=\"delivered\"} 1\n"))
        #expect(metrics.contains("windfire_push_targets_total{outcome=\"offline\"} 1\n"))
        #expect(metrics.contains("windfire_push_stored_total 0\n"))
        #expect(metrics.contains("windfire_push_phase_seconds_count{phase=\"lookup\"} 1\n"))
    }
}
