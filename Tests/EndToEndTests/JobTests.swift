import Foundation
import TestKit
import Testing

extension EndToEnd {
    /// Two push routes on one file of jobs; one is killed in the middle.
    @Test(.timeLimit(.minutes(3))) func aJobOutlivesThePushRouteThatWorksOnIt() async throws {
        try await onCluster { cluster in
            let online = (0..<300).map { "job-\($0)" }
            let devices = try await Swarm.connect(online, to: cluster)
            // The pace leaves time to kill: 20,000 ids at 4,000 a second, in 20 chunks.
            let absent = (0..<19_700).map { "job-away-\($0)" }
            struct Body: Encodable {
                let to: [String: [String]]
                let data = 1
                let rate_per_s = 4_000
            }
            struct Accepted: Decodable { let job: String, total: Int }
            let accepted: Accepted = try await HTTPCall(
                "POST", url: "\(cluster.routes[0].url)/v1/push", bearer: cluster.adminKey,
                json: Body(to: ["clients": (online + absent).shuffled()]), timeout: .seconds(60)
            ).answer().expect(202).decoded()
            #expect(accepted.total == 20_000)
            try await eventually("some chunks are done") { try await cluster.job(accepted.job).done_chunks >= 3 }
            try await cluster.routes[0].kill()
            let killedAt = try await cluster.job(accepted.job)
            #expect(killedAt.state == "running")

            // The other finishes its own, and the dead one's when their leases have run out.
            let receipt = try await cluster.receipt(of: accepted.job)
            #expect(receipt.total == 20_000)
            #expect(receipt.delivered == 300)
            #expect(receipt.offline == 19_700)
            #expect(receipt.failed == 0)
            let undelivered = try #require(receipt.undelivered)
            #expect(undelivered.map(\.client).sorted() == absent.sorted())
            try await eventually("everyone has heard it") {
                devices.allSatisfy { $0.heard.messages[receipt.id] != nil }
            }
            for device in devices { #expect(device.heard.messages == [receipt.id: 1], "\(device.client)") }
            try await cluster.heal()
        }
    }
}
