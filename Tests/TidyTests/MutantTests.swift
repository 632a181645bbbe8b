import Foundation
import Testing

/// The wrong changes of `scripts/mutants.sh`.
@Suite struct `The mutants` {
    @Test func `are twenty at least`() { #expect(mutants.count >= 20) }

    /// What is there is read, not patched: a hunk fits if the lines that it expects stand together in its file.
    @Test func `fit the code`() throws {
        for mutant in mutants {
            var expected: [(path: String, lines: [Substring])] = []
            var path = ""
            for line in mutant.lines {
                if line.hasPrefix("+++ b/") {
                    path = String(line.dropFirst(6))
                } else if line.hasPrefix("@@") {
                    expected.append((path, []))
                } else if let mark = line.first, " -".contains(mark), !line.hasPrefix("--- "), !expected.isEmpty {
                    expected[expected.count - 1].lines.append(line.dropFirst())
                }
            }
            #expect(!expected.isEmpty, "\(mutant.path) changes nothing")
            for hunk in expected {
                let file = try #require(SourceTree.read(hunk.path), "\(mutant.path): \(hunk.path) does not exist")
                let text = "\n" + file.lines.joined(separator: "\n") + "\n"
                #expect(
                    text.contains("\n" + hunk.lines.joined(separator: "\n") + "\n"),
                    "\(mutant.path) does not fit \(hunk.path)")
            }
        }
    }

    private let mutants = SourceTree.files(in: "scripts/mutants", suffix: ".patch")
}
