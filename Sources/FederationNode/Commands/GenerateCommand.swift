import ArgumentParser
import FederationModel
import Foundation
import NodeDesk
import NodeFiles
import TicketGeneration

extension TicketMix: ExpressibleByArgument {
    package init?(argument: String) { self.init(rawValue: argument.uppercased()) }
}

extension GeneratedFile.Format: ExpressibleByArgument {}

struct GenerateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate", abstract: "Invent believable tickets with their threads and store them on this node.",
        discussion: """
            The same seed makes the same tickets, so a second run changes nothing. With --out they are written to a file in \
            place of the store. With --live they come one by one, as long as the command runs, their stages following in \
            accelerated time.

            EXAMPLE
              federation-node generate --tickets 1200 --from 2025-07-01 --days 92 --config /srv/370100/node.yaml
              federation-node generate --tickets 500000 --dirt 0.05 --calls --out tickets.jsonl --format jsonl
              federation-node generate --live --rate 2 --for 60
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

    @Option(help: "What people bring: A (questions first) or B (many complaints).")
    var mix = TicketMix.a

    @Option(help: "Share of tickets with a fault or of a rare kind, 0 to 1.")
    var dirt = 0.0

    @Flag(help: "Let the first ticket go through all eight stages.")
    var showcase = false

    @Flag(help: "Call records and recordings of telephone callers too.")
    var calls = false

    @Flag(help: "Only the tickets themselves, without their threads.")
    var requestsOnly = false

    @Option(
        help: "Plant so many events for each of eight rules (surges, groups, repeats, …) behind the first ten weeks.")
    var plant = 0

    @Option(
        help: "With --plant: write what was planted to this file, for `rule backtest --planted`.", completion: .file())
    var planted: String?

    @Option(help: "Write to this file in place of the store.", completion: .file())
    var out: String?

    @OptionGroup var replacing: ReplaceOptions

    @Option(help: "With --out: csv (a ticket a row, no calls) or jsonl (a record a line).")
    var format = GeneratedFile.Format.csv

    @Flag(help: "Tickets as they come in, until SIGINT or SIGTERM.")
    var live = false

    @Option(help: "With --live: tickets a second, on average.")
    var rate = 1.0

    @Option(help: "With --live: how much faster than in reality a ticket is handled.")
    var speed = 3_600.0

    @Option(name: .customLong("for"), help: "With --live: end after so many seconds.")
    var seconds: Double?

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard tickets >= 0, days >= 1 else { throw ValidationError("--tickets and --days must not be negative") }
        guard (0...1).contains(dirt) else { throw ValidationError("--dirt is a share, 0 to 1") }
        guard (0.001...10_000).contains(rate) else { throw ValidationError("--rate must be 0.001 to 10000") }
        guard (1...100_000).contains(speed) else { throw ValidationError("--speed must be 1 to 100000") }
        guard (0...10_000).contains(plant) else { throw ValidationError("--plant must be 0 to 10000") }
        guard planted == nil || plant > 0 else { throw ValidationError("--planted goes with --plant") }
        guard plant == 0 || !live else { throw ValidationError("--plant goes without --live") }
        guard seconds ?? 1 > 0 else { throw ValidationError("--for must be above 0") }
        guard !live || out == nil && !showcase && !requestsOnly else {
            throw ValidationError("--live goes without --out, --showcase and --requests-only")
        }
        guard out == nil || format == .jsonl || !calls else {
            throw ValidationError("a row of CSV is a ticket; take --format jsonl for calls")
        }
    }

    /// Tickets in one durable transaction, or in one write to a file.
    private static let batchTickets = 5_000

    func run() async throws {
        guard let first = ShanghaiTime.parse(from) else { throw ValidationError("--from \(from) is not a date") }
        let desk = try node.desk()
        let place = desk.topology.node(desk.id)
        let partners = desk.topology.neighbours(of: desk.id).compactMap { desk.topology.node($0) }
        let recipe = TicketRecipe(
            seed: seed, origin: desk.id, region: place?.region ?? desk.id.code, mix: mix, includesCalls: calls,
            dirtRate: dirt, partners: partners.map { TicketRecipe.Partner(node: $0.id, name: $0.name) },
            calendar: desk.reference.calendar, sharesMatters: plant == 0)
        let report: GenerateReport
        if live {
            report = try await LiveGeneration(
                desk: desk, ticketsPerSecond: rate, speed: speed, seconds: seconds
            ).run(recipe)
        } else {
            let generator = TicketGenerator(recipe, from: first, days: days, tickets: tickets, showcase: showcase)
            let firstDay = ShanghaiTime.dayNumber(first)
            let events = PlantedEvents(
                recipe, days: firstDay..<firstDay + Int64(days), perRule: plant, beside: tickets
            ).events()
            report = try await generate(generator, and: events, recipe: recipe, at: desk)
            if let planted { try write(events, to: planted) }
        }
        if json {
            try Output.json(report)
        } else {
            try Output.line(report.text)
        }
    }

    private func generate(
        _ generator: TicketGenerator, and events: [PlantedEvent], recipe: TicketRecipe, at desk: NodeDesk
    ) async throws -> GenerateReport {
        var report = GenerateReport()
        var progress = ProgressBar("generate")
        var sink: any TicketSink =
            if let out { try FileSink(out, replacing.existing, format: format) } else { StoreSink(desk: desk) }
        for thread in generator {
            if showcase, report.tickets == 0 { report.showcase = thread.first?.key }
            if let fault = recipe.dirt(ofTicket: report.tickets) { report.dirt[fault.rawValue, default: 0] += 1 }
            let records = requestsOnly ? Array(thread.prefix(1)) : thread
            report.tickets += 1
            report.records += records.count
            sink.take(records)
            guard report.tickets % Self.batchTickets == 0 else { continue }
            try await sink.flush()
            progress.show(Double(report.tickets) / Double(max(1, tickets)), "\(report.tickets) tickets")
        }
        for event in events {
            report.planted[event.rule, default: 0] += 1
            report.tickets += event.tickets.count
            report.records += event.tickets.count
            for ticket in event.tickets { sink.take([ticket]) }
        }
        try await sink.flush()
        try sink.finish()
        progress.finish()
        report.changed = sink.changed
        return report
    }
}

extension GenerateCommand {
    private func write(_ events: [PlantedEvent], to path: String) throws {
        let documents = events.map { event in
            PlantedDocument(
                rule: event.rule, region: event.region, category: event.category,
                from: ShanghaiTime.rfc3339(event.time.lowerBound), to: ShanghaiTime.rfc3339(event.time.upperBound),
                tickets: event.tickets.map(\.key))
        }
        try OutputFile.write("\(Output.document(documents))\n", to: path, existing: replacing.existing)
    }
}

/// An event in the file of what was planted; `rule backtest --planted` reads it.
struct PlantedDocument: Codable {
    let rule: String
    let region: String
    let category: String
    let from: String
    let to: String
    let tickets: [String]
}

struct GenerateReport: Encodable {
    var tickets = 0
    var records = 0
    /// Records that the store did not have before; 0 for a file.
    var changed = 0
    /// Tickets by their fault.
    var dirt: [String: Int] = [:]
    /// Planted events by the rule that should find them.
    var planted: [String: Int] = [:]
    /// The global id of the ticket that went through all stages.
    var showcase: String?

    var text: String {
        var text = "\(tickets) tickets, \(records) records, \(changed) changed"
        if !dirt.isEmpty { text += ", \(dirt.values.reduce(0, +)) tickets with a fault" }
        if !planted.isEmpty { text += ", \(planted.values.reduce(0, +)) events planted" }
        return showcase.map { "\(text), showcase \($0)" } ?? text
    }
}

/// Where generated tickets go.
private protocol TicketSink {
    /// Records that are new so far.
    var changed: Int { get }
    mutating func take(_ records: [IntakeRecord])
    mutating func flush() async throws
    /// Called once, after the last flush.
    func finish() throws
}

extension TicketSink {
    func finish() throws {}
}

private struct StoreSink: TicketSink {
    let desk: NodeDesk
    var changed = 0
    private var batch: [IntakeRecord] = []

    init(desk: NodeDesk) { self.desk = desk }

    mutating func take(_ records: [IntakeRecord]) { batch += records }

    mutating func flush() async throws {
        guard !batch.isEmpty else { return }
        changed += try await desk.store(invented: batch)
        batch = []
    }
}

private struct FileSink: TicketSink {
    let changed = 0
    private let file: OutputFile
    private let text: GeneratedFile
    private var bytes: [UInt8]

    init(_ path: String, _ existing: OutputFile.Existing, format: GeneratedFile.Format) throws {
        file = try OutputFile(path, existing: existing)
        text = GeneratedFile(format)
        bytes = text.header
    }

    mutating func take(_ records: [IntakeRecord]) { text.append(records, to: &bytes) }

    mutating func flush() async throws {
        try file.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    func finish() throws { try file.commit() }
}
