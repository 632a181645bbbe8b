import ArgumentParser
import FederationModel
import Foundation

/// The one executable of the project.
@main
struct NodeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "federation-node",
        abstract: "A node of a federation of government-service hotlines (GB/T 44192-2024).",
        discussion: """
            Every city, county and province runs this program. It keeps the records of its hotline, sends them up as the \
            topology says, and answers questions over everything that lies below it.

            EXAMPLE
              federation-node --help
              federation-node query --measure count --by origin --config /srv/370000/node.yaml
            """,
        version: "0.1.0",
        subcommands: [
            InitCommand.self, CertificateAuthorityCommand.self, CertificateCommand.self, ServeCommand.self,
            TopologyCommand.self, ReferenceCommand.self, ResourceCommand.self, CatalogCommand.self,
            ChangeSetCommand.self, ImportCommand.self, GenerateCommand.self, TokenCommand.self, TicketCommand.self,
            TransferCommand.self, RemovalCommand.self, AnnouncementCommand.self, ConflictCommand.self,
            QueryCommand.self, StatusCommand.self, QuarantineCommand.self, NodeMaintenanceCommand.self,
        ])

    /// Errors that a person must act on begin with their code on stderr; everything else is ArgumentParser's.
    static func main() async {
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch let error as FederationError {
            FileHandle.standardError.write(Data("\(error)\n".utf8))
            Foundation.exit(1)
        } catch {
            exit(withError: error)
        }
    }
}

/// Exit codes beside 0, 1 and 64 that scripts rely on.
enum ExitStatus {
    /// Answered, but not complete.
    static let incomplete = ExitCode(3)
    /// A check found a difference.
    static let different = ExitCode(4)
}
