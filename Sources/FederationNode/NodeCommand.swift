import ArgumentParser
import FederationModel
import Foundation
import NodeFiles

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
            InboxCommand.self, AlertCommand.self, RuleCommand.self,
            SituationCommand.self,
            LinkCommand.self, SyncCommand.self, QueryCommand.self, IndicatorCommand.self, DatasetCommand.self,
            RollupCommand.self, WarehouseCommand.self, ReportCommand.self, EvaluationCommand.self, FindingCommand.self,
            TopicCommand.self,
            UnitCommand.self, KnowledgeCommand.self,
            StatusCommand.self,
            QuarantineCommand.self,
            BackupCommand.self, NodeMaintenanceCommand.self,
        ])

    /// Whatever fails, stderr begins with a code; only the words on wrong usage are ArgumentParser's.
    static func main() async {
        StandardStreams.prepareProcess()
        do {
            var command = try parseAsRoot()
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Foundation.exit(end(with: error))
        }
    }

    /// Says what there is to say, and on which stream.
    ///
    /// - Returns: the exit code.
    private static func end(with error: any Error) -> Int32 {
        switch exitCode(for: error) {
        case .success:
            // `--help`, `--version` and the scripts of completion.
            do {
                try Output.line(fullMessage(for: error))
                return 0
            } catch {
                return end(with: error)
            }
        case .failure where !(error is ExitCode):
            Output.note("\(FederationError(unexpected: error))")
            return 1
        case let code:
            let message = fullMessage(for: error)
            if !message.isEmpty { Output.note(message) }
            return code.rawValue
        }
    }
}

extension FederationError {
    /// An error that no part of the program has put into words of its own. Of its text only what names a file is told:
    /// anything else could hold a field's value.
    fileprivate init(unexpected error: any Error) {
        if let error = error as? FederationError {
            self = error
        } else if let error = error as? CocoaError {
            let code = (256..<512).contains(error.code.rawValue) ? "E_FILE_READ" : "E_FILE_WRITE"
            self.init(code, "\(error.filePath ?? "a file") can't be used: \(error.localizedDescription)")
        } else {
            self.init(
                "E_INTERNAL", "the program has met an error that it has no words for: \(type(of: error))",
                hint: "run the same command again; if it stays, report it with the version (`--version`)")
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
