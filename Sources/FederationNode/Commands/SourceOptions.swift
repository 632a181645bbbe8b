import ArgumentParser
import ConfigurationFiles

/// How a file is written, where it does not tell itself.
struct SourceOptions: ParsableArguments {
    @Option(
        help:
            "Encoding of a text file, in place of what is found out: UTF-8, GB18030, UTF-16LE, UTF-16BE, Big5, Windows-1252."
    )
    var encoding: TextEncoding?

    @Option(help: "The line, of a sheet the row, with the names of the columns; found out unless it is given.")
    var headerRow: Int?

    @Option(help: "The sheet of a workbook; the first that is not hidden unless it is given.")
    var sheet: String?

    func validate() throws {
        if let headerRow, headerRow < 1 { throw ValidationError("--header-row must be positive") }
    }

    var format: SourceFormat {
        var format = SourceFormat()
        (format.encoding, format.headerRow, format.sheet) = (encoding, headerRow, sheet)
        return format
    }
}

extension TextEncoding: ExpressibleByArgument {
    public init?(argument: String) { self.init(name: argument) }
}
