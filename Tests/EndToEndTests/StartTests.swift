import TestKit
import Testing

/// What happens when the surroundings are not as they should be at the start.
@Suite(.serialized) struct StartTests {
    @Test(
        .timeLimit(.minutes(2)),
        arguments: [
            ("auth", ["registry"]), ("push-server", ["registry", "start"]), ("push-route", ["registry", "routes"]),
        ])
    func aRoleWaitsForItsEnginesAndSaysSo(_ role: String, _ missing: [String]) async throws {
        let (zookeeper, redis) = (try await ZooKeeperServer.start(), try await RedisServer())
        await zookeeper.kill()
        await redis.kill()
        let folder = try TemporaryFolder("start")
        let start = try await RoleStart(role, zookeeper: zookeeper.address, redis: redis.url, in: folder)
        let process = try start.process()

        try await eventually(within: .seconds(30), "it answers, and is not ready") {
            let answer = try await HTTPCall(url: start.readyURL, timeout: .seconds(5)).answer()
            return try answer.status == 503 && answer.decoded(ProblemAnswer.self).code == "not_ready"
        }
        let problem: ProblemAnswer = try await HTTPCall(url: start.readyURL).answer().decoded()
        for part in missing { #expect(problem.detail.contains(part), "\(problem.detail)") }
        try await never(for: .seconds(2), "it gives up") { !process.isRunning }

        try await zookeeper.restart()
        try await redis.restart()
        if role == "push-server" {
            // It also needs the public keys of the tokens, which an auth server has.
            try await start.withAuthServer { try await start.becomesReady() }
        } else {
            try await start.becomesReady()
        }
        #expect(await process.end(grace: .seconds(20)) == .code(0))
    }

    @Test(.timeLimit(.minutes(1))) func aPortInUseIsNamed() async throws {
        let redis = try await RedisServer()
        let folder = try TemporaryFolder("port")
        let start = try await RoleStart(
            "auth", zookeeper: "127.0.0.1:1", redis: redis.url, in: folder, port: redis.port)
        let process = try start.process()
        #expect(await process.waitForExit() == .code(1))
        #expect(process.output.contains("address_in_use"))
        #expect(process.output.contains(String(redis.port)))
    }

    @Test(.timeLimit(.minutes(1))) func aFileOfJobsThatCannotBeUsedIsNamed() async throws {
        let folder = try TemporaryFolder("jobs")
        try folder.write(String(repeating: "no database\n", count: 100), to: "jobs.sqlite")
        for (data, reason) in [
            (folder.path("."), "is not a database, or is damaged"),
            (folder.path("jobs.sqlite/under"), "the folder cannot be made"),
        ] {
            let (exit, output) = try await WindfireBinary.run(["dev", "--data-dir", data])
            #expect(exit == .code(1))
            #expect(output.contains("jobs_unavailable: "))
            #expect(output.contains("jobs.sqlite"))
            #expect(output.contains(reason), "\(output)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func anUnknownKeyIsNamedWithTheOneThatWasMeant() async throws {
        let (exit, output) = try await WindfireBinary.run(["push-server", "--push-lisen", "127.0.0.1:0"])
        #expect(exit == .code(1))
        #expect(output.contains("--push-lisen"))
        #expect(output.contains("did you mean `--push-listen`"))
    }

    @Test(.timeLimit(.minutes(1))) func anUnknownVariableIsNamed() async throws {
        let (exit, output) = try await WindfireBinary.run(
            ["auth"], environment: ["WINDFIRE_AUTH_LISTNE": "127.0.0.1:0"])
        #expect(exit == .code(1))
        #expect(output.contains("WINDFIRE_AUTH_LISTNE"))
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["auth", "push-route"])
    func theKeyOfDevelopmentIsRefused(_ role: String) async throws {
        let (exit, output) = try await WindfireBinary.run(
            [role], environment: ["WINDFIRE_ADMIN_KEY": "dev", "WINDFIRE_CLUSTER_SECRET": "0123456789abcdef"])
        #expect(exit == .code(1))
        #expect(output.contains("admin.key"))
    }

    @Test(
        .timeLimit(.minutes(1)),
        arguments: [
            ("push-route", "offline", "http://169.254.169.254/x"), ("push-server", "presence", "http://[::1]:9/"),
            ("push-route", "offline", "http://2130706433/"), ("push-server", "presence", "http://127.1:80/"),
        ])
    func aWebhookAtAPrivateAddressIsRefused(_ role: String, _ name: String, _ url: String) async throws {
        let secret = "0123456789abcdef"
        let (exit, output) = try await WindfireBinary.run(
            [role, "--webhooks-\(name)-url", url],
            environment: [
                "WINDFIRE_CLUSTER_SECRET": secret, "WINDFIRE_ADMIN_KEY": secret, "WINDFIRE_WEBHOOKS_SECRET": secret,
            ])
        #expect(exit == .code(1))
        #expect(output.contains("configuration_invalid"), "\(output)")
        #expect(output.contains("webhooks.\(name)-url"), "\(output)")
        #expect(!output.contains(secret))
    }

    @Test(.timeLimit(.minutes(1))) func theSecretOfDevelopmentIsRefused() async throws {
        let (exit, output) = try await WindfireBinary.run(
            ["push-server"], environment: ["WINDFIRE_CLUSTER_SECRET": "dev"])
        #expect(exit == .code(1))
        #expect(output.contains("cluster.secret"))
    }
}
