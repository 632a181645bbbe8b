import ArgumentParser
import FederationModel
import Foundation
import NodeDesk
import NodeFiles
import Reporting

/// In which form a report is printed, and where.
struct ReportOutput: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case md, html, csv, json, pdf
    }

    @Option(help: "md, html, csv, json or pdf (which needs WeasyPrint and --out).")
    var format: Format?

    @Option(help: "The file to write; else the report goes to stdout.")
    var out: String?

    @OptionGroup var replacing: ReplaceOptions

    @Flag(help: "With --format csv: texts that a spreadsheet would run as formulas get an apostrophe in front.")
    var spreadsheetSafe = false

    @Flag(help: "The same as --format json.")
    var json = false

    func validate() throws {
        if format == .pdf, out == nil { throw ValidationError("--format pdf needs --out FILE") }
    }

    /// - Throws: `E_REPORT_TEMPLATE`, `E_REPORT_PDF`, and what writing throws.
    func print(_ report: ArchivedReport, _ desk: NodeDesk) throws {
        let templates = try desk.reportTemplates()
        let text =
            switch json ? .json : format ?? .md {
            case .md: templates.markdown(report)
            case .html: templates.html(report)
            case .csv: templates.csv(report, isSafe: spreadsheetSafe)
            case .json: try Output.document(ReportJSON(report)) + "\n"
            case .pdf: templates.html(report)
            }
        guard let out else { return try Output.text(text) }
        guard format == .pdf, !json else {
            return try OutputFile.write(text, to: out, existing: replacing.existing, mode: .ownerOnly)
        }
        try OutputFile.write(try WeasyPrint.pdf(of: text), to: out, existing: replacing.existing, mode: .ownerOnly)
    }
}

/// A revision of a report for programs.
struct ReportJSON: Encodable {
    let number: String
    let revision: Int
    let madeAt: String
    let document: ReportDocument
    let changes: [ReportChange]

    init(_ report: ArchivedReport) {
        number = report.document.number
        revision = report.revision
        madeAt = ShanghaiTime.rfc3339(report.madeAt)
        document = report.document
        changes = report.changes
    }
}

/// Debian's WeasyPrint, which makes pages of HTML. It reads and writes pipes: nothing of a report is left in a folder of others.
private enum WeasyPrint {
    /// - Throws: `E_REPORT_PDF` when it is not installed or fails.
    static func pdf(of html: String) throws -> [UInt8] {
        let path = (ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin").split(separator: ":")
            .map { "\($0)/weasyprint" }.first(where: FileManager.default.isExecutableFile)
        guard let path else {
            throw FederationError(
                "E_REPORT_PDF", "WeasyPrint is not installed, which makes PDF of the report",
                hint: "`apt-get install weasyprint`, or take `--format html` and print it")
        }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = ["--quiet", "-", "-"]
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        try process.run()
        // It reads everything before it writes.
        try input.fileHandleForWriting.write(contentsOf: Data(html.utf8))
        try input.fileHandleForWriting.close()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, bytes.starts(with: Array("%PDF".utf8)) else {
            throw FederationError(
                "E_REPORT_PDF", "WeasyPrint has failed with status \(process.terminationStatus)",
                hint: "its message is above; `--format html` makes what it was given")
        }
        return Array(bytes)
    }
}
