import Common
import HTTPTypes
import HummingbirdTesting
import NIOCore
import Testing

@testable import PushRoute

/// Lists as bodies, and the jobs that long ones become.
@Suite struct ListPushTests {
    private func headers(_ type: String, _ more: [(String, String)] = []) throws -> HTTPFields {
        var headers: HTTPFields = [.contentType: type]
        for (name, value) in more { headers[try #require(HTTPField.Name(name))] = value }
        return headers
    }

    private func ask(
        _ harness: FaceHarness, _ body: String, _ headers: HTTPFields = [:], at uri: String = "/v1/push"
    ) async throws -> Answer {
        try await harness.ask { client async throws in
            try await client.ask(.post, uri, key: "push-key", body: body, headers: headers)
        }
    }

    private static func lines(_ count: Int, _ push: String = #"{"data":1}"#) -> String {
        push + "\n" + (0..<count).map { "\"u\($0)\"\n" }.joined()
    }

    @Test func linesArePushedToAndTheBadOnesAreNamed() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("a"), [makeRoute(harness.one, 1)])
        let body = "{\"data\":{\"hi\":1}}\n\"a\"\nb\n{\"client\":\"c\"}\n"
        let type = try headers("application/x-ndjson; charset=utf-8")
        let refused = try await ask(harness, body, type)
        #expect(refused.status == 400)
        #expect(refused.body.contains("line 3: it is not valid JSON"))
        #expect(harness.nodes.calls.isEmpty)
        let pushed = try await ask(harness, body, type, at: "/v1/push?on_bad_line=skip")
        #expect(
            pushed.body.contains(
                #""total":2,"delivered":1,"offline":1,"failed":0,"stored":0,"bad_lines":{"count":1,"first":[3]},"#))
        #expect(harness.nodes.deliveries.map { String(decoding: $0.delivery.data, as: UTF8.self) } == [#"{"hi":1}"#])
    }

    @Test func aTableTakesThePushFromTheQueryOrAHeader() async throws {
        let harness = try FaceHarness()
        await harness.routes.set(client("b"), [makeRoute(harness.one, 1)])
        let table = "name,client\nBob,b\n"
        let fromQuery = try await ask(
            harness, table, try headers("text/csv"), at: "/v1/push?push=%7B%22data%22%3A%22hi%20%26%20bye%22%7D")
        let fromHeader = try await ask(
            harness, table, try headers("text/csv; header=present", [("Windfire-Push", #"{"data":2}"#)]))
        #expect(fromQuery.body.contains(#""total":1,"delivered":1"#))
        #expect(fromHeader.body.contains(#""total":1,"delivered":1"#))
        #expect(
            harness.nodes.deliveries.map { String(decoding: $0.delivery.data, as: UTF8.self) } == [#""hi & bye""#, "2"])
    }

    @Test func whatDoesNotFitTheFormIsRefusedByName() async throws {
        let harness = try FaceHarness()
        let push = ("Windfire-Push", #"{"data":1}"#)
        let long = String(repeating: "x", count: 17 << 10)
        for (uri, headers, code, detail) in [
            ("/v1/push", try headers("text/csv"), "invalid_request", "the push is missing"),
            ("/v1/push?push=%7B%7D", try headers("text/csv", [push]), "invalid_request", "in the query and in"),
            ("/v1/push?push=%7B%7D", try headers("text/csv"), "invalid_request", "data is missing"),
            ("/v1/push", try headers("text/csv", [("Windfire-Push", "{")]), "invalid_json", "ends too early"),
            (
                "/v1/push", try headers("text/csv", [("Windfire-Push", "{\"data\":\"\(long)\"}")]),
                "payload_too_large", "longer than 16384 bytes"
            ),
            ("/v1/push?on_bad_line=ignore", try headers("text/csv", [push]), "invalid_request", "neither refuse"),
            ("/v1/push?on_bad_line=skip", try headers("application/json"), "invalid_request", "NDJSON and CSV"),
            (
                "/v1/push", try headers("text/csv", [push, ("Content-Encoding", "br")]), "not_supported",
                "neither gzip nor identity"
            ),
            (
                "/v1/push", try headers("text/csv", [push, ("Content-Encoding", "gzip")]), "invalid_request",
                "not valid gzip"
            ),
        ] {
            let answer = try await ask(harness, "a\n", headers, at: uri)
            #expect(answer.code == code, "\(detail)")
            #expect(answer.body.contains(detail), "\(answer.body)")
        }
        #expect(await harness.routes.lookups.isEmpty)
    }

    @Test func packedBodiesAreUnpackedAndBombsAreNot() async throws {
        let harness = try FaceHarness()
        let headers = try headers("application/x-ndjson", [("Content-Encoding", "gzip")])
        let list = ByteBuffer(bytes: gzip(Array(Self.lines(500).utf8)))
        let bomb = ByteBuffer(bytes: gzip(Array(repeating: UInt8(ascii: "\n"), count: 8 << 20)))
        let (pushed, refused) = try await harness.ask { client async throws in
            (
                try await client.ask(.post, "/v1/push", key: "push-key", body: list, headers: headers),
                try await client.ask(.post, "/v1/push", key: "push-key", body: bomb, headers: headers)
            )
        }
        #expect(pushed.body.contains(#""total":500,"#))
        #expect(refused.status == 413)
        #expect(refused.code == "payload_too_large")
    }

    // Jobs.

    @Test func upToAThousandIdsAreAnsweredAtOnceAndOneMoreBecomesAJob() async throws {
        let jobs = RecordingJobs()
        let harness = try FaceHarness(jobs: jobs)
        let type = try headers("application/x-ndjson")
        let few = try await ask(harness, Self.lines(1_000), type)
        #expect(few.status == 200)
        #expect(few.body.contains(#""total":1000"#))
        #expect(await jobs.events == [])
        let many = try await ask(harness, Self.lines(1_001, #"{"data":1,"mode":"stored","rate_per_s":9}"#), type)
        #expect(many.status == 202)
        #expect(many.body == "{\"job\":\"\(await jobs.ids[0])\",\"total\":1001}")
        #expect(
            await jobs.events == [
                .began(owner: "backend"), .added(index: 0, count: 1_000), .added(index: 1, count: 1),
                .sealed(
                    PushParameters(data: [0x31], mode: .stored, ratePerSecond: 9), total: 1_001, chunks: 2, skipped: 0),
            ])
        #expect(await jobs.clients == (0..<1_001).map { client("u\($0)") })
        #expect(await harness.routes.inboxes.stored == [])
    }

    @Test func aShortPushBecomesAJobOnRequest() async throws {
        let jobs = RecordingJobs()
        let answer = try await ask(
            FaceHarness(jobs: jobs), #"{"to":{"clients":["a","b","a"]},"data":1,"async":true}"#)
        #expect(answer.status == 202)
        #expect(answer.body.hasSuffix(#""total":2}"#))
        #expect(
            await jobs.events == [
                .began(owner: "backend"), .added(index: 0, count: 2),
                .sealed(PushParameters(data: [0x31], isAsync: true), total: 2, chunks: 1, skipped: 0),
            ])
    }

    @Test func aBodyThatGoesWrongLateAbandonsItsJob() async throws {
        let jobs = RecordingJobs()
        let harness = try FaceHarness(jobs: jobs)
        let type = try headers("application/x-ndjson")
        let answer = try await ask(harness, Self.lines(20_000) + "oops\n", type)
        #expect(answer.status == 400)
        let events = await jobs.events
        // Chunks were added while the body was still being read, in pieces of 64 KiB.
        #expect(
            events.prefix(3) == [
                .began(owner: "backend"), .added(index: 0, count: 1_000), .added(index: 1, count: 1_000),
            ])
        #expect(
            events.last
                == .abandoned(
                    "line 20002: it is not valid JSON: it has a byte that may not stand here, at byte 0"))
        // Cut off in the middle: JSON says where it should have ended.
        let cut = try await ask(
            harness, "{\"data\":1,\"to\":{\"clients\":[" + (0..<20_000).map { "\"u\($0)\"," }.joined())
        #expect(cut.code == "invalid_json")
        #expect(await jobs.events.filter { if case .sealed = $0 { true } else { false } } == [])
        #expect(await jobs.events.filter { if case .abandoned = $0 { true } else { false } }.count == 2)
        #expect(harness.nodes.calls.isEmpty)
    }

    @Test func aJobStoreThatFailsIsTheAnswer() async throws {
        let jobs = RecordingJobs()
        await jobs.fail(atChunk: 1, WindfireError(.notReady, "the disk is full"))
        let harness = try FaceHarness(jobs: jobs)
        let type = try headers("application/x-ndjson")
        let answer = try await ask(harness, Self.lines(3_000), type)
        #expect(answer.status == 503)
        #expect(await jobs.events.last == .abandoned("the disk is full"))
        await jobs.fail(atChunk: 99, WindfireError(.notReady, "the disk is full"))
        await jobs.failToSeal(WindfireError(.notReady, "no more"))
        let unsealed = try await ask(harness, Self.lines(3_000, #"{"data":1,"dedupe_key":"k"}"#), type)
        #expect(unsealed.status == 503)
        #expect(await jobs.events.last == .abandoned("not_ready"))
        // A retry is not taken for a duplicate.
        #expect(await harness.routes.inboxes.pushes == [:])
    }
}
