import ConfigurationFiles
import FederationModel

/// Files that administrators write; topologies and reference data travel between nodes too.
let fileTargets = [
    FuzzTarget("topology") { bytes in
        let topology = try TopologyFile.read(text: text(bytes), file: "x.yaml")
        let lines = TopologyTree.text(topology).split(separator: "\n")
        try promise(lines.count == topology.nodes.count + 1, "a tree of \(lines.count) lines")
        _ = topology.stamp
    },
    FuzzTarget("catalog") { bytes in
        _ = try CatalogFile.read(
            text: text(bytes), file: "x.yaml", base: Catalog.builtIn(of: Federation.topology.nodes[1]))
    },
    FuzzTarget("reference") { bytes in _ = try ReferenceFile.read(text: text(bytes), file: "x.yaml") },
    FuzzTarget("mapping") { bytes in
        do {
            _ = try Mapping.parse(text(bytes), path: "x.yaml")
        } catch let error as FederationError {
            // As with the other files: what an administrator wrote may be shown to him.
            try promise(isCode(error.code), "an error without a code: \(error)")
        }
    },
]

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
