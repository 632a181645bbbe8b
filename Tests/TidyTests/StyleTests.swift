import Foundation
import Testing

@Suite struct `The style of the code` {
    @Test func `never stops the node because of an input`() {
        for file in SourceTree.files(in: "Sources", suffix: ".swift") {
            for (number, text) in file.code {
                #expect(
                    text.firstMatch(of: /\btry!|\bfatalError\(|\bas!/) == nil, "\(file.path):\(number): \(text)")
            }
        }
    }

    @Test func `never waits for a while in a test`() {
        // This file holds the banned words itself.
        for file in SourceTree.files(in: "Tests", suffix: ".swift") where !file.path.hasPrefix("Tests/TidyTests/") {
            for (number, text) in file.code {
                #expect(text.firstMatch(of: /\bu?sleep\(/) == nil, "\(file.path):\(number): \(text)")
            }
        }
    }

    /// Files that were opened but hold nothing are left over from a change.
    @Test func `has no empty files`() {
        for folder in ["Sources", "Tests"] {
            for file in SourceTree.files(in: folder, suffix: ".swift") {
                let isEmpty = file.code.allSatisfy { $0.text.isEmpty || $0.text.hasPrefix("import ") }
                #expect(!isEmpty, "\(file.path) holds no code")
            }
        }
    }
}

@Suite struct `The documentation` {
    /// Paths in back-ticks that begin with a folder of the repository, and targets of relative links.
    @Test func `names only files that exist`() {
        let folders = ["Sources", "Tests", "Benchmarks", "docs", "scripts", "topology"]
        for file in documents {
            let folder = file.path.split(separator: "/").dropLast().map { "\($0)/" }.joined()
            for (index, line) in file.lines.enumerated() {
                let quoted = line.matches(of: /`((\w+)\/[\w\/.+-]*)`/)
                    .filter { folders.contains(String($0.2)) }.map { String($0.1) }
                let linked = line.matches(of: /\]\(([^)#:\s]+)(?:#[^)]*)?\)/).map { folder + String($0.1) }
                for path in quoted + linked {
                    #expect(SourceTree.exists(path), "\(file.path):\(index + 1): \(path) does not exist")
                }
            }
        }
    }

    private let documents =
        SourceTree.files(in: "docs", suffix: ".md") + SourceTree.files(in: "Sources", suffix: ".md")
        + SourceTree.files(in: "topology", suffix: ".md")
        + ["README.md", "README.zh-CN.md", "CONTRIBUTING.md"].compactMap { SourceTree.read($0) }
}
