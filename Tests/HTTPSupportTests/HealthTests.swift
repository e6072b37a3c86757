import HTTPTypes
import Hummingbird
import HummingbirdTesting
import Testing

@testable import HTTPSupport

@Suite struct HealthTests {
    @Test func whatIsNotEssentialIsNamedAndRefusesNothing() async throws {
        let isThere = Box(false)
        let checks = [
            ReadinessCheck("registry") { isThere.value ? nil : "no answer" },
            ReadinessCheck("jobs", isEssential: false) { "the disk is full" },
        ]
        try await FaceFixture.application(checks: checks).application.test(.router) { client in
            try await client.execute(uri: "/readyz", method: .get) { answer in
                let names = try answer.problem(.notReady).missing?.map(\.name)
                #expect(names == ["registry", "jobs"])
            }
            isThere.change { $0 = true }
            try await client.execute(uri: "/readyz", method: .get) { answer in
                #expect(answer.status == .ok)
                #expect(
                    String(buffer: answer.body)
                        == #"{"missing":[{"detail":"the disk is full","name":"jobs"}],"status":"degraded"}"#)
            }
        }
    }

    @Test func readyOnlyWhenNothingIsMissing() async throws {
        let isThere = Box(false)
        let checks = [
            ReadinessCheck("registry") { isThere.value ? nil : "no answer from 127.0.0.1:2181" },
            ReadinessCheck("keys") { nil },
        ]
        try await FaceFixture.application(checks: checks).application.test(.router) { client in
            try await client.execute(uri: "/healthz", method: .get) { #expect($0.status == .ok) }
            try await client.execute(uri: "/readyz", method: .get) { answer in
                let problem = try answer.problem(.notReady)
                #expect(problem.detail == "missing: registry")
                #expect(problem.missing == [.init(name: "registry", detail: "no answer from 127.0.0.1:2181")])
                #expect(answer.headers[.retryAfter] == "1")
            }
            isThere.change { $0 = true }
            try await client.execute(uri: "/readyz", method: .get) { #expect($0.status == .ok) }
            try await client.execute(uri: "/healthz", method: .head) { answer in
                #expect(answer.status == .ok)
                #expect(answer.body.readableBytes == 0)
            }
        }
    }
}
