import ArgumentParser
import FederationModel
import NodeDesk
import Verification

struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync", abstract: "What flows over the links with the neighbours.",
        discussion: """
            EXAMPLE
              federation-node sync verify --config /srv/370000/node.yaml
            """,
        subcommands: [Verify.self, SyncExportCommand.self, SyncImportCommand.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Prove that both ends of the links hold the same rows, and find those that differ.",
            discussion: """
                Both ends read all rows that the link's policy grants and compare what they come to; only where that differs they go down to \
                single rows. Rows that are on their way are no difference. With --repair the sender sends again what differs, and the \
                receiver lets go of what it is not granted and gives back what its sender has lost.

                Exits with 4 when rows differ, also when they were repaired, and with 3 when a link could not be compared.

                EXAMPLE
                  federation-node sync verify --peer 370100 --resource service_request --repair
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "A neighbour; all of them if it is left out.")
        var peer: String?

        @Option(help: "A resource; all of them if it is left out.")
        var resource: String?

        @Flag(help: "Bring both ends together where they differ.")
        var repair = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let reports = try await node.desk().verify(peer: peer, resource: resource, repairs: repair)
            let document = VerificationDocument(reports)
            if json {
                try Output.json(document)
            } else {
                try Output.line(reports.map { Self.text($0, isRepaired: repair) }.joined(separator: "\n"))
            }
            try document.exit()
        }

        private static func text(_ report: VerificationReport, isRepaired: Bool) -> String {
            let direction = report.direction == .sending ? "发送" : "接收"
            let link = "\(report.peer.name)(\(report.peer.id)) \(direction)"
            if let error = report.error { return "\(link)  未能核对  \(error.code): \(error.message)" }
            let rows = report.totals.reduce(0) { $0 + $1.fingerprint.rows }
            if report.isEqual { return "\(link)  一致  \(rows) 行  往来 \(report.bytes) 字节" }
            var lines = ["\(link)  不一致  往来 \(report.bytes) 字节"]
            for difference in VerificationDocument.differences(in: report) {
                lines.append(
                    "  \(difference.resource)  缺少 \(difference.missing)  多余 \(difference.extra)  不同 \(difference.different)"
                )
                lines += difference.keys.prefix(20).map { "    \($0.printable)" }
                if difference.keys.count > 20 { lines.append("    …") }
            }
            if report.isCut { lines.append("  还有更多，再次运行可继续") }
            if isRepaired {
                lines.append("  已修复 \(report.repaired) 行\(report.isRepairDone ? "，再次核对一致" : "，尚未一致")")
            }
            return lines.joined(separator: "\n")
        }
    }
}

/// The records of one node and one day, held against those of its supplier.
struct ReconcileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Hold one day's records of a node against those of its supplier, and fetch what is missing.",
        discussion: """
            The day is that in Shanghai of the time that a record tells of. Resources without such a time are left to `sync verify`. Exits \
            with 4 when records differed.

            EXAMPLE
              federation-node node reconcile 370100 2025-09-30 --config /srv/370000/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "Whose records: a node's code or the beginning of its name.")
    var origin: String

    @Argument(help: "The day, YYYY-MM-DD.")
    var day: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard let number = CivilDate.dayNumber(day) else { throw ValidationError("\(day) is no day, YYYY-MM-DD") }
        let report = try await node.desk().reconcile(origin: origin, day: number)
        let document = VerificationDocument([report])
        if json {
            try Output.json(document)
        } else {
            if let error = report.error { throw error }
            var lines = report.totals.map {
                "\($0.range.resource)=\($0.fingerprint.rows) \($0.fingerprint.digest.text)"
            }
            let missing = report.differences.flatMap(\.rows).filter { $0.difference == .missing }.map(\.key.printable)
            let others = report.differences.flatMap(\.rows).count - missing.count
            lines.append(
                missing.isEmpty ? "missing 0" : "missing \(missing.count): \(missing.joined(separator: ", "))")
            if others > 0 { lines[lines.count - 1] += ", different \(others)" }
            if report.isEqual { lines[lines.count - 1] += ", digest equal" }
            if report.repaired > 0 {
                lines.append("已补齐 \(report.repaired) 行\(report.isRepairDone ? "，再次核对一致" : "，尚未一致")")
            }
            try Output.line(lines.joined(separator: "\n"))
        }
        try document.exit()
    }
}

/// What comparisons found, as JSON.
struct VerificationDocument: Encodable {
    struct Difference: Encodable {
        let peer: String
        let direction: String
        let resource: String
        var missing = 0
        var extra = 0
        var different = 0
        /// The first of them.
        var keys: [String] = []
    }

    struct Total: Encodable {
        let origin: String
        let resource: String
        let rows: Int
        let digest: String
    }

    struct Link: Encodable {
        let peer: String
        let direction: String
        let equal: Bool
        let error: Problem?
        let totals: [Total]
    }

    let equal: Bool
    let differences: [Difference]
    let bytesExchanged: Int
    let repaired: Int
    let links: [Link]

    private static let keysMax = 1_000

    init(_ reports: [VerificationReport]) {
        equal = reports.allSatisfy(\.isEqual)
        differences = reports.flatMap(Self.differences)
        bytesExchanged = reports.reduce(0) { $0 + $1.bytes }
        repaired = reports.reduce(0) { $0 + $1.repaired }
        links = reports.map { report in
            Link(
                peer: report.peer.id.code, direction: report.direction.rawValue, equal: report.isEqual,
                error: report.error.map(Problem.init),
                totals: report.totals.map {
                    Total(
                        origin: $0.range.origin.code, resource: $0.range.resource.text, rows: $0.fingerprint.rows,
                        digest: $0.fingerprint.digest.text)
                })
        }
    }

    /// One for each resource.
    static func differences(in report: VerificationReport) -> [Difference] {
        Dictionary(grouping: report.differences, by: \.resource).sorted { $0.key < $1.key }.map { resource, parts in
            var difference = Difference(
                peer: report.peer.id.code, direction: report.direction.rawValue, resource: resource.text)
            for row in parts.flatMap(\.rows) {
                switch row.difference {
                case .missing: difference.missing += 1
                case .extra: difference.extra += 1
                case .different: difference.different += 1
                }
                if difference.keys.count < keysMax { difference.keys.append(row.key) }
            }
            return difference
        }
    }

    /// - Throws: the exit code of what was found, unless it is 0.
    func exit() throws {
        if !differences.isEmpty { throw ExitStatus.different }
        if !equal { throw ExitStatus.incomplete }
    }
}
