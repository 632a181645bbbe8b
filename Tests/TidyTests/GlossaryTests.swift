import Testing

@Suite struct `The glossary` {
    /// States, roles, modes and stages: every word that stands for a value of the code.
    @Test func `has each word that the console prints for a value`() throws {
        let glossary = try #require(SourceTree.read("docs/GLOSSARY.md")).lines.joined(separator: "\n")
        let files =
            SourceTree.files(in: "Sources/FederationNode", suffix: ".swift")
            + SourceTree.files(in: "Sources/FederationModel/Topology", suffix: ".swift")
            + SourceTree.files(in: "Sources/FederationModel/Tickets", suffix: ".swift")
            + ["Sources/FederationModel/Catalog/ResourceDefinition.swift"].compactMap { SourceTree.read($0) }
        var words: Set<String> = []
        for file in files {
            for (_, text) in file.code {
                for match in text.matches(of: /(?:case \.\w+|"\w+"): (?:language\()?"(\p{Han}+)"/) {
                    words.insert(String(match.1))
                }
            }
        }
        #expect(words.count > 35)
        for word in words.sorted() { #expect(glossary.contains(word), "\(word)") }
    }

    @Test func `explains each Chinese word once`() throws {
        let glossary = try #require(SourceTree.read("docs/GLOSSARY.md"))
        var seen: Set<String> = []
        for line in glossary.lines where line.hasPrefix("| ") {
            let cells = line.split(separator: "|").map { $0.trimmingPrefix(" ") }
            guard let first = cells.first, first.contains(where: { $0.unicodeScalars.allSatisfy(isHan) }) else {
                continue
            }
            for word in first.split(whereSeparator: { ",: ".contains($0) }).map(String.init) where word != "中文" {
                #expect(seen.insert(word).inserted, "\(word) is explained twice")
            }
        }
        #expect(seen.count > 40)
    }

    private func isHan(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.isIdeographic }
}
