import Common
import HTTPSupport
import ServiceLifecycle
import TestKit
import Testing

@testable import PushRoute

/// The whole service on a socket, with its entry in the registry.
@Suite struct ServiceTests {
    @Test func isListedWhileItListensAndLeavesOnShutdown() async throws {
        let harness = try FaceHarness()
        let group = ServiceGroup(services: [harness.service], logger: quiet)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            let address = try await harness.service.boundAddress
            #expect(address.port != 0)
            try await eventually("the entry is there") {
                harness.registry.registered(.route)[NodeID(unchecked: "r1")] != nil
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        #expect(harness.registry.registered(.route).isEmpty)
    }

    @Test func aPortInUseEndsItWithTheAddress() async throws {
        let first = try FaceHarness()
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await first.service.run() }
            let address = try await first.service.boundAddress
            let second = try FaceHarness { $0.listen = address }
            let error = await #expect(throws: WindfireError.self) { try await second.service.run() }
            #expect(error?.code == .addressInUse)
            #expect(second.registry.registered(.route).isEmpty)
            tasks.cancelAll()
        }
    }
}
