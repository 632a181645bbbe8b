import ConfigurationFiles
import FederationModel
import Foundation
import TestSupport
import Testing

/// The files of `topology/examples`, which are both documentation and test data.
enum Examples {
    static let folder = repositoryRoot.appending(path: "topology/examples")

    static let valid = files(in: folder)
    static let invalid = files(in: folder.appending(path: "invalid"))

    static func topology(_ name: String) throws -> Topology {
        try TopologyFile.read(path: folder.appending(path: name).path)
    }

    private static func files(in folder: URL) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.filter { $0.hasSuffix(".yaml") }.sorted().map { folder.appending(path: $0).path }
    }
}

/// What is wrong with `text`; empty when nothing is.
func problems(of text: String) -> [FileProblem] {
    do {
        _ = try TopologyFile.read(text: text, file: "x.yaml")
        return []
    } catch {
        return error.problems
    }
}

/// A topology of the nodes that `nodes` lists in YAML.
func yaml(_ nodes: String) -> String { "version: 1\nname: 演示\nnodes:\n" + nodes }
