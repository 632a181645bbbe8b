import FederationModel

/// Reads the YAML file with reference data; `reference/README.md` documents the format.
package enum ReferenceFile {
    /// Longest file in bytes. The 3,000 counties of the country with a code list of 2,000 entries take 400 kB.
    package static let bytesMax = 4_000_000

    /// The file that `init` copies: the national calendar, default time limits, the regions of Shandong.
    package static var shipped: String { String(decoding: PackageResources.shandong_yaml, as: UTF8.self) }

    private static let kind = FileKind(name: "REFERENCE", examples: "reference", bytesMax: bytesMax)

    /// Reads and checks the file at `path`. Problems name the file as `path` does.
    ///
    /// - Throws: all problems of the file at once.
    package static func read(path: String) throws(FileProblems) -> ReferenceData {
        try read(text: try kind.text(path: path), file: path)
    }

    /// Checks reference data that are in memory already; `file` is what the problems call it.
    ///
    /// - Throws: all problems of the text at once.
    package static func read(text: String, file: String) throws(FileProblems) -> ReferenceData {
        let root = try kind.yaml(text, file: file)
        var reader = ReferenceReader(kind: kind, file: file)
        let data = reader.data(from: root)
        guard reader.problems.isEmpty, let data else { throw FileProblems(problems: reader.problemsByLine) }
        return data
    }
}
