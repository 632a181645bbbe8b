import FederationModel

/// Reads the YAML file in which a node says how its catalog differs from the built-in one; `catalog/README.md` documents
/// the format.
package enum CatalogFile {
    /// Longest file in bytes; a thousand entries with their items take a tenth of it.
    package static let bytesMax = 4_000_000

    /// The file that `init` makes: it changes nothing.
    package static let empty = """
        # 热线数据资源目录: how this node's catalog differs from the built-in one, in which every resource is shared without
        # condition and brought up to date in real time. Check it with `federation-node catalog validate FILE`, publish it
        # with `federation-node catalog publish`. The keys are in catalog/README.md.
        entries: []

        """

    private static let kind = FileKind(name: "CATALOG", examples: "catalog", bytesMax: bytesMax)

    /// Reads and checks the file at `path`. Problems name the file as `path` does.
    ///
    /// - Parameter base: the catalog that the file changes.
    /// - Throws: all problems of the file at once.
    package static func read(path: String, base: Catalog) throws(FileProblems) -> Catalog {
        try read(text: try kind.text(path: path), file: path, base: base)
    }

    /// Checks a file that is in memory already; `file` is what the problems call it.
    ///
    /// - Throws: all problems of the text at once.
    package static func read(text: String, file: String, base: Catalog) throws(FileProblems) -> Catalog {
        let root = try kind.yaml(text, file: file)
        var reader = CatalogReader(kind: kind, file: file)
        let catalog = reader.catalog(from: root, base: base)
        guard reader.problems.isEmpty, let catalog else { throw FileProblems(problems: reader.problemsByLine) }
        return catalog
    }
}
