import Common
import TestKit
import Testing

/// No container engine is needed to know that docker-compose.yml would start: its commands, environment and ports are
/// given to the code that reads them.
struct ComposeTests {
    let compose: ComposeFile
    var roles: [ComposeRole] { compose.roles }

    init() throws { compose = try ComposeFile.read() }

    @Test func theTopologyIsTheDocumentedOne() {
        #expect(
            compose.services.keys.sorted() == [
                "auth-1", "auth-2", "mariadb", "push-route", "push-server-1", "push-server-2", "redis", "signing-key",
                "zookeeper",
            ])
        #expect(roles.map(\.role) == [.auth, .auth, .pushRoute, .pushServer, .pushServer])
    }

    @Test func everyRoleAcceptsItsCommandAndEnvironment() throws {
        for role in roles {
            let configuration = try role.configuration()
            #expect(configuration.problems(for: role.role) == [], "\(role)")
        }
    }

    @Test func everyRoleReachesTheEnginesByTheirServiceNames() throws {
        for role in roles {
            let configuration = try role.configuration()
            #expect(configuration.registry == "zk://zookeeper:2181/windfire", "\(role)")
            #expect(configuration.routes == "redis://redis:6379", "\(role)")
            #expect(role.service.dependsOn?["zookeeper"]?.condition == "service_healthy", "\(role)")
            #expect(role.service.dependsOn?["redis"]?.condition == "service_healthy", "\(role)")
        }
    }

    @Test func allAuthServersSignWithTheSameKeys() throws {
        let auths = roles.filter { $0.role == .auth }
        for auth in auths {
            let folder = try #require(try auth.configuration().auth.keys, "\(auth)")
            #expect(auth.service.volumes == ["auth-keys:\(folder)"], "\(auth)")
            #expect(auth.service.dependsOn?["signing-key"]?.condition == "service_completed_successfully", "\(auth)")
            #expect(compose.services["signing-key"]?.volumes == auth.service.volumes)
        }
    }

    @Test func jobsOutliveTheContainerAndMariaDBIsOnlyThereOnRequest() throws {
        let route = try #require(roles.first { $0.role == .pushRoute })
        let volume = try #require(route.service.volumes?.first)
        let folder = try #require(volume.split(separator: ":").last)
        guard case .sqlite(let path) = try route.configuration().route.jobs else {
            Issue.record("jobs are in a file unless asked otherwise")
            return
        }
        #expect(path.hasPrefix("\(folder)/"))
        // A named volume has the owner of the folder it covers.
        #expect(try Repository.text("Dockerfile").contains(" \(folder)\n"))

        let mariaDB = try #require(compose.services["mariadb"])
        #expect(mariaDB.profiles == ["mariadb"])
        #expect(mariaDB.healthcheck != nil)
        // What the file's first comment says to set.
        let name = try #require(mariaDB.environment?["MARIADB_DATABASE"])
        let user = try #require(mariaDB.environment?["MARIADB_USER"])
        #expect(
            try Repository.text("docker-compose.yml").contains(
                "WINDFIRE_ROUTE_JOBS=mysql://\(user):$WINDFIRE_MARIADB_PASSWORD@mariadb:3306/\(name)\n"))
    }

    @Test func secretsHaveNoDefault() {
        for role in roles {
            for (variable, value) in role.environment {
                guard ConfigurationTable.definitions.contains(where: { $0.variable == variable && $0.isSecret }) else {
                    continue
                }
                #expect(value.hasPrefix("${\(variable):?") && value.hasSuffix("}"), "\(role): \(variable)")
            }
            #expect(role.environment["WINDFIRE_CLUSTER_SECRET"] != nil, "\(role)")
        }
    }

    @Test func aPublishedPortIsTheOneTheRoleListensOn() throws {
        for role in roles {
            let configuration = try role.configuration()
            let listens =
                switch role.role {
                case .auth: configuration.auth.listen
                case .pushRoute: configuration.route.listen
                case .pushServer, .dev: configuration.push.listen
                }
            #expect(role.ports.map(\.container) == [listens.port], "\(role)")
        }
        let hosts = roles.flatMap { $0.ports.map(\.host) }
        #expect(Set(hosts).count == hosts.count, "each role has a port of the host to itself")
        // The ports of the manual lead to the first of each role.
        #expect(Set(hosts).isSuperset(of: [8100, 8200, 8300]))
    }

    @Test func theHealthCheckAsksWhereTheRoleAnswers() throws {
        for role in roles {
            let configuration = try role.configuration()
            let health =
                switch role.role {
                case .auth: configuration.auth.listen
                case .pushRoute: configuration.route.listen
                case .pushServer, .dev: configuration.push.metricsListen
                }
            #expect(role.service.healthcheck?.test.last == "http://127.0.0.1:\(health.port)/readyz", "\(role)")
        }
        #expect(compose.services["redis"]?.healthcheck != nil)
        #expect(compose.services["zookeeper"]?.healthcheck != nil)
    }

    @Test func aPushServerIsAdvertisedWhereItIsReached() throws {
        let servers = roles.filter { $0.role == .pushServer }
        for server in servers {
            let configuration = try server.configuration()
            let port = configuration.push.listen.port
            // Inside, the listener; outside, the published port: the node reaches itself by the same URL as a device.
            #expect(server.ports.map(\.host) == [port], "\(server)")
            #expect(configuration.push.advertiseWS == "ws://localhost:\(port)/v1/connect", "\(server)")
            #expect(
                configuration.push.advertiseGRPC?.description
                    == "\(server.name):\(configuration.push.grpcListen.port)", "\(server)")
        }
        let ids = try servers.map { try $0.configuration().node.id }
        #expect(Set(ids).count == servers.count)
    }

    @Test func theImageHasWhatTheComposeFileAsksFor() throws {
        let dockerfile = try Repository.text("Dockerfile")
        let lines = dockerfile.split(separator: "\n")
        // The documented default ports of every role.
        let defaults = Configuration.defaults
        let ports = [
            defaults.auth.listen, defaults.route.listen, defaults.route.grpcListen, defaults.push.listen,
            defaults.push.grpcListen, defaults.push.metricsListen,
        ].map { String($0.port) }
        #expect(lines.contains("EXPOSE \(ports.joined(separator: " "))"))
        #expect(lines.contains("USER windfire"))
        #expect(lines.contains { $0.hasPrefix("HEALTHCHECK ") })
        #expect(lines.contains(#"ENTRYPOINT ["windfire"]"#))
        // Health checks call curl, the libraries are those the drivers link.
        for package in ["curl", "libhiredis0.14", "libmariadb3", "libzookeeper-mt2", "openssl"] {
            #expect(dockerfile.contains(" \(package) "), "\(package)")
        }
    }
}
