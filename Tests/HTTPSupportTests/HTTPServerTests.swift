import AsyncHTTPClient
import Common
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import ServiceLifecycle
import Testing

@testable import HTTPSupport

/// Where the socket is the point.
@Suite struct HTTPServerTests {
    /// Runs a server on a port of the system's choice while `body` runs.
    private func serving(
        _ server: HTTPServer, _ body: @Sendable (HostPort) async throws -> Void
    ) async throws {
        let group = ServiceGroup(services: [server], logger: FaceFixture.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let result: Result<Void, any Error>
            do { result = .success(try await body(try await server.boundAddress)) } catch { result = .failure(error) }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
            try result.get()
        }
    }

    @Test func itAnswersOnThePortItSays() async throws {
        try await serving(try FaceFixture.application()) { address in
            #expect(address.port > 0)
            let answer = try await HTTPClient.shared.execute(
                HTTPClientRequest(url: "http://\(address)/healthz"), timeout: .seconds(10))
            #expect(answer.status == .ok)
            #expect(answer.headers.first(name: "server") == nil)
        }
    }

    @Test func aTakenPortIsNamed() async throws {
        try await serving(try FaceFixture.application()) { address in
            let second = try FaceFixture.application(listen: address)
            let failure = await #expect(throws: WindfireError.self) { try await second.run() }
            #expect(failure == WindfireError(.addressInUse, "cannot listen on \(address): it is in use"))
            await #expect(throws: WindfireError.self) { try await second.boundAddress }
        }
    }

    @Test func anAddressOfAnotherMachineIsNamed() async throws {
        // TEST-NET-1 of RFC 5737: nobody's.
        let server = try FaceFixture.application(listen: HostPort(host: "192.0.2.1", port: 0))
        let failure = await #expect(throws: WindfireError.self) { try await server.run() }
        #expect(failure?.code == .configurationInvalid)
        #expect(failure?.message.contains("192.0.2.1:0") == true)
    }

    @Test func aDeclaredLengthBeyondTheBoundIsRefusedUnread() async throws {
        try await serving(try FaceFixture.application()) { address in
            var request = HTTPClientRequest(url: "http://\(address)/body")
            request.method = .POST
            request.body = .bytes(ByteBuffer(repeating: 0x20, count: 100_000))
            let answer = try await HTTPClient.shared.execute(request, timeout: .seconds(10))
            #expect(answer.status.code == 413)
            #expect(answer.headers.first(name: "content-type") == "application/problem+json")
        }
    }
}
