import ArgumentParser
import Common
import Foundation

extension ConfigurationFlags {
    /// Flags, environment, file and defaults. Ends the command with the list of problems when there are any.
    func load(role: ConfigurationRole? = nil) throws -> Configuration {
        do throws(WindfireError) {
            return try Configuration.load(
                flags: flags, environment: ProcessInfo.processInfo.environment, role: role)
        } catch {
            throw CommandFailure(error)
        }
    }

    /// Also holds the values against one another, and refuses the development secrets outside `dev`.
    func loadChecked(for role: ConfigurationRole) throws -> Configuration {
        let configuration = try load(role: role)
        do throws(WindfireError) { try configuration.check(for: role) } catch { throw CommandFailure(error) }
        return configuration
    }

    /// What `--help` of a role says about its keys; for `discussion`.
    static func manual(of role: ConfigurationRole) -> String {
        """
        Each key is a flag, an environment variable, and a name in the file given by --config; flags go before \
        variables, variables before the file.

        \(ConfigurationTable.manual(of: ConfigurationTable.definitions(usedBy: role)))
        """
    }
}
