import Testing

@testable import Common

/// The table is the manual: complete, without contradictions, and the same as `Limits`.
@Suite struct ConfigurationTableTests {
    @Test func `names, flags and variables are unique`() {
        let definitions = ConfigurationTable.definitions
        #expect(Set(definitions.map(\.name)).count == definitions.count)
        #expect(Set(definitions.map(\.flag)).count == definitions.count)
        #expect(Set(definitions.map(\.variable)).count == definitions.count)
    }

    @Test func `one name per key in all three spellings`() throws {
        let key = try #require(ConfigurationTable.byName["push.tls-certificate"])
        #expect(key.flag == "--push-tls-certificate")
        #expect(key.variable == "WINDFIRE_PUSH_TLS_CERTIFICATE")
    }

    @Test func `no key's variable is mistaken for a Kubernetes service link or a tool's`() {
        for key in ConfigurationTable.definitions {
            #expect(!EnvironmentSource.isServiceLink(key.variable), "\(key.name)")
            #expect(!EnvironmentSource.otherVariables.contains(key.variable), "\(key.name)")
        }
    }

    @Test func `each key is used by some role and says what it is for`() {
        for key in ConfigurationTable.definitions {
            #expect(!key.roles.isEmpty, "\(key.name)")
            #expect(key.doc.hasSuffix("."), "\(key.name)")
        }
    }

    @Test func `every default is accepted by its own key`() {
        for key in ConfigurationTable.definitions {
            if let text = key.defaultText { #expect(key.accepts(text), "\(key.name): \(text)") }
        }
    }

    @Test func `every field of Limits has its key, under its own name`() {
        let fields = Mirror(reflecting: Limits.default).children.compactMap(\.label)
        let kebab = fields.map { field in
            field.reduce(into: "limits.") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
        }
        #expect(LimitKey.all.map(\.definition.name).sorted() == kebab.sorted())
    }

    /// Sets every limit to a value other than its default, through its key, and looks whether that field changed.
    @Test func `every limit's key sets that field and no other`() throws {
        for key in LimitKey.all {
            let text = try #require(
                ["1", "2KiB", "3s", "0.5"].first { key.definition.accepts($0) && $0 != key.definition.defaultText })
            let changed = try Configuration.resolve(flags: [key.definition.flag, text]).limits
            let before = Mirror(reflecting: Limits.default).children
            let after = Mirror(reflecting: changed).children
            let differing = zip(before, after).filter { "\($0.value)" != "\($1.value)" }.compactMap(\.0.label)
            let kebab = differing.map { field in
                field.reduce(into: "limits.") { $0 += $1.isUppercase ? "-\($1.lowercased())" : String($1) }
            }
            #expect(kebab == [key.definition.name])
        }
    }

    @Test func `secrets are masked, and so are passwords in addresses`() throws {
        #expect(try #require(ConfigurationTable.byName["cluster.secret"]).shown("s") == "********")
        #expect(try #require(ConfigurationTable.byName["webhooks.secret"]).shown("s") == "********")
        let routes = try #require(ConfigurationTable.byName["routes"])
        #expect(routes.shown("redis://u:p@ss@h:1/0") == "redis://u:********@h:1/0")
        #expect(routes.shown("redis://h:1/0") == "redis://h:1/0")
        #expect(routes.shown("memory:") == "memory:")
    }

    @Test func `the manual has each key of a role with its three names and its default`() throws {
        let key = try #require(ConfigurationTable.byName["route.bury-after"])
        #expect(
            ConfigurationTable.manual(of: [key]) == """
                --route-bury-after <duration>
                    Grace before the routes of a node that left the registry are removed.
                    WINDFIRE_ROUTE_BURY_AFTER, file: route.bury-after
                    must be a duration such as `250ms`, `10s`, `5m` or `1h`, from 1s to 1h; default: 10s
                """)
        let names = ConfigurationTable.definitions(usedBy: .pushRoute).map(\.name)
        #expect(names.contains("route.listen"))
        #expect(!names.contains("push.listen"))
        #expect(ConfigurationTable.definitions(usedBy: .dev).count == ConfigurationTable.definitions.count)
    }
}
