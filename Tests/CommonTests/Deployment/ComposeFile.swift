import Common
import Foundation
import TestKit
import Yams

/// What of docker-compose.yml the tests look at.
struct ComposeFile: Decodable {
    struct Service: Decodable {
        struct Health: Decodable {
            let test: [String]
        }

        struct Condition: Decodable {
            let condition: String
        }

        let image: String
        let build: String?
        let command: [String]?
        let environment: [String: String]?
        let ports: [String]?
        let volumes: [String]?
        let healthcheck: Health?
        let dependsOn: [String: Condition]?
        /// Started only when one of these is asked for.
        let profiles: [String]?

        enum CodingKeys: String, CodingKey {
            case image, build, command, environment, ports, volumes, healthcheck, profiles
            case dependsOn = "depends_on"
        }
    }

    let services: [String: Service]

    static func read() throws -> ComposeFile {
        try YAMLDecoder().decode(ComposeFile.self, from: Repository.text("docker-compose.yml"))
    }

    /// Our own services, sorted by name.
    var roles: [ComposeRole] {
        services.sorted { $0.key < $1.key }.compactMap { ComposeRole(name: $0.key, service: $0.value) }
    }
}

/// One of our containers, as the binary in it would see its start.
struct ComposeRole: CustomStringConvertible {
    let name: String
    let role: ConfigurationRole
    let flags: [String]
    /// As the file writes it, with `${…}`.
    let environment: [String: String]
    /// Host port to container port.
    let ports: [(host: Int, container: Int)]
    let service: ComposeFile.Service

    /// Nil for the engines, which are images of others.
    init?(name: String, service: ComposeFile.Service) {
        guard service.build != nil, let command = service.command, let first = command.first,
            let role = ConfigurationRole(rawValue: first)
        else { return nil }
        self.name = name
        self.role = role
        self.service = service
        flags = Array(command.dropFirst())
        environment = service.environment ?? [:]
        ports = (service.ports ?? []).compactMap { mapping in
            let numbers = mapping.split(separator: ":").compactMap { Int($0) }
            return numbers.count == 2 ? (numbers[0], numbers[1]) : nil
        }
    }

    var description: String { name }

    /// What the role would start with, every `${NAME:?…}` being set to a good secret, and every `${NAME:-…}` to
    /// nothing.
    func configuration() throws(WindfireError) -> Configuration {
        let filled = environment.mapValues { value in
            guard value.hasPrefix("${") else { return value }
            if let mark = value.firstRange(of: ":-") { return String(value[mark.upperBound...].dropLast()) }
            return "0123456789abcdef0123456789abcdef"
        }
        return try Configuration.resolve(flags: flags, environment: filled, role: role)
    }
}
