import AsyncHTTPClient
import Common
import HTTPSupport
import Hummingbird
import HummingbirdTesting
import NIOCore
import ServiceLifecycle
import TestKit
import Testing

@testable import AuthService

/// The service as it runs, over a socket.
@Suite struct ServiceTests {
    @Test func itFollowsTheRegistryAndStopsWhenTold() async throws {
        let fixture = try await AuthFixture(nodes: 0) { $0.loadInterval = .milliseconds(20) }
        let group = ServiceGroup(services: [fixture.service], logger: AuthFixture.quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let address = try await fixture.service.boundAddress
            var request = HTTPClientRequest(url: "http://\(address)/v1/token")
            request.method = .POST
            request.body = .bytes(ByteBuffer(string: #"{"client":"alice","secret":"dev"}"#))
            let login = request
            let refused = try await HTTPClient.shared.execute(login, timeout: .seconds(10))
            #expect(refused.status == .serviceUnavailable)

            try await fixture.registry.register(.sample("n1"), as: .push)
            try await eventually("a login succeeds") {
                try await HTTPClient.shared.execute(login, timeout: .seconds(10)).status == .ok
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    @Test func itIsReadyOnceTheNodesAreKnown() async throws {
        let fixture = try await AuthFixture()
        #expect(try await fixture.ask("/healthz").status == .ok)
        #expect(try await fixture.ask("/readyz").status == .ok)
    }

    @Test func aTakenPortEndsTheRun() async throws {
        let first = try await AuthFixture()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await first.service.run() }
            let address = try await first.service.boundAddress
            let second = try await AuthFixture { $0.listen = address }
            let failure = await #expect(throws: WindfireError.self) { try await second.service.run() }
            #expect(failure?.code == .addressInUse)
            tasks.cancelAll()
            while (try? await tasks.next()) != nil {}
        }
    }
}
