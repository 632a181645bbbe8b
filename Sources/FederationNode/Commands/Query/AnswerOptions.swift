import ArgumentParser
import NodeFiles

/// How a question over the merged view is put, and how its answer is printed.
struct AnswerOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv, xlsx
    }

    @Flag(help: "Print the rows that there are, also when a node is missing.")
    var bestEffort = false

    @Flag(
        help: """
            Take a copy for an answer that is older than its update cycle allows, and show what a child that does not answer said \
            before to the same question, with its age.
            """)
    var allowStale = false

    @Option(help: "How long the answer may take, in milliseconds.")
    var deadline = 10_000

    @Option(help: "table, json, csv or xlsx.")
    var format: Format?

    @Option(
        help: "The language of headings, words and remarks: zh, or en where there is English. JSON is the same in both."
    )
    var lang = Language.zh

    @Option(help: "With --format xlsx: the file to write.")
    var out: String?

    @OptionGroup var replacing: ReplaceOptions

    @Flag(
        help: """
            With --format csv: texts that a spreadsheet would run as formulas (公式: they begin with = + - @) get an apostrophe in \
            front.
            """)
    var spreadsheetSafe = false

    @Flag(help: "The same as --format json.")
    var json = false

    func validate() throws {
        if (output == .xlsx) != (out != nil) {
            throw ValidationError("--format xlsx and --out FILE belong together")
        }
    }

    /// - Throws: as `Workbook.write`.
    func write(_ sheets: [Workbook.Sheet]) throws {
        guard let out else { return }
        try Workbook(sheets: sheets).write(to: out, existing: replacing.existing)
    }

    var output: Format { json ? .json : format ?? .table }
}
