import FederationModel

/// Reads the YAML file that describes a federation; `topology/README.md` documents the format.
package enum TopologyFile {
    /// Longest file in bytes. 10,000 nodes with endpoints and peers need about 1 MB.
    package static let bytesMax = 1_000_000
    /// The country has about 3,200 provinces, cities and counties; towns of one province fit as well.
    package static let nodesMax = 10_000
    /// Country, province, city, county, town and village are six; paths are walked at every hop, so they stay short.
    package static let depthMax = 16

    private static let kind = FileKind(name: "TOPOLOGY", examples: "topology/examples", bytesMax: bytesMax)

    /// Reads and checks the file at `path`. Problems name the file as `path` does.
    ///
    /// - Throws: all problems of the file at once.
    package static func read(path: String) throws(FileProblems) -> Topology {
        try read(text: try kind.text(path: path), file: path)
    }

    /// Checks a topology that is in memory already; `file` is what the problems call it.
    ///
    /// - Throws: all problems of the text at once.
    package static func read(text: String, file: String) throws(FileProblems) -> Topology {
        let root = try kind.yaml(text, file: file)
        var reader = TopologyReader(
            kind: kind, file: file, repeatedKeyCodes: ["parent": "TWO_PARENTS"])
        let draft = reader.draft(from: root)
        guard let topology = reader.checked(draft) else { throw FileProblems(problems: reader.problemsByLine) }
        return topology
    }
}
