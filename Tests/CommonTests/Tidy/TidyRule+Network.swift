// What tests and scripts may dial.

extension TidyRule {
    static let network: [TidyRule] = [noForeignAddress, noNameServer]

    /// Code that opens a connection, or has one opened.
    private static let dialling = [
        "connect(", "create_connection(", "/dev/tcp/", "curl ", "HTTPClientRequest(url:", "ClientBootstrap(",
    ]

    /// Any other address is another machine's, also those that no network should carry: what happens to the packet is
    /// up to the network.
    static let noForeignAddress = TidyRule(
        "tests and scripts dial this machine alone",
        remedy: "dial 127.0.0.x, or hand in where a call leads (AddressRoute)",
        example: "Tests/CommonTests/Example.swift", "        .connect(host: \"198.51.\(100).1\", port: 80)\n"
    ) { file in
        guard file.isIn("Tests") || file.isIn("scripts") else { return [] }
        let isRouted = file.lines.contains { $0.code.contains("AddressRoute") }
        let callsNames = file.lines.contains { $0.code.contains("RunningSender.running(") }
        return file.lines { code in
            let dials = dialling.contains(where: code.contains)
            // What a resolver of a test answers is dialled by the code under test.
            let answers = callsNames && !isRouted && code.contains("Answers([[")
            return (dials || answers) && code.hasForeignAddress
        }
    }

    /// A name that does not exist is asked for all the same.
    static let noNameServer = TidyRule(
        "tests ask no name server",
        remedy: "use a literal, or a label of 64 bytes for a name that cannot be looked up",
        example: "Tests/CommonTests/Example.swift", "    NameResolver.system.addresses(\"nowhere.invalid\")\n"
    ) { file in
        guard file.isIn("Tests"), file.isSwift else { return [] }
        return file.lines { code in
            code.contains(".system.addresses(\"") || code.contains("RunningRegistry([\"") && code.contains(".invalid")
        }
    }
}

extension String {
    /// Whether it names an IPv4 address outside of 127.0.0.0/8, 0.0.0.0 (all of this machine) aside.
    fileprivate var hasForeignAddress: Bool {
        guard contains(".") else { return false }
        return matches(of: /(?:\d{1,3}\.){3}\d{1,3}/).contains { match in
            !match.output.hasPrefix("127.") && match.output != "0.0.0.0"
        }
    }
}
