import Testing

/// What a person or a system does goes through the desk, and nothing at the desk goes past `perform` and `commit`.
@Suite struct `The desk` {
    @Test func `lets no operation go past perform`() {
        var count = 0
        for file in desk where file.path.contains("/NodeDesk+") {
            for (name, body) in operations(of: file) {
                #expect(body.contains("perform("), "\(file.path): \(name)")
                count += 1
            }
        }
        #expect(count > 35)
    }

    @Test func `announces what it writes in one place`() {
        for file in desk where file.path != "Sources/NodeDesk/NodeDesk.swift" {
            for (number, text) in file.code {
                let isAnnouncing = text.contains("Doorbell.ring(")
                // Without a write: a release is adopted, and a rebuilt node has its service say hello.
                let mayRing = file.path.contains("/Topology/") || file.path.hasSuffix("/NodeDesk+Recovery.swift")
                #expect(!isAnnouncing || mayRing, "\(file.path):\(number): \(text)")
                #expect(!text.contains("announce("), "\(file.path):\(number): \(text)")
                if text.firstMatch(of: /store\.(intake|remove|lift)\(/) != nil {
                    let before = file.lines[max(0, number - 2)..<number].joined()
                    #expect(before.contains("commit("), "\(file.path):\(number): \(text)")
                }
            }
        }
    }

    @Test func `alone opens the store, which the command line does not know`() {
        for file in SourceTree.files(in: "Sources", suffix: ".swift") {
            for (number, text) in file.code {
                let isOpening = text.contains("NodeStore(at:")
                #expect(
                    !isOpening || file.path == "Sources/NodeDesk/Node/LocalNode.swift",
                    "\(file.path):\(number): \(text)")
                let isShell = file.path.hasPrefix("Sources/FederationNode/") && !file.path.contains("/Topology")
                #expect(!isShell || text != "import LocalStore", "\(file.path):\(number)")
            }
        }
    }

    private let desk = SourceTree.files(in: "Sources/NodeDesk", suffix: ".swift")

    /// The asynchronous functions for others, each with its text up to the next function. What is not asynchronous reads no store.
    private func operations(of file: SourceFile) -> [(name: String, body: String)] {
        let text = file.code.map(\.text).joined(separator: "\n")
        let starts = text.ranges(of: #/\n    (?:@\w+\n    )?(?:package |private )?(?:static )?func /#).map(\.lowerBound)
        return zip(starts, starts.dropFirst() + [text.endIndex]).compactMap { start, end in
            let function = text[start..<end].drop { $0 == "\n" }
            let head = function.prefix { $0 != "{" }
            guard head.contains("package func"), head.contains("async") else { return nil }
            return (String(head.prefix { $0 != "(" }), String(function))
        }
    }
}
