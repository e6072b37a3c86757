import Testing

@testable import Common

/// One name per key in all sources; flags before environment before file before defaults.
@Suite struct ConfigurationLoadTests {
    @Test func `without any source the defaults are in force`() throws {
        let configuration = try Configuration.resolve()
        #expect(configuration.registry == "memory:")
        #expect(configuration.push.listen == HostPort(host: "0.0.0.0", port: 8300))
        #expect(configuration.auth.tokenTTL == .seconds(3600))
        #expect(configuration.auth.assignment == .consistentHash)
        #expect(configuration.node.id == nil)
        #expect(configuration.api.keys == [])
        #expect(configuration.log.level == .info)
        #expect(configuration.limits == .default)
        #expect(configuration.settings["push.listen"]?.source == .default)
    }

    @Test func `a flag beats the environment, which beats the file, which beats the default`() throws {
        let file = Configuration.File(path: "w.yaml", text: "push:\n  listen: 0.0.0.0:3\n")
        let environment = ["WINDFIRE_PUSH_LISTEN": "0.0.0.0:2"]
        let flags = ["--push-listen", "0.0.0.0:1"]

        var configuration = try Configuration.resolve(flags: flags, environment: environment, file: file)
        #expect(configuration.push.listen.port == 1)
        #expect(configuration.settings["push.listen"]?.source == .flag)

        configuration = try Configuration.resolve(environment: environment, file: file)
        #expect(configuration.push.listen.port == 2)
        #expect(configuration.settings["push.listen"]?.source == .environment)

        configuration = try Configuration.resolve(file: file)
        #expect(configuration.push.listen.port == 3)
        #expect(configuration.settings["push.listen"]?.source == .file(path: "w.yaml", line: 2))
    }

    @Test func `a flag takes its value after a space or an equals sign`() throws {
        let configuration = try Configuration.resolve(flags: ["--node-id=n1", "--node-weight", "7"])
        #expect(try configuration.node.id == NodeID("n1"))
        #expect(configuration.node.weight == 7)
    }

    @Test func `nested maps and dotted names in the file mean the same`() throws {
        let nested = try Configuration.resolve(
            file: .init(path: "f", text: "limits:\n  heartbeat: 30s\n  payload-bytes-max: 64KiB\n"))
        let dotted = try Configuration.resolve(
            file: .init(path: "f", text: "limits.heartbeat: 30s\nlimits.payload-bytes-max: 64KiB\n"))
        #expect(nested.limits.heartbeat == .seconds(30))
        #expect(nested.limits.payloadBytesMax == 65_536)
        #expect(dotted.limits == nested.limits)
    }

    @Test func `a list is a list in the file, text with commas elsewhere, and a repeated flag`() throws {
        let expected = ["https://a.example", "https://b.example"]
        let file = Configuration.File(
            path: "f", text: "push:\n  origins:\n    - https://a.example\n    - https://b.example\n")
        #expect(try Configuration.resolve(file: file).push.origins == expected)
        let environment = ["WINDFIRE_PUSH_ORIGINS": "https://a.example, https://b.example"]
        #expect(try Configuration.resolve(environment: environment).push.origins == expected)
        let flags = ["--push-origins", "https://a.example", "--push-origins", "https://b.example"]
        #expect(try Configuration.resolve(flags: flags).push.origins == expected)
    }

    @Test func `an empty file and an empty variable say nothing`() throws {
        let configuration = try Configuration.resolve(
            environment: ["WINDFIRE_NODE_ID": "", "WINDFIRE_ROUTES": ""],
            file: .init(path: "f", text: "# nothing yet\n"))
        #expect(configuration.node.id == nil)
        #expect(configuration.routes == "memory:")
    }

    @Test func `variables of others, of the tools, and Kubernetes service links are let be`() throws {
        _ = try Configuration.resolve(environment: [
            "PATH": "/bin", "WINDFIRE_KEY": "x", "WINDFIRE_ROUTE_URL": "http://r", "WINDFIRE_AUTH_URL": "http://a",
            "WINDFIRE_AUTH_SERVICE_HOST": "10.0.0.1", "WINDFIRE_AUTH_SERVICE_PORT_HTTP": "8100",
            "WINDFIRE_AUTH_PORT": "tcp://10.0.0.1:8100", "WINDFIRE_AUTH_PORT_8100_TCP_ADDR": "10.0.0.1",
        ])
    }

    @Test func `the file is found through the flag or the variable`() throws {
        let missing = "/nonexistent/windfire.yaml"
        let expected = WindfireError(.configurationInvalid, "--config (\(missing)): cannot be read")
        #expect(throws: expected) { try Configuration.load(flags: ["--config", missing]) }
        #expect(throws: expected) { try Configuration.load(environment: ["WINDFIRE_CONFIG": missing]) }
        #expect(throws: expected) { try Configuration.load(file: missing) }
    }

    @Test func `API keys are read as the key command prints them`() throws {
        let hash = String(repeating: "ab", count: 32)
        let configuration = try Configuration.resolve(flags: [
            "--api-keys", "shop:push:\(hash):500/s,ann:admin:\(hash)",
        ])
        #expect(
            configuration.api.keys == [
                ConfiguredAPIKey(name: "shop", role: .push, sha256Hex: hash, ratePerSecond: 500),
                ConfiguredAPIKey(name: "ann", role: .admin, sha256Hex: hash),
            ])
        #expect(configuration.api.keys.map(\.description) == ["shop:push:\(hash):500/s", "ann:admin:\(hash)"])
    }
}
