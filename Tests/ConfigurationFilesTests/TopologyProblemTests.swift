import ConfigurationFiles
import FederationModel
import Foundation
import Testing

@Suite struct `A wrong topology file` {
    @Test(arguments: Examples.invalid)
    func `is refused with the code that it expects`(path: String) throws {
        let text = try String(contentsOfFile: path, encoding: .utf8)
        let expected = try #require(text.split(separator: "\n").first?.split(separator: " ").last)
        do {
            _ = try TopologyFile.read(path: path)
            Issue.record("\(path) was accepted")
        } catch {
            #expect(error.problems.contains { $0.code == expected }, "\(error)")
            for problem in error.problems {
                #expect(problem.description.hasPrefix("\(path):\(problem.line): \(problem.code): "))
                #expect(!problem.hint.isEmpty)
                #expect((1...text.split(separator: "\n").count + 1).contains(problem.line))
            }
        }
    }

    @Test func `has an example for every code that the manual lists`() throws {
        let manual = try String(
            contentsOf: Examples.folder.deletingLastPathComponent().appending(path: "README.md"), encoding: .utf8)
        let listed = Set(manual.matches(of: /E_TOPOLOGY_[A-Z0-9_]+/).map { String($0.output) })
        // These four can't be shown by a text of a few lines.
        let files = [
            "E_TOPOLOGY_TOO_LARGE", "E_TOPOLOGY_TOO_MANY_NODES", "E_TOPOLOGY_UNREADABLE", "E_TOPOLOGY_NOT_UTF8",
        ]
        let shown = try Examples.invalid.map { path in
            let line = try String(contentsOfFile: path, encoding: .utf8).prefix { $0 != "\n" }
            return String(line.dropFirst("# expect: ".count))
        }
        #expect(listed == Set(shown + files))
    }

    @Test func `tells all its problems in one run, in the order of the lines`() {
        let text = """
            version: one
            nodes:
              - code: "370000"
                name: 山东省
                end-point: https://127.0.0.1:7370
              - code: "370100"
                name: 济南市
                parent: "370000"
                parent: "370900"
                mode: phisical
                mode: logical
              - code: "370200"
                name: 青岛市
                parent: "370001"
                peers: ["370200", "370209"]
                shared-with-peers: [service_reqest]
              - code: "370202"
                name: 市南区
                parent: "370203"
              - code: "370203"
                name: 市北区
                parent: "370202"
            """
        #expect(
            problems(of: text).map { "\($0.line) \($0.code.dropFirst("E_TOPOLOGY_".count))" } == [
                "1 BAD_VERSION", "1 MISSING_KEY", "5 UNKNOWN_KEY", "9 TWO_PARENTS", "10 UNKNOWN_MODE",
                "11 DUPLICATE_KEY", "14 UNKNOWN_PARENT", "15 BAD_PEER", "15 UNKNOWN_PEER", "16 UNKNOWN_RESOURCE",
                "19 CYCLE",
            ])
    }

    @Test func `is told the nearest name`() {
        func hint(_ nodes: String) -> String? {
            problems(of: yaml(nodes)).first { $0.code.contains("UNKNOWN") }?.hint
        }
        let root = "  - { code: \"370000\", name: 山东省 }\n"
        #expect(hint(root + "  - { code: \"370100\", nmae: 济南市, parent: \"370000\" }\n") == "did you mean `name`?")
        #expect(
            hint(root + "  - { code: \"370100\", name: 济南市, parent: \"370001\" }\n")
                == "did you mean \"370000\"? Otherwise list it under `nodes`")
        #expect(
            hint("  - { code: \"370000\", name: 山东省, modes: { recordings: logical } }\n")
                == "did you mean `recording`?")
    }

    @Test func `points at the quote or bracket that is never closed`() {
        let rest = "    parent: \"370000\"\n" + String(repeating: "# …\n", count: 20)
        let root = "  - { code: \"370000\", name: 山东省 }\n"
        #expect(problems(of: yaml(root + "  - code: \"370100\n    name: x\n" + rest)).map(\.line) == [7])
        #expect(problems(of: yaml(root + "  - code: \"370100\"\n    name: \"x\n    peers: []\n")).map(\.line) == [6])
        #expect(problems(of: yaml(root + "  - { code: \"370100\"\n")).map(\.line) == [5])
    }

    @Test func `names the nodes of a cycle`() throws {
        let cycle = try #require(
            problems(
                of: yaml(
                    """
                      - { code: "370000", name: 山东省 }
                      - { code: "370100", name: 甲, parent: "370103" }
                      - { code: "370102", name: 乙, parent: "370100", region: "370100" }
                      - { code: "370103", name: 丙, parent: "370102", region: "370100" }
                      - { code: "370104", name: 丁, parent: "370103", region: "370100" }
                    """)
            ).first { $0.code == "E_TOPOLOGY_CYCLE" })
        #expect(cycle.line == 5)
        #expect(cycle.message.contains("370100 → 370103 → 370102 → 370100"))
    }

    @Test func `never shows control characters of the file`() {
        let found = problems(of: yaml("  - { code: \"\\e[2J\", name: \"\\u202E\" }\n"))
        #expect(found.count == 2)
        #expect(!found.description.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E })
    }
}
