import Testing

@testable import Common

/// What is wrong is named with key, place, what is allowed, and what was probably meant; all of it at once.
@Suite struct ConfigurationProblemTests {
    private func message(
        flags: [String] = [], environment: [String: String] = [:], file: String? = nil, role: ConfigurationRole? = nil
    ) -> String {
        do {
            _ = try Configuration.resolve(
                flags: flags, environment: environment, file: file.map { .init(path: "w.yaml", text: $0) }, role: role)
            return "(no error)"
        } catch {
            #expect(error.code == .configurationInvalid)
            return error.message
        }
    }

    @Test func `an unknown name is answered with the nearest known one, as the source writes it`() {
        #expect(
            message(flags: ["--push-lisen", "1"])
                == "--push-lisen (flag): is not a key; did you mean `--push-listen`?")
        #expect(
            message(environment: ["WINDFIRE_REDIS_TIMOUT": "1s"])
                == "WINDFIRE_REDIS_TIMOUT (environment): is not a key; did you mean `WINDFIRE_REDIS_TIMEOUT`?")
        #expect(
            message(file: "node:\n  idd: n1\n") == "node.idd (w.yaml:2): is not a key; did you mean `node.id`?")
        #expect(message(file: "zebra: 1\n") == "zebra (w.yaml:1): is not a key")
    }

    @Test func `a bad value is answered with what is allowed`() {
        #expect(
            message(flags: ["--push-overflow", "explode"])
                == "--push-overflow (flag): `explode` is not allowed; must be `drop-oldest` or `collapse` or `disconnect`"
        )
        #expect(
            message(file: "push:\n  threads: many\n")
                == "push.threads (w.yaml:2): `many` is not allowed; must be a whole number from 0 to 256")
        #expect(
            message(environment: ["WINDFIRE_AUTH_LISTEN": "8100"])
                == "WINDFIRE_AUTH_LISTEN (environment): `8100` is not allowed; must be `host:port` or `[IPv6]:port`, "
                + "port 0 to 65535")
    }

    @Test func `all problems of all sources are told at once`() {
        let text = message(
            flags: ["--node-weight", "-5", "--nope"], environment: ["WINDFIRE_NOPE": "1"],
            file: "log:\n  level: loud\n  format: json\nroutes: ftp://x\n")
        #expect(text.hasPrefix("5 problems:\n"))
        for name in ["--node-weight", "--nope", "WINDFIRE_NOPE", "log.level", "routes"] {
            #expect(text.contains("\n  \(name) ("), "\(name) is missing in: \(text)")
        }
    }

    @Test func `a value is checked also where a stronger source hides it`() {
        #expect(
            message(flags: ["--log-level", "debug"], file: "log:\n  level: loud\n").hasPrefix("log.level (w.yaml:2): "))
    }

    @Test func `secrets and passwords are not repeated`() {
        let shortHash = message(flags: ["--api-keys", "shop:push:hunter2"])
        #expect(shortHash.contains("secret, not shown"))
        #expect(!shortHash.contains("hunter2"))
        let url = message(flags: ["--routes", "rediss+ring://u:hunter2@h:1"])
        #expect(url.contains("rediss+ring://u:********@h:1"))
        #expect(!url.contains("hunter2"))
    }

    @Test func `flags without a value, stray words and repeats are refused`() {
        #expect(message(flags: ["--node-id"]) == "--node-id (flag): needs a value; must be 1 to 64 of `[A-Za-z0-9._-]`")
        #expect(message(flags: ["--config"]) == "--config (flag): needs a value")
        #expect(
            message(flags: ["stray"]) == "stray (flag): is not a flag; flags are written `--push-listen 0.0.0.0:8300`")
        #expect(message(flags: ["--node-id", "a", "--node-id", "b"]) == "--node-id (flag): stands twice")
    }

    @Test func `a flag of another role is refused, a file may serve several roles`() {
        #expect(
            message(flags: ["--push-listen", ":1"], role: .auth)
                == "--push-listen (flag): is not used by `windfire auth`")
        #expect(message(file: "push.listen: :1\n", role: .auth) == "(no error)")
        #expect(message(flags: ["--push-listen", ":1"], role: .dev) == "(no error)")
    }

    @Test func `a file that is no map, not YAML, or misuses a key is refused with its line`() {
        #expect(message(file: "- a\n- b\n") == "w.yaml (file): is not a map of keys to values")
        #expect(message(file: "push:\n  listen: [\n").contains("w.yaml:"))
        #expect(message(file: "push:\n  listen: [a, b]\n") == "push.listen (w.yaml:2): takes one value, not a list")
        #expect(message(file: "node:\n  id:\n") == "node.id (w.yaml:2): has no value")
        #expect(message(file: "node:\n  id:\n    x: 1\n") == "node.id (w.yaml:3): is a key, not a group of keys")
        #expect(message(file: "node: n1\n") == "node (w.yaml:1): is a group of keys, such as `node.id`")
        #expect(message(file: "node.id: a\nnode.id: b\n").contains("node.id"))
    }
}
