import ArgumentParser

/// How a question over the merged view is put, and how its answer is printed.
struct AnswerOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv
    }

    @Flag(help: "Print the rows that there are, also when a node is missing.")
    var bestEffort = false

    @Flag(help: "Take a copy for an answer that is older than its update cycle allows.")
    var allowStale = false

    @Option(help: "How long the answer may take, in milliseconds.")
    var deadline = 10_000

    @Option(help: "table, json or csv.")
    var format: Format?

    @Flag(
        help:
            "With --format csv: texts as they are, also those that a spreadsheet takes for formulas (= + - @); else these get an apostrophe in front."
    )
    var raw = false

    @Flag(help: "The same as --format json.")
    var json = false

    var output: Format { json ? .json : format ?? .table }
}
