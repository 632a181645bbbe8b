import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime
import RecordIntake

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Invent believable tickets with their threads and store them on this node.",
        discussion: """
            The same seed makes the same tickets, so a second run changes nothing.

            EXAMPLE
              federation-node generate --tickets 1200 --from 2025-07-01 --days 92 --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "How many tickets.")
    var tickets = 1_000

    @Option(help: "First day.")
    var from = "2025-07-01"

    @Option(help: "Length of the period in days.")
    var days = 92

    @Option(help: "Seed; another one makes other tickets.")
    var seed: UInt64 = 12_345

    @Flag(help: "Let the first ticket go through all eight stages.")
    var showcase = false

    @Flag(help: "Call records and recordings of telephone callers too.")
    var calls = false

    @Flag(help: "Only the tickets themselves, without their threads.")
    var requestsOnly = false

    @Flag(help: "Print JSON.")
    var json = false

    /// Tickets in one durable transaction.
    private static let batchTickets = 5_000

    func run() async throws {
        guard let first = ShanghaiTime.parse(from) else { throw ValidationError("--from \(from) is not a date") }
        guard tickets >= 0, days >= 1 else { throw ValidationError("--tickets and --days must not be negative") }
        let local = try node.open()
        let region = local.topology.node(local.id)?.region ?? local.id.code
        let generator = TicketGenerator(
            seed: seed, origin: local.id, region: region, from: first, days: days, tickets: tickets,
            includesCalls: calls, showcase: showcase)
        var progress = ProgressBar("generate")
        var report = Report()
        var batch: [IntakeRecord] = []
        func store() async throws {
            guard !batch.isEmpty else { return }
            let result = try await local.store.intake(batch, now: wallClock())
            report.records += batch.count
            report.changed += result.outcomes.count { $0 == .accepted }
            batch = []
            Doorbell.ring(databasePath: local.settings.databasePath)
            progress.show(Double(report.tickets) / Double(max(1, tickets)), "\(report.tickets) tickets")
        }
        for thread in generator {
            if showcase, report.tickets == 0 { report.showcase = thread.first?.key }
            batch += requestsOnly ? thread.prefix(1) : thread[...]
            report.tickets += 1
            if report.tickets % Self.batchTickets == 0 { try await store() }
        }
        try await store()
        progress.finish()
        if json {
            try Output.json(report)
        } else {
            print(report.text)
        }
    }

    private struct Report: Encodable {
        var tickets = 0
        var records = 0
        var changed = 0
        /// The global id of the ticket that went through all stages.
        var showcase: String?

        var text: String {
            let text = "\(tickets) tickets, \(records) records, \(changed) changed"
            return showcase.map { "\(text), showcase \($0)" } ?? text
        }
    }
}
