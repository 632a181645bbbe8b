import ArgumentParser
import ConfigurationFiles
import FederationModel
import NodeDesk
import RecordIntake

struct ImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Import records from CSV, JSON, .xlsx, .xls and tables of web pages, plain, gzip or zstd.",
        discussion: """
            EXAMPLE
              federation-node import suggest boston.csv.gz --out boston.yaml
              federation-node import --resource service_request --mapping boston.yaml boston.csv.gz --dry-run
              federation-node import --resource service_request --mapping boston.yaml boston.csv.gz

            `federation-node import file --help` tells the options of an import.
            """,
        subcommands: [
            ImportFileCommand.self, ImportSuggestCommand.self, ImportListCommand.self, ImportShowCommand.self,
            ImportUndoCommand.self,
        ], defaultSubcommand: ImportFileCommand.self)
}

struct ImportFileCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "file",
        abstract: "Import a file by a mapping; the word `file` may be left out.",
        discussion: """
            A bad row never stops an import: it goes to the rejects file with its number, field and reason. Importing the \
            same file twice changes nothing.

            EXAMPLE
              federation-node import --resource service_request --mapping mappings/us311-boston.yaml boston.csv.gz
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "The resource that a row of the file is, above all; the mapping may make others of it too.")
    var resource: String

    @Option(
        help:
            "The mapping file (docs/importing.md); not for a data set whose file has the headings of its registration.",
        completion: .file())
    var mapping: String?

    @Option(
        help:
            "Where rejected rows go, in place of those of the import before; else FILE.rejects.csv beside the database.",
        completion: .file())
    var rejects: String?

    @OptionGroup var source: SourceOptions

    @Option(help: "Exit 1 when more than so many percent of the rows are refused.")
    var maxRejects = 50

    @Flag(help: "Read and check against what the node holds, store nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "The file; `-` for standard input.", completion: .file())
    var file: String

    func run() async throws {
        var progress = ProgressBar("import")
        let (report, failure) = try await node.desk().importFile(
            ImportRequest(
                path: file, mappingPath: mapping, resource: ResourceName(resource), rejectsPath: rejects,
                isDryRun: dryRun, format: source.format)
        ) { fraction, rows in progress.show(fraction, "\(rows) rows") }
        progress.finish()
        // What was done stands, and is told, also when the rest could not be done.
        let document = ImportDocument(report)
        if json { try Output.json(document) } else { try Output.line(document.text) }
        if let failure { throw failure }
        if report.counts.rejected * 100 > maxRejects * report.counts.read {
            throw FederationError(
                "E_IMPORT_REJECTS",
                "\(report.counts.rejected) of \(report.counts.read) rows were refused, more than \(maxRejects) %",
                hint: "see \(report.rejectsFile ?? "the report") for the causes; "
                    + (dryRun ? "nothing is stored" : "what was taken is stored"))
        }
    }

    func validate() throws {
        guard (0...100).contains(maxRejects) else { throw ValidationError("--max-rejects is 0 to 100 percent") }
    }
}

private struct ImportDocument: Encodable {
    let intake: Int64?
    let resource: String
    let form: String
    let read: Int
    let accepted: Int
    let new: Int
    let changed: Int
    let reopened: Int
    let withdrawn: Int
    let unchanged: Int
    let collapsed: Int
    let repeatedRows: [Int]
    let absent: Int?
    let unwrapped: Int
    let rejected: Int
    let rejectsFile: String?
    let rejectedByCode: [String: Int]
    let totalLines: Int
    let seconds: Double

    init(_ report: ImportReport) {
        resource = report.resource.text
        form = report.form.text
        totalLines = report.totalLines
        intake = report.intake
        let counts = report.counts
        (read, accepted, unchanged, rejected) = (counts.read, counts.accepted, counts.unchanged, counts.rejected)
        func count(_ change: IntakeChange) -> Int { counts.changes[change] ?? 0 }
        (new, changed, reopened, withdrawn) = (count(.new), count(.changed), count(.reopened), count(.withdrawn))
        (collapsed, absent) = (counts.collapsed, report.absent)
        (repeatedRows, unwrapped) = (report.repeatedRows, report.unwrapped)
        rejectsFile = report.rejectsFile
        rejectedByCode = report.rejectedByCode
        seconds = Double(report.milliseconds) / 1_000
    }

    var text: String {
        var text = "\(resource): read \(read), accepted \(accepted), unchanged \(unchanged), rejected \(rejected)"
        text +=
            "\n  new \(new), changed \(changed), reopened \(reopened), withdrawn \(withdrawn), collapsed \(collapsed)"
        if !repeatedRows.isEmpty {
            let rows = repeatedRows.map(String.init).joined(separator: ", ")
            text += "\n  rows that share a key with an earlier row of the file: \(rows), …"
        }
        if let absent, absent > 0 {
            text += "\n  tickets of the import before that are not in the file: \(absent); they stay as they are"
        }
        if unwrapped > 0 {
            text += "\n  values written as =\"…\" or behind an apostrophe, taken without that: \(unwrapped)"
        }
        for (code, count) in rejectedByCode.sorted(by: { $0.key < $1.key }) {
            text += "\n  \(code)  \(count)"
            if let fault = SourceFault(rawValue: code) { text += "  \(fault.reason)" }
        }
        text += "\n  read as \(form)"
        if totalLines > 0 { text += "\n  \(totalLines) lines of totals under the table were left out" }
        if let rejectsFile { text += "\n  see \(rejectsFile)" }
        if let intake { text += "\n  undo with: federation-node import undo \(intake)" }
        return text
    }
}

extension Double {
    func rounded(toPlaces places: Int) -> Double {
        let factor = (0..<places).reduce(1.0) { factor, _ in factor * 10 }
        return (self * factor).rounded() / factor
    }
}
