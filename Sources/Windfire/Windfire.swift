import ArgumentParser

/// The one executable: a subcommand per role, `dev` for all of them in one process, and tools.
@main
struct Windfire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "windfire",
        abstract: "Distributed push: tell these users, wherever they are connected.",
        discussion: """
            The tools find the services by WINDFIRE_ROUTE_URL, WINDFIRE_AUTH_URL and WINDFIRE_KEY, and without them by \
            the addresses and the key of `windfire dev`.
            """,
        groupedSubcommands: [
            CommandGroup(
                name: "Roles",
                subcommands: [DevCommand.self, AuthCommand.self, PushServerCommand.self, PushRouteCommand.self]),
            CommandGroup(
                name: "Tools",
                subcommands: [
                    PushCommand.self, SubscribeCommand.self, NodesCommand.self, OnlineCommand.self,
                    ClientCommand.self, JobsCommand.self, JobCommand.self, BenchCommand.self,
                ]),
            CommandGroup(name: "Configuration", subcommands: [ConfigCommand.self, KeyCommand.self]),
        ])
}
