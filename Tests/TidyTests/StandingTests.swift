import Testing

/// What a running node goes by can change at any moment, so nothing may keep a part of it (design 8).
@Suite struct `What a node goes by` {
    private let holders: Set<String> = [
        "Sources/LocalStore/NodeStore.swift",  // The one place.
        "Sources/LocalStore/FeedWriter.swift",  // Made for one transaction.
        "Sources/NodeRuntime/Links/LinkSupervisor.swift",  // What it went by before, to tell what has changed.
        "Sources/LocalStore/Reading/Catalogs.swift",  // A cache that is held against the tables at each use.
    ]

    @Test func `is kept by the store alone, and asked for at each use`() {
        for folder in ["LocalStore", "SyncProtocol", "NodeRuntime"] {
            for file in SourceTree.files(in: "Sources/\(folder)", suffix: ".swift") where !holders.contains(file.path) {
                for (number, text) in file.code {
                    #expect(
                        text.firstMatch(
                            of:
                                /^\s+(?:(?:private|fileprivate|package)(?:\([a-z]+\))? )?(?:let|var) \w+: (?:Topology|Catalog|ReferenceData|Standing)\??$/
                        ) == nil, "\(file.path):\(number): \(text)")
                }
            }
        }
    }

    @Test func `is published by its publisher, and by who opens the store`() {
        let callers = callers(of: /\bstore\.publish\(/)
        #expect(callers.isSubset(of: ["StandingPublisher.swift", "LocalNode.swift"]), "\(callers)")
        #expect(callers.count == 2)
    }

    @Test func `comes from a store that is opened in one place`() {
        #expect(callers(of: /\bNodeStore\(at|\bNodeStore\.create\(/) == ["LocalNode.swift"])
    }

    private func callers(of pattern: Regex<Substring>) -> Set<String> {
        Set(
            SourceTree.files(in: "Sources", suffix: ".swift").filter { file in
                file.code.contains { $0.text.firstMatch(of: pattern) != nil }
            }.map { String($0.path.split(separator: "/").last ?? "") })
    }
}
