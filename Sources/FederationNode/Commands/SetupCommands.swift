import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import NodeDesk
import NodeFiles
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

    @Option(help: "HOST:PORT for other nodes; else all addresses (*) on the port of the node's endpoint.")
    var listen: String?

    @Option(help: "HOST:PORT for this machine (health, metrics).")
    var localListen: String?

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard let id = NodeID(node) else { throw ValidationError("--node \(node) is not a code of 6 to 12 digits") }
        let address = try listen.map { text in
            guard let address = ListenAddress(text) else { throw ValidationError("--listen \(text) is not HOST:PORT") }
            return address
        }
        try LocalNode.create(
            node: id, topologyPath: topology, directory: dir, listen: address, localListen: localListen,
            nonce: UInt64.random(in: 1...UInt64.max))
        // A folder that others use too is not ours to close; what was made in it is.
        if let openness = PrivateFiles.openness(of: dir) { Output.note("\(openness)") }
        let config = URL(filePath: dir).appending(path: "node.yaml").path
        if json {
            try Output.json(["node": node, "config": config])
        } else {
            try Output.line("\(config)")
            Output.note(
                "next: credentials, with `federation-node ca issue --ca DIR --node \(node) --out \(dir)/credentials`")
        }
    }
}

struct CertificateAuthorityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "The federation's certificate authority.",
        discussion: "EXAMPLE\n  federation-node ca init --dir /srv/ca",
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
            if json { try Output.json(["directory": dir]) } else { try Output.line(dir) }
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make the key and the certificate of one node.",
            discussion: """
                Where there are credentials of this node already, it renews them: a new certificate for the same key, which a \
                running service takes by itself. It never replaces other credentials, nor a key, without --force.

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

        @Flag(help: "Put a new key there, whatever is there already.")
        var force = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard let id = NodeID(node) else { throw ValidationError("--node \(node) is not a code of 6 to 12 digits") }
            guard (1...3_650).contains(days) else { throw ValidationError("--days must be 1 to 3650") }
            let authority = try CertificateAuthority.load(from: ca)
            let credentials = try authority.makeCredentials(
                for: id, in: out, replacing: force, validityDays: days, now: wallClock())
            let summary = CertificateReport(credentials.summary)
            if json { try Output.json(summary) } else { try Output.line(summary.text) }
        }
    }
}

struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cert", abstract: "This node's certificate.",
        discussion: "EXAMPLE\n  federation-node cert status",
        subcommands: [Status.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show for whom it is and how long it is good: on the disk, and as the service shows it.",
            discussion: """
                Exit code 4 when a certificate has ended or should be renewed by now (30 days before its end; a third of its \
                life before it, if it lives less than 90 days), and when the service can't use what is on the disk.

                EXAMPLE
                  federation-node cert status --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let settings = try node.load()
            let credentials = try NodeCredentials.load(from: settings.credentialsPath)
            var report = CertificateReport(credentials.summary)
            // The certificate can be looked at without the rest of the node.
            report.served = try? await node.desk().certificates()?.map(ServedCertificateReport.init)
            if json { try Output.json(report) } else { try Output.line(report.text) }
            if !report.isFine { throw ExitStatus.different }
        }
    }
}

/// A certificate that the service shows.
struct ServedCertificateReport: Encodable {
    /// node or intake.
    let certificate: String
    let serial: String?
    let notAfter: String
    let daysLeft: Int64
    /// notYetValid, valid, ending or ended.
    let state: String
    /// Why the one on the disk is not in use.
    let problem: String?

    init(_ note: CertificateNote) {
        let validity = CertificateValidity(notBefore: note.notBefore, notAfter: note.notAfter)
        certificate = note.use.rawValue
        serial = note.serial
        notAfter = ShanghaiTime.rfc3339(note.notAfter)
        daysLeft = (note.notAfter - wallClock()) / 86_400_000
        state = validity.state(now: wallClock()).rawValue
        problem = note.problem
    }

    var isFine: Bool { state == CertificateValidity.State.valid.rawValue && problem == nil }

    var text: String {
        let text =
            "in use, \(certificate): \(serial.map { "serial \($0), " } ?? "")valid until \(notAfter) (\(daysLeft) days), \(state)"
        return problem.map { "\(text)\n  not in use: \($0)" } ?? text
    }
}

private struct CertificateReport: Encodable {
    let node: String
    let serial: String
    let notBefore: String
    let notAfter: String
    let daysLeft: Int64
    /// notYetValid, valid, ending or ended.
    let state: String
    /// So many days before its end it counts as ending.
    let renewalLeadDays: Double
    /// Null when no service runs.
    var served: [ServedCertificateReport]?

    init(_ summary: CertificateSummary) {
        node = summary.node.code
        serial = summary.serial
        notBefore = ShanghaiTime.rfc3339(summary.notBefore)
        notAfter = ShanghaiTime.rfc3339(summary.notAfter)
        daysLeft = (summary.notAfter - wallClock()) / 86_400_000
        state = summary.validity.state(now: wallClock()).rawValue
        renewalLeadDays = (Double(summary.validity.renewalLead) / 86_400_000).rounded(toPlaces: 2)
    }

    var isFine: Bool {
        state == CertificateValidity.State.valid.rawValue && served?.allSatisfy(\.isFine) != false
    }

    var text: String {
        var lines = ["node \(node), serial \(serial), valid until \(notAfter) (\(daysLeft) days), \(state)"]
        if state == CertificateValidity.State.ending.rawValue {
            lines.append("  renew it now: less than \(renewalLeadDays) days are left")
        }
        return (lines + (served ?? []).map(\.text)).joined(separator: "\n")
    }
}
