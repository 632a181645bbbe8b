import Foundation
import TestSupport
import Testing

/// What stands in a manual is what somebody types. No service is started, so it need not wait for its turn among those that do.
@Suite struct `The command blocks of the documents` {
    /// There is no node where they run, so each ends right after its arguments were read: with 64 when they are wrong.
    @Test(.timeLimit(.minutes(15)))
    func `are taken by the program's argument parser`() async throws {
        let federation = try await Federation([])
        // Each once, with the first place where it stands.
        var examples: [[String]: String] = [:]
        for path in try Self.documents() {
            for arguments in try Self.examples(in: path, srv: federation.path("srv")) where examples[arguments] == nil {
                examples[arguments] = path
            }
        }
        #expect(examples.count > 100)
        for (arguments, place) in examples {
            let result = try await Federation.tool(
                [
                    "-C", federation.folder.path, "FEDERATION_NODE_CONFIG=\(federation.path("none.yaml"))",
                    Federation.executable.path,
                ] + arguments)
            #expect(
                [0, 1, 4].contains(result.status),
                "\(place): \(arguments.joined(separator: " ")): \(result.errors)")
        }
    }

    @Test func `stand under every command`() async throws {
        var missing: [String] = []
        func visit(_ command: [String]) async throws {
            let help = try await Federation.tool([Federation.executable.path] + command + ["--help"]).output
            if !help.contains("EXAMPLE") { missing.append(command.joined(separator: " ")) }
            guard let list = help.firstRange(of: "\nSUBCOMMANDS:\n") else { return }
            for line in help[list.upperBound...].split(separator: "\n") {
                guard let match = line.firstMatch(of: /^  ([a-z][a-z-]*)/) else { continue }
                try await visit(command + [String(match.1)])
            }
        }
        try await visit([])
        #expect(missing.isEmpty, "without an example: \(missing)")
    }

    private static func documents() throws -> [String] {
        let files = FileManager.default.enumerator(
            at: repositoryRoot, includingPropertiesForKeys: nil, options: .skipsHiddenFiles)
        return (files?.compactMap { ($0 as? URL)?.path } ?? []).map {
            String($0.dropFirst(repositoryRoot.path.count + 1))
        }
        .filter { $0.hasSuffix(".md") || $0.hasPrefix("Sources/FederationNode/") && $0.hasSuffix(".swift") }.sorted()
    }

    /// Lines of a block, or of the examples of a command's help, that begin with the program's name.
    private static func examples(in path: String, srv: String) throws -> [[String]] {
        let text = try String(contentsOf: repositoryRoot.appending(path: path), encoding: .utf8)
        let joined = text.replacing("\\\\\n", with: " ").replacing("\\\n", with: " ").replacing("\\n", with: "\n")
            .replacing("\\\"", with: "\"")
        var isBlock = false
        var examples: [[String]] = []
        for var line in joined.split(separator: "\n", omittingEmptySubsequences: false) {
            // The end of a string in the sources.
            if path.hasSuffix(".swift"), let end = line.firstRange(of: /"[,)]*$/) { line = line[..<end.lowerBound] }
            if line.hasPrefix("```") { isBlock.toggle() }
            let command = line.drop { $0 == " " || $0 == "$" }
            guard isBlock || line.hasPrefix("    ") || path.hasSuffix(".swift"),
                command.hasPrefix("federation-node ") || command.hasPrefix(".build/release/federation-node ")
            else { continue }
            let words = Self.words(
                String(command).replacing(/\$\w+/, with: "370100").replacing("/srv/", with: srv + "/"))
            examples.append(Array(words.dropFirst()))
        }
        return examples
    }

    /// As a shell takes a line apart, to the end of its first command.
    private static func words(_ line: String) -> [String] {
        var words: [String] = []
        var word: String?
        var quote: Character?
        for character in line {
            if let open = quote {
                if character == open { quote = nil } else { word = (word ?? "") + String(character) }
            } else if character == "'" || character == "\"" {
                quote = character
                word = word ?? ""
            } else if character == " " {
                if let done = word { words.append(done) }
                word = nil
            } else if "|>;&#".contains(character), word == nil || word == "2" {
                return words
            } else {
                word = (word ?? "") + String(character)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}
