import Testing

/// What each target may import. The compiler is no guard: a module that a dependency pulls in can be imported by everybody.
private let allowedImports: [String: Set<String>] = [
    "FederationModel": [],
    "LogicalQuery": ["FederationModel"],
    "ChangeSetFormat": ["FederationModel"],
    "SyncProtocol": ["ChangeSetFormat", "FederationModel"],
    "Verification": ["FederationModel"],
    "Detection": ["FederationModel"],
    // Mustache turns a value and a text into a text.
    "Reporting": ["FederationModel", "LogicalQuery", "Mustache"],
    "ConfigurationFiles": ["Detection", "FederationModel", "Foundation", "LogicalQuery", "Yams"],
    "NodeFiles": ["FederationModel", "Foundation", "Synchronization"],
    "Zstandard": ["CZstd", "Synchronization"],
    "LocalStore": [
        "ChangeSetFormat", "Crypto", "Detection", "FederationModel", "Foundation", "GRDB", "GRDBSQLite", "LogicalQuery",
        "NodeFiles", "Synchronization", "Verification", "Zstandard",
    ],
    "RecordIntake": [
        "CIconvShim", "CMinizip", "CXMLShim", "CZlib", "ConfigurationFiles", "FederationModel", "Foundation", "Glibc",
        "NodeFiles", "Zstandard",
    ],
    "MappingSuggestions": ["ConfigurationFiles", "FederationModel", "Foundation", "RecordIntake"],
    "TicketGeneration": ["FederationModel", "Foundation"],
    "NodeIdentity": ["Crypto", "FederationModel", "Foundation", "NodeFiles", "SwiftASN1", "X509"],
    "PeerTransport": ["CCurl", "CCurlShim", "FederationModel", "Foundation", "Synchronization"],
    "NodeDesk": [
        "ChangeSetFormat", "ConfigurationFiles", "Detection", "FederationModel", "Foundation", "LocalStore",
        "LogicalQuery", "NodeFiles", "NodeIdentity", "PeerTransport", "RecordIntake", "Reporting", "SyncProtocol",
        "Synchronization",
        "Verification", "Zstandard",
    ],
    "NodeRuntime": [
        "ChangeSetFormat", "ConfigurationFiles", "Detection", "FederationModel", "Foundation", "HTTPTypes",
        "Hummingbird",
        "HummingbirdCore", "HummingbirdTLS", "LocalStore", "Logging", "LogicalQuery", "NIOCore", "NIOSSL", "NIOTLS",
        "NodeDesk", "NodeFiles", "NodeIdentity", "PeerTransport", "RecordIntake", "Reporting", "ServiceLifecycle",
        "SyncProtocol", "Synchronization", "UnixSignals", "Verification", "Zstandard",
    ],
    // No store: what a command does, it does at the desk.
    "FederationNode": [
        "ArgumentParser", "CXLSXWriter", "ChangeSetFormat", "ConfigurationFiles", "Detection", "Dispatch",
        "FederationModel",
        "Foundation", "Logging", "LogicalQuery", "MappingSuggestions", "NodeDesk", "NodeFiles", "NodeIdentity",
        "NodeRuntime", "RecordIntake", "Reporting", "Synchronization", "TicketGeneration", "Verification",
    ],
]

/// The targets that are pure: the standard library only, no clock, no chance, no waiting.
private let pureTargets = [
    "ChangeSetFormat", "Detection", "FederationModel", "LogicalQuery", "Reporting", "SyncProtocol", "Verification",
]

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
            #"SET value = value [+-]"#, #"\bFeedWriter\("#,
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
