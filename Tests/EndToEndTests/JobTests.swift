import Foundation
import TestKit
import Testing

extension EndToEnd {
    /// Two push routes on one file of jobs; the one that took the list is killed in the middle.
    @Test(.timeLimit(.minutes(4))) func aJobOutlivesThePushRouteThatWorksOnIt() async throws {
        try await onCluster { cluster in
            let online = (0..<300).map { "job-\($0)" }
            let devices = try await Swarm.connect(online, to: cluster)
            let absent = (0..<99_700).map { "job-away-\($0)" }
            // The pace leaves time to kill: 100,000 ids at 10,000 a second, in 100 chunks.
            let id = try await cluster.begin((online + absent).shuffled(), ratePerSecond: 10_000)
            try await eventually("some chunks are done") { try await cluster.job(id).done_chunks >= 20 }
            try await cluster.routes[0].kill()
            let killedAt = try await cluster.job(id)
            #expect(killedAt.state == "running")
            #expect(killedAt.done_chunks < 100)

            // The other finishes its own, and the dead one's when their leases have run out.
            let receipt = try await cluster.receipt(of: id)
            #expect(receipt.total == 100_000)
            #expect(receipt.delivered == 300)
            #expect(receipt.offline == 99_700)
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

    /// A push route stands still for longer than its leases, and wakes up in the middle of what others have done.
    @Test(.timeLimit(.minutes(4))) func aPushRouteThatWakesUpCountsAndServesNothingTwice() async throws {
        try await onCluster { cluster in
            let online = (0..<200).map { "frozen-\($0)" }
            let devices = try await Swarm.connect(online, to: cluster)
            let absent = (0..<39_800).map { "frozen-away-\($0)" }
            let (sleeper, other) = (cluster.routes[0], cluster.routes[1])
            let id = try await cluster.begin((online + absent).shuffled(), ratePerSecond: 8_000)
            try await eventually("some chunks are done") { try await cluster.job(id).done_chunks >= 8 }
            try await freeze(sleeper, during: id, beside: other, on: cluster)
            let finished: JobAnswer
            do {
                finished = try await eventually(within: .seconds(120), "the other has finished the job") {
                    let job = try await cluster.job(id, at: other)
                    return job.state == "finished" ? job : nil
                }
            } catch {
                try sleeper.resume()
                throw error
            }
            #expect(finished.delivered == 200)
            #expect(finished.offline == 39_800)
            #expect(finished.failed == 0)

            try sleeper.resume()
            try await sleeper.waitUntilReady()
            try await never(for: .seconds(2), "a late receipt is counted") {
                let job = try await cluster.job(id, at: sleeper)
                return (job.delivered, job.offline, job.failed) != (200, 39_800, 0)
            }
            for device in devices { #expect(device.heard.messages == [id: 1], "\(device.client)") }
        }
    }

    /// Outside of a transaction: within one it would keep the file locked, and the other could only wait for it.
    private func freeze(
        _ sleeper: WindfireProcess, during id: String, beside other: WindfireProcess, on cluster: WindfireCluster
    ) async throws {
        while true {
            try sleeper.pause()
            let before = try await cluster.job(id, at: other).done_chunks
            do {
                return try await eventually(within: .seconds(8), "the other goes on") {
                    try await cluster.job(id, at: other).done_chunks > before
                }
            } catch is NotInTime {
                try sleeper.resume()
            }
        }
    }

    /// Neither push route can write to the file of jobs any more, in the middle of a job.
    @Test(.timeLimit(.minutes(4))) func aFullDiskStopsJobsAndNothingElse() async throws {
        try await onCluster { cluster in
            let online = (0..<200).map { "full-\($0)" }
            let devices = try await Swarm.connect(online, to: cluster)
            let absent = (0..<19_800).map { "full-away-\($0)" }
            let id = try await cluster.begin((online + absent).shuffled(), ratePerSecond: 4_000)
            try await eventually("some chunks are done") { try await cluster.job(id).done_chunks >= 3 }
            let halted = try await cluster.onFullDisk {
                try await expectRefusals(of: online + absent, on: cluster)
                // The job stands still and says no more than it knows; its numbers are read all the same.
                let halted = try await cluster.job(id)
                try await never(for: .seconds(2), "a chunk is done that cannot be recorded") {
                    try await cluster.job(id).done_chunks != halted.done_chunks
                }
                #expect(cluster.routes.allSatisfy { $0.isRunning })
                return halted
            }
            #expect(halted.state == "running")
            #expect(halted.delivered + halted.offline + halted.failed == halted.done_chunks * 1_000)

            let receipt = try await cluster.receipt(of: id)
            #expect(receipt.delivered == 200)
            #expect(receipt.offline == 19_800)
            #expect(receipt.failed == 0)
            try await eventually("everyone has heard it") { devices.allSatisfy { $0.heard.messages[id] != nil } }
            for device in devices { #expect(device.heard.messages[id] == 1, "\(device.client)") }
            // And the next large push is taken.
            #expect(try await cluster.push(online + absent).delivered == 200)
        }
    }

    /// Small pushes go on, and large ones are refused by name.
    private func expectRefusals(of clients: [String], on cluster: WindfireCluster) async throws {
        let small = try await cluster.push(Array(clients.prefix(100)))
        #expect(small.delivered == 100)
        for route in cluster.routes {
            let large = try await HTTPCall(
                "POST", url: "\(route.url)/v1/push", bearer: cluster.adminKey,
                json: JobBody(to: ["clients": clients], rate_per_s: 4_000), timeout: .seconds(60)
            ).answer().expect(503)
            #expect(try (large.decoded() as ProblemAnswer).code == "jobs_unavailable")
            try await eventually("\(route.name) says what it goes on without, and is ready all the same") {
                let answer = try await HTTPCall(url: route.url + "/readyz").answer()
                return answer.status == 200 && answer.text.contains(#""status":"degraded""#)
            }
        }
    }

    /// What a caller sees of a list that does not end well.
    @Test(.timeLimit(.minutes(2))) func aListThatGoesWrongLateIsAFailedJobAndNobodyIsServed() async throws {
        try await onCluster { cluster in
            let device = try await cluster.connect("wrong-late")
            var body = Data(#"{"data":1}"#.utf8 + [0x0A])
            for number in 0..<20_000 { body += Data("\"wrong-late\(number > 0 ? "-\(number)" : "")\"\n".utf8) }
            body += Data("{}\n".utf8)
            let refusal = try await HTTPCall(
                post: body, as: "application/x-ndjson", to: "\(cluster.routeURL)/v1/push", bearer: cluster.adminKey
            ).answer().expect(400)
            #expect(try (refusal.decoded() as ProblemAnswer).detail.hasPrefix("line 20002: "))
            let jobs: JobsAnswer = try await HTTPCall(
                url: "\(cluster.routeURL)/v1/jobs?limit=1", bearer: cluster.adminKey
            ).answer().expect(200).decoded()
            let job = try #require(jobs.jobs.first)
            #expect(job.state == "failed")
            #expect(job.reason?.hasPrefix("line 20002: ") == true)
            #expect(job.delivered + job.offline + job.failed == 0)
            let resend = try await HTTPCall(
                "POST", url: "\(cluster.routeURL)/v1/jobs/\(job.job)/resend", bearer: cluster.adminKey
            ).answer().expect(409)
            #expect(try (resend.decoded() as ProblemAnswer).code == "conflict")
            #expect(device.heard.messages.isEmpty)
        }
    }
}

private struct JobBody: Encodable {
    let to: [String: [String]]
    let data = 1
    let rate_per_s: Int
}

private struct JobsAnswer: Decodable {
    struct Row: Decodable {
        let job: String
        let state: String
        let reason: String?
        let delivered: Int
        let offline: Int
        let failed: Int
    }

    let jobs: [Row]
}

extension WindfireCluster {
    fileprivate func job(_ id: String, at route: WindfireProcess) async throws -> JobAnswer {
        try await HTTPCall(url: "\(route.url)/v1/jobs/\(id)", bearer: adminKey).answer().expect(200).decoded()
    }

    /// Runs the body while no push route can write to a file.
    fileprivate func onFullDisk<Value>(_ body: () async throws -> Value) async throws -> Value {
        let result: Result<Value, any Error>
        do {
            for route in routes { try await route.limitFiles(to: 4_096) }
            result = .success(try await body())
        } catch {
            result = .failure(error)
        }
        for route in routes { try await route.limitFiles(to: nil) }
        return try result.get()
    }

    /// Pushes to a long list through the first push route.
    /// - Returns: the job's id.
    func begin(_ clients: [String], ratePerSecond: Int) async throws -> String {
        struct Accepted: Decodable { let job: String, total: Int }
        let accepted: Accepted = try await HTTPCall(
            "POST", url: "\(routes[0].url)/v1/push", bearer: adminKey,
            json: JobBody(to: ["clients": clients], rate_per_s: ratePerSecond), timeout: .seconds(60)
        ).answer().expect(202).decoded()
        #expect(accepted.total == clients.count)
        return accepted.job
    }
}
