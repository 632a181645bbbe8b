import ConfigurationFiles
import FederationModel
import Foundation
import TestSupport
import Testing

@Suite struct `A hostile topology file` {
    @Test(arguments: [
        "", " ", "\n", "#", "~", "\"", "{", "[", "- ", "? ", ": ", "&a", "*a", "!!map", "%YAML 9.9\n---", "---\n---\n",
        "\u{0}", "\t", "\u{FEFF}", "a: b: c", "a: 1\n---\nb: 2", "nodes: \"\\ud800\"", "<<: x",
        "? [a]\n: b\n? [a]\n: c",
        String(repeating: "[", count: 100_000), String(repeating: "{a: ", count: 100_000),
        String(repeating: "- ", count: 100_000), String(repeating: "? ", count: 5_000),
        String(repeating: "a: 1\n", count: 10_000), "nodes: " + String(repeating: "x", count: 900_000),
        "version: 99999999999999999999999\nname: x\nnodes: []",
    ])
    func `is refused without a crash`(text: String) {
        #expect(!problems(of: text).isEmpty)
    }

    @Test func `can't blow up by aliases`() {
        var bomb = "version: 1\nname: &a0 [x, x]\nnodes:\n"
        for level in 1...40 { bomb += "  - &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        let found = problems(of: bomb + "? *a40\n: 1\n")
        #expect(found.map(\.code) == ["E_TOPOLOGY_ALIAS"])
        #expect(found.map(\.line) == [4])
    }

    @Test func `may have ampersands and stars in its names`() {
        #expect(problems(of: yaml("  - { code: \"370000\", name: 研发&测试 * 山东 }\n")).isEmpty)
        #expect(problems(of: yaml("  - { code: \"370000\", name: R&D }\n")).isEmpty)
    }

    @Test func `is limited in bytes`() {
        let text = yaml("  - { code: \"370000\", name: 山东省 }\n")
        func padded(to count: Int) -> String { text + String(repeating: "#", count: count - text.utf8.count) }
        #expect(problems(of: padded(to: TopologyFile.bytesMax)).isEmpty)
        #expect(problems(of: padded(to: TopologyFile.bytesMax + 1)).map(\.code) == ["E_TOPOLOGY_TOO_LARGE"])
    }

    @Test func `is limited in nodes`() {
        func federation(of count: Int, root: Int = 370_000) -> String {
            let children = (1..<count).map { "- {code: \(370_000_000_000 + $0), name: x, parent: 370000}\n" }
            return yaml("- {code: \(root), name: x}\n" + children.joined())
        }
        #expect(problems(of: federation(of: TopologyFile.nodesMax)).isEmpty)
        // A wrong digit at the root is told once for every child, and in a moment.
        #expect(problems(of: federation(of: TopologyFile.nodesMax, root: 370_001)).count == TopologyFile.nodesMax - 1)
        #expect(
            problems(of: federation(of: TopologyFile.nodesMax + 1)).map(\.code) == ["E_TOPOLOGY_TOO_MANY_NODES"])
    }

    @Test func `that is no file or no text is refused`() throws {
        let folder = try TemporaryFolder("topology")
        let file = folder.url.appending(path: "x.yaml")
        func code(_ path: String) -> String? {
            do {
                _ = try TopologyFile.read(path: path)
                return nil
            } catch {
                return error.problems.first?.code
            }
        }
        #expect(code(file.path) == "E_TOPOLOGY_UNREADABLE")
        #expect(code(folder.url.path) == "E_TOPOLOGY_UNREADABLE")
        try Data([0xC9, 0xBD, 0xB6, 0xAB]).write(to: file)
        #expect(code(file.path) == "E_TOPOLOGY_NOT_UTF8")
        try Data(repeating: 0x23, count: TopologyFile.bytesMax + 1).write(to: file)
        #expect(code(file.path) == "E_TOPOLOGY_TOO_LARGE")
    }

    /// Bytes and lines of the examples are changed, removed, doubled and moved at random. Whatever comes out is read or
    /// refused, and what is read can be drawn.
    @Test func `made from the examples at random is read or refused`() throws {
        var random = SplitMix64(seed: 20_250_930)
        let examples = try Examples.valid.map { try Array(String(contentsOfFile: $0, encoding: .utf8).utf8) }
        let inserts = [
            "\"", "'", "[", "]", "{", "}", ":", "-", "&a", "*a", "#", "\n", " ", "\t", "|", "?", "!", "0", "\u{E000}",
        ]
        var accepted = 0
        for _ in 0..<4_000 {
            guard var bytes = examples.randomElement(using: &random) else { break }
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(contentsOf: (inserts.randomElement(using: &random) ?? "").utf8, at: place)
                case 3: bytes.removeSubrange(place..<min(bytes.count, place + 30))
                default:
                    var lines = bytes.split(separator: 0x0A)
                    let line = lines[Int.random(in: lines.indices, using: &random)]
                    lines.insert(line, at: Int.random(in: lines.indices, using: &random))
                    bytes = Array(lines.joined(separator: [0x0A]))
                }
            }
            do {
                let topology = try TopologyFile.read(text: String(decoding: bytes, as: UTF8.self), file: "x.yaml")
                #expect(TopologyTree.text(topology).split(separator: "\n").count == topology.nodes.count + 1)
                accepted += 1
            } catch {
                #expect(!error.problems.isEmpty)
                #expect(error.problems.map(\.line) == error.problems.map(\.line).sorted())
            }
        }
        // Both happen often, so neither half of the test is idle.
        #expect((200...3_800).contains(accepted))
    }
}
