import Testing

/// What each target may import. The compiler is no guard: a module that a dependency pulls in can be imported by everybody.
private let allowedImports: [String: Set<String>] = [
    "FederationModel": [],
    "LogicalQuery": ["FederationModel"],
    "ChangeSetFormat": ["FederationModel"],
    "SyncProtocol": ["ChangeSetFormat", "FederationModel"],
    "YAMLFile": ["FederationModel", "Foundation", "Yams"],
    "TopologyFile": ["FederationModel", "Foundation", "YAMLFile", "Yams"],
    "CatalogFile": ["FederationModel", "YAMLFile", "Yams"],
    "ReferenceFile": ["FederationModel", "YAMLFile", "Yams"],
    "Zstandard": ["CZstd", "Synchronization"],
    "LocalStore": [
        "ChangeSetFormat", "FederationModel", "Foundation", "GRDB", "GRDBSQLite", "LogicalQuery", "Synchronization",
        "Zstandard",
    ],
    "RecordIntake": ["CIconvShim", "CZlib", "FederationModel", "Foundation", "Glibc", "Yams", "Zstandard"],
    "NodeIdentity": ["Crypto", "FederationModel", "Foundation", "SwiftASN1", "X509"],
    "PeerTransport": ["CCurl", "CCurlShim", "FederationModel", "Foundation", "Synchronization"],
    "NodeDesk": [
        "CatalogFile", "ChangeSetFormat", "FederationModel", "Foundation", "LocalStore", "LogicalQuery",
        "NodeIdentity", "PeerTransport", "RecordIntake", "ReferenceFile", "Synchronization",
        "TopologyFile", "Yams", "Zstandard",
    ],
    "NodeRuntime": [
        "ChangeSetFormat", "FederationModel", "Foundation", "HTTPTypes", "Hummingbird", "HummingbirdCore",
        "HummingbirdTLS", "LocalStore", "Logging", "LogicalQuery", "NIOCore", "NIOSSL", "NIOTLS", "NodeDesk",
        "NodeIdentity", "PeerTransport", "RecordIntake", "ServiceLifecycle", "SyncProtocol", "Synchronization",
        "UnixSignals", "Zstandard",
    ],
    "FederationNode": [
        "ArgumentParser", "CatalogFile", "ChangeSetFormat", "Dispatch", "FederationModel", "Foundation", "LocalStore",
        "Logging", "LogicalQuery", "NodeDesk", "NodeIdentity", "NodeRuntime", "RecordIntake", "ReferenceFile",
        "Synchronization", "TopologyFile", "YAMLFile",
    ],
]

/// The targets that are pure: the standard library only, no clock, no chance, no waiting.
private let pureTargets = ["ChangeSetFormat", "FederationModel", "LogicalQuery", "SyncProtocol"]

@Suite struct `The borders of the targets` {
    @Test func `are drawn for every target with Swift files`() {
        let targets = Set(sources.map(target(of:)))
        #expect(targets == Set(allowedImports.keys))
    }

    @Test func `are kept by every import`() {
        for file in sources {
            let allowed = allowedImports[target(of: file)] ?? []
            for (number, text) in file.code {
                guard let match = text.firstMatch(of: importLine) else { continue }
                #expect(allowed.contains(String(match.1)), "\(file.path):\(number): \(text)")
            }
        }
    }

    @Test func `keep clock, chance and waiting out of the pure targets`() {
        for file in sources where pureTargets.contains(target(of: file)) {
            for (number, text) in file.code {
                #expect(
                    text.firstMatch(of: /\bDate\(|\.now\b|\basync\b|\bawait\b|SystemRandomNumberGenerator/) == nil,
                    "\(file.path):\(number): \(text)")
                #expect(
                    text.firstMatch(of: /\.(random|randomElement|shuffled?)\(/) == nil || text.contains("using:"),
                    "\(file.path):\(number): \(text)")
            }
        }
    }

    @Test func `let FeedWriter alone draw seqs, write rows and tell the visibility of changes`() throws {
        let doors = [
            #"SET value = value \+|name = 'seq'"#, #"\bFeedWriter\("#,
            #"\btable\.(apply|intake|retractStaged|retractOne|delete)\b"#,
            #"visibility\.(begin|prepare|followTickets|finish)\("#,
        ]
        for door in try doors.map({ try Regex($0) }) {
            var files: Set<String> = []
            for file in sources where target(of: file) == "LocalStore" {
                if file.code.contains(where: { $0.text.firstMatch(of: door) != nil }) { files.insert(file.path) }
            }
            #expect(files == ["Sources/LocalStore/FeedWriter.swift"])
        }
    }

    private let sources = SourceTree.files(in: "Sources", suffix: ".swift")

    /// `import X`, whatever stands before it, and the module alone of `import struct X.Y`.
    private let importLine =
        /^\s*(?:@\w+\s+)*(?:\w+\s+)?import\s+(?:(?:typealias|struct|class|enum|protocol|let|var|func)\s+)?(\w+)/

    private func target(of file: SourceFile) -> String {
        String(file.path.split(separator: "/").dropFirst().first ?? "")
    }
}
