import FederationModel
import Foundation
import Yams

/// Reads the YAML file that describes a federation; `topology/README.md` documents the format.
package enum TopologyFile {
    /// Longest file in bytes. 10,000 nodes with endpoints and peers need about 1 MB.
    package static let bytesMax = 1_000_000
    /// The country has about 3,200 provinces, cities and counties; towns of one province fit as well.
    package static let nodesMax = 10_000
    /// Country, province, city, county, town and village are six; paths are walked at every hop, so they stay short.
    package static let depthMax = 16

    /// Reads and checks the file at `path`. Problems name the file as `path` does.
    ///
    /// - Throws: all problems of the file at once.
    package static func read(path: String) throws(TopologyProblems) -> Topology {
        try read(bytes: try bytes(path: path), file: path)
    }

    /// Checks a topology that is in memory already; `file` is what the problems call it.
    ///
    /// - Throws: all problems of the text at once.
    package static func read(text: String, file: String) throws(TopologyProblems) -> Topology {
        guard text.utf8.count <= bytesMax else { throw tooLarge(file) }
        let root: Node
        do {
            root = try YAMLText(text: text, file: file).compose()
        } catch {
            throw TopologyProblems(problems: [error])
        }
        var reader = TopologyReader(file: file)
        let draft = reader.draft(from: root)
        guard let topology = reader.checked(draft) else {
            throw TopologyProblems(problems: reader.problemsByLine)
        }
        return topology
    }

    private static func read(bytes: Data, file: String) throws(TopologyProblems) -> Topology {
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw problem(
                "E_TOPOLOGY_NOT_UTF8", file, "the file is not UTF-8 text", "save it with the encoding UTF-8")
        }
        return try read(text: text, file: file)
    }

    private static func bytes(path: String) throws(TopologyProblems) -> Data {
        let bytes: Data
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            bytes = try handle.read(upToCount: bytesMax + 1) ?? Data()
        } catch {
            throw problem(
                "E_TOPOLOGY_UNREADABLE", path, "the file can't be read", "check that it exists and may be read")
        }
        guard bytes.count <= bytesMax else { throw tooLarge(path) }
        return bytes
    }

    private static func tooLarge(_ file: String) -> TopologyProblems {
        problem(
            "E_TOPOLOGY_TOO_LARGE", file, "the file is larger than \(bytesMax) bytes",
            "check that it is the topology file; a federation of \(nodesMax) nodes fits")
    }

    private static func problem(_ code: String, _ file: String, _ message: String, _ hint: String) -> TopologyProblems {
        TopologyProblems(problems: [.init(code: code, file: file, line: 1, message: message, hint: hint)])
    }
}
