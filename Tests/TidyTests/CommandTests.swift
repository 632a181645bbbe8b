import Testing

@Suite struct `The commands` {
    /// A hint that names a command which is not there costs whoever follows it the most.
    @Test func `that hints and manuals name exist`() {
        let commands = Set(
            SourceTree.files(in: "Sources/FederationNode", suffix: ".swift").flatMap { file in
                file.lines.flatMap { $0.matches(of: /commandName: "([a-z-]+)"/).map { String($0.1) } }
            })
        #expect(commands.count > 10)
        let files =
            SourceTree.files(in: "Sources", suffix: ".swift") + SourceTree.files(in: "docs", suffix: ".md")
            + SourceTree.files(in: "scripts", suffix: ".sh")
            + ["README.md", "README.zh-CN.md", "topology/README.md"].compactMap { SourceTree.read($0) }
        for file in files {
            for (index, line) in file.lines.enumerated() {
                for match in line.matches(of: /[`\s]federation-node ([a-z][a-z-]+)/) where isCommand(line, match.range)
                {
                    #expect(commands.contains(String(match.1)), "\(file.path):\(index + 1): \(match.0)")
                }
            }
        }
    }

    /// In running text the program's name may be followed by any word; as a command it stands in back-ticks or in a hint.
    private func isCommand(_ line: Substring, _ range: Range<Substring.Index>) -> Bool {
        line[range].hasPrefix("`") || line.contains("hint:") || line.contains("see federation-node")
            || line[..<range.lowerBound].allSatisfy(\.isWhitespace)
    }
}
