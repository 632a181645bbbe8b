import ArgumentParser
import FederationModel
import Foundation
import NodeDesk
import NodeIdentity

struct InitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init", abstract: "Make a data directory for one node.",
        discussion: """
            EXAMPLE
              federation-node init --node 370100 --topology topology/examples/qilu.yaml --dir /srv/370100
            """)

    @Option(help: "The node's code in the topology.")
    var node: String

    @Option(help: "The topology file; a copy is kept in the directory.", completion: .file())
    var topology: String

    @Option(help: "The directory to make.", completion: .directory)
    var dir: String

    @Option(help: "HOST:PORT for this machine (health, metrics).")
    var localListen: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard let id = NodeID(node) else { throw ValidationError("--node \(node) is not a code of 6 to 12 digits") }
        try LocalNode.create(
            node: id, topologyPath: topology, directory: dir, localListen: localListen,
            nonce: UInt64.random(in: 1...UInt64.max))
        let config = URL(filePath: dir).appending(path: "node.yaml").path
        if json {
            try Output.json(["node": node, "config": config])
        } else {
            print("\(config)")
            Output.note(
                "next: credentials, with `federation-node ca issue --ca DIR --node \(node) --out \(dir)/credentials`")
        }
    }
}

struct CertificateAuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "The federation's certificate authority.",
        subcommands: [Init.self, Issue.self])

    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make a certificate authority.",
            discussion: """
                The key stays in the directory, readable by its owner alone. Keep it off the machines that run nodes.

                EXAMPLE
                  federation-node ca init --dir /srv/ca
                """)

        @Option(help: "The directory to make.", completion: .directory)
        var dir: String

        @Option(help: "Its name in certificates.")
        var name = "Hotline federation CA"

        @Option(help: "Days until it expires.")
        var days = 3_650

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard (1...36_500).contains(days) else { throw ValidationError("--days must be 1 to 36500") }
            let authority = try CertificateAuthority(name: name, validityDays: days, now: wallClock())
            try authority.save(to: dir)
            if json { try Output.json(["directory": dir]) } else { print(dir) }
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the key and the certificate of one node.",
            discussion: """
                EXAMPLE
                  federation-node ca issue --ca /srv/ca --node 370100 --out /srv/370100/credentials
                """)

        @Option(help: "The authority's directory.", completion: .directory)
        var ca: String

        @Option(help: "The node's code.")
        var node: String

        @Option(help: "Where node.pem, node-key.pem and ca.pem go.", completion: .directory)
        var out: String

        @Option(help: "Days until it expires.")
        var days = 365

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard let id = NodeID(node) else { throw ValidationError("--node \(node) is not a code of 6 to 12 digits") }
            guard (1...3_650).contains(days) else { throw ValidationError("--days must be 1 to 3650") }
            let authority = try CertificateAuthority.load(from: ca)
            let credentials = try authority.makeCredentials(for: id, validityDays: days, now: wallClock())
            try credentials.save(to: out)
            let summary = CertificateReport(credentials.summary)
            if json { try Output.json(summary) } else { print(summary.text) }
        }
    }
}

struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "This node's certificate.", subcommands: [Status.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show for whom it is and how long it is good.",
            discussion: "EXAMPLE\n  federation-node cert status --config /srv/370100/node.yaml")

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let credentials = try NodeCredentials.load(from: try node.load().credentialsPath)
            let report = CertificateReport(credentials.summary)
            if json { try Output.json(report) } else { print(report.text) }
        }
    }
}

private struct CertificateReport: Encodable {
    let node: String
    let serial: String
    let notBefore: String
    let notAfter: String
    let daysLeft: Int64

    init(_ summary: CertificateSummary) {
        node = summary.node.code
        serial = summary.serial
        notBefore = ShanghaiTime.rfc3339(summary.notBefore)
        notAfter = ShanghaiTime.rfc3339(summary.notAfter)
        daysLeft = (summary.notAfter - wallClock()) / 86_400_000
    }

    var text: String { "node \(node), serial \(serial), valid until \(notAfter) (\(daysLeft) days)" }
}
