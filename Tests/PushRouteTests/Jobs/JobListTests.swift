import Common
import HTTPTypes
import HummingbirdTesting
import NIOCore
import TestKit
import Testing

@testable import PushRoute

/// Long lists, from the body of a push to the rows of its job.
@Suite struct JobListTests {
    private static let table: HTTPFields = [.contentType: "text/csv"]

    private func ask(
        _ harness: FaceHarness, _ path: String, post body: ByteBuffer? = nil, _ headers: HTTPFields = [:]
    ) async throws -> Answer {
        try await harness.ask { client async throws in
            try await client.ask(body == nil ? .get : .post, path, key: "push-key", body: body, headers: headers)
        }
    }

    @Test func badLinesOfATableAreNamedInTheAnswerAndCountedInTheJob() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let good = (0..<3_000).map { "u\($0)\n" }
        let table = (["client\n"] + good.prefix(10) + ["\"a\"b\n"] + good.dropFirst(10) + ["\n", "a|b\n"]).joined()
        let path = "/v1/push?push=%7B%22data%22%3A1%7D"
        // The whole is refused, at the first of them.
        let refused = try await ask(harness, path, post: ByteBuffer(string: table), Self.table)
        #expect(refused.status == 400)
        #expect(refused.body.contains("line 12: "))
        #expect(await store.jobs(after: nil, limit: 10).allSatisfy { $0.state.name == "failed" })
        // Or the rest goes on.
        let taken = try await ask(harness, path + "&on_bad_line=skip", post: ByteBuffer(string: table), Self.table)
        #expect(taken.status == 202)
        #expect(taken.body.hasSuffix(#""total":3000,"bad_lines":{"count":2,"first":[12,3004]}}"#))
        let job = try #require(await store.jobs(after: nil, limit: 1).first)
        #expect(job.state == .running)
        #expect(try await ask(harness, "/v1/jobs/\(job.id)").body.contains(#""skipped_lines":2,"#))
    }

    @Test func aBombBehindManyIdsFailsTheJobThatTheyBegan() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let ids = (0..<20_000).map { "user-\(UInt64($0) &* 0x9E37_79B9_7F4A_7C15)\n" }.joined()
        let bomb = Array(ids.utf8) + Array(repeating: UInt8(ascii: "\n"), count: 64 << 20)
        var headers = Self.table
        headers[.contentEncoding] = "gzip"
        let refused = try await ask(
            harness, "/v1/push?push=%7B%22data%22%3A1%7D", post: ByteBuffer(bytes: gzip(bomb)), headers)
        #expect(refused.status == 413)
        #expect(refused.code == "payload_too_large")
        let job = try #require(await store.jobs(after: nil, limit: 1).first)
        #expect(job.state.name == "failed")
        #expect(job.total >= 1_000)
        #expect(harness.nodes.calls.isEmpty)
    }

    @Test func theUndeliveredOfManyPagesAreNamedOnceAndResentInFullChunks() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let id = JobID.sample()
        try await store.create(Job(id: id, createdAt: 1, owner: "backend"), receiver: .sample("r1"))
        // Of each chunk, the first 300 are delivered to.
        var expected: [ClientID] = []
        for index in 0..<3 {
            let clients = (0..<1_000).map { client("c\(index)-\($0)") }
            expected += clients.dropFirst(300)
            try await store.append(JobChunk(job: id, index: index, clients: clients))
        }
        let order = JobOrder(specification: PushParameters(data: [0x31]).json())
        _ = try await store.seal(id, order, total: 3_000, chunkCount: 3, skippedLines: 0)
        for chunk in await store.lease(.sample("w1"), max: 3, for: .seconds(60), except: []) {
            let undelivered = chunk.clients.dropFirst(300).map { Undelivered(client: $0, reason: .offline) }
            let receipt = ChunkReceipt(counts: JobCounts(delivered: 300, offline: 700), undelivered: undelivered)
            _ = await store.complete(chunk.lease, receipt)
        }
        let named = try await ask(harness, "/v1/jobs/\(id)/undelivered").body.split(separator: "\n")
        #expect(named == expected.map { #"{"client":"\#($0)","reason":"offline"}"# }.map { $0[...] })

        let resent = try await ask(harness, "/v1/jobs/\(id)/resend", post: ByteBuffer())
        #expect(resent.body.hasSuffix(#""total":2100}"#))
        let chunks = await store.lease(.sample("w2"), max: 10, for: .seconds(60), except: [])
        #expect(chunks.map(\.clients.count) == [1_000, 1_000, 100])
        #expect(chunks.flatMap(\.clients) == expected)
    }
}
