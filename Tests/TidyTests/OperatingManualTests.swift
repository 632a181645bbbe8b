import Testing

@Suite struct `The operating manual` {
    @Test func `explains every error code of the sources and no other`() {
        let used = matches(of: /"(E_[A-Z][A-Z0-9_]*)"/)
        let explained = tableCells(matching: /`(E_[A-Z][A-Z0-9_]*)`/)
        #expect(used.subtracting(explained).sorted() == [], "codes that docs/operating.md does not explain")
        #expect(explained.subtracting(used).sorted() == [], "codes that no source has")
    }

    @Test func `explains every metric of the sources and no other`() {
        let used = matches(of: /"(federation_[a-z_]+)"/)
        let explained = tableCells(matching: /`(federation_[a-z_]+)`/)
        #expect(used.subtracting(explained).sorted() == [], "metrics that docs/operating.md does not explain")
        #expect(explained.subtracting(used).sorted() == [], "metrics that no source has")
    }

    /// The names stand in `NodeSettings.names`, each as a tuple of name, default and help.
    @Test func `lists every setting with its default`() throws {
        let settings = try #require(SourceTree.read("Sources/ConfigurationFiles/Settings/NodeSettings.swift"))
        var count = 0
        for (_, text) in settings.code {
            guard let match = text.firstMatch(of: /^\s+\("([a-z-]+)", (nil|"[^"]*"), "/) else { continue }
            let standard = match.2 == "nil" ? "none" : "`\(match.2.dropFirst().dropLast())`"
            let variable = "FEDERATION_NODE_" + match.1.uppercased().replacing("-", with: "_")
            let row = "| `\(match.1)` | \(standard) | `\(variable)` |"
            #expect(manual?.lines.contains { $0.hasPrefix(row) } == true, "\(row) is missing")
            count += 1
        }
        #expect(count == 36)
    }

    private let manual = SourceTree.read("docs/operating.md")

    private func matches(of pattern: Regex<(Substring, Substring)>) -> Set<String> {
        let files = SourceTree.files(in: "Sources", suffix: ".swift")
        return Set(files.flatMap { $0.code.flatMap { $0.text.matches(of: pattern).map { String($0.1) } } })
    }

    /// What the first cells of the manual's tables name.
    private func tableCells(matching pattern: Regex<(Substring, Substring)>) -> Set<String> {
        let cells = manual?.lines.compactMap { $0.hasPrefix("| ") ? $0.split(separator: "|").first : nil } ?? []
        return Set(cells.flatMap { $0.matches(of: pattern).map { String($0.1) } })
    }
}
