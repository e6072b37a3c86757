import Common
import HTTPSupport
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import PushRoute

/// Callers that break off, on real sockets.
@Suite struct BrokenBodyTests {
    private static let head =
        "POST /v1/push HTTP/1.1\r\nHost: route\r\nAuthorization: Bearer push-key\r\n"
        + "Content-Type: application/x-ndjson\r\n"

    private static let lines = "{\"data\":1}\n" + (0..<5_000).map { "\"u\($0)\"\n" }.joined()

    /// The head promises more than comes, and what comes ends with a whole line.
    @Test(arguments: [
        "Content-Length: \(lines.utf8.count * 2)\r\n\r\n" + lines,
        "Transfer-Encoding: chunked\r\n\r\n" + String(lines.utf8.count, radix: 16) + "\r\n" + lines + "\r\n",
    ])
    func aBodyThatIsCutOffAbandonsTheJobThatWasFilledWithIt(_ rest: String) async throws {
        let jobs = RecordingJobs()
        let harness = try FaceHarness(jobs: jobs)
        try await breakOff(Self.head + rest, harness) {
            try await eventually("ids are in the job while more of them are awaited") {
                await jobs.clients.count >= 4_000
            }
        } then: {
            try await eventually("the job is abandoned") {
                await jobs.events.contains(.abandoned("the request body ended early"))
            }
        }
        #expect(await jobs.events.filter { if case .sealed = $0 { true } else { false } } == [])
        #expect(harness.nodes.calls.isEmpty)
        #expect(await harness.routes.inboxes.stored == [])
    }

    @Test func theJobOfABodyThatWasCutOffSaysHowFarItCameAndServesNobody() async throws {
        let store = InMemoryJobStore()
        let harness = try FaceHarness(store: store)
        let rest = "Content-Length: \(Self.lines.utf8.count * 2)\r\n\r\n" + Self.lines
        try await breakOff(Self.head + rest, harness) {
            try await eventually("ids are in the job while more of them are awaited") {
                await store.jobs(after: nil, limit: 1).first?.total ?? 0 >= 4_000
            }
        } then: {
            try await eventually("the job has failed") {
                await store.jobs(after: nil, limit: 1).first?.state.isEnded == true
            }
        }
        let job = try #require(await store.jobs(after: nil, limit: 1).first)
        #expect(job.state == .failed(reason: "the request body ended early"))
        #expect(job.untried == job.total)
        #expect(await store.lease(.sample("w1"), max: 10, for: .seconds(1), except: []).isEmpty)
        #expect(harness.nodes.calls.isEmpty)
    }

    /// Sends the bytes, and closes the connection when `received` has returned.
    private func breakOff(
        _ bytes: String, _ harness: FaceHarness, when received: () async throws -> Void,
        then: () async throws -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await harness.service.server.run() }
            let address = try await harness.service.server.boundAddress
            let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
                .connect(host: "127.0.0.1", port: address.port).get()
            try await channel.writeAndFlush(ByteBuffer(string: bytes))
            try await received()
            try await channel.close()
            try await then()
            group.cancelAll()
        }
    }
}
