import FederationModel
import Foundation
import Yams

/// A host and a port to listen on.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package let host: String
    package let port: Int

    /// Reads `HOST:PORT`, an IPv6 address with or without brackets, `*` for all addresses; port 0 lets the system choose.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let digits = text[text.index(after: colon)...]
        guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = Int(digits), port <= 65_535 else {
            return nil
        }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f }), !host.contains(where: "[]/@".contains)
        else { return nil }
        self.host = String(host)
        self.port = port
    }

    package var description: String { Self.text(host: host, port: port) }

    /// As a URL has it: an IPv6 address in brackets (RFC 3986).
    package static func text(host: String, port: Int) -> String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// What `*` stands for: every address of the machine, by IPv6 and IPv4 where it has both.
    package var bindHost: String {
        guard host == "*" else { return host }
        let descriptor = socket(AF_INET6, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { return "0.0.0.0" }
        close(descriptor)
        return "::"
    }

    /// Where a process of this machine reaches it.
    package var localHost: String {
        switch host {
        case "*", "0.0.0.0": "127.0.0.1"
        case "::": "::1"
        default: host
        }
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.wholeMatch(of: /127\.\d{1,3}\.\d{1,3}\.\d{1,3}/) != nil
    }
}

/// Where a node sends alerts on to, beyond the federation.
package struct AlertDelivery: Sendable {
    package let webhook: String?
    package let webhookSecretPath: String
    /// An SMTP relay.
    package let relay: String?
    package let sender: String?
    package let receivers: [String]
    /// The least level that is sent on.
    package let level: AlertLevel
}

/// The ClickHouse servers on which a node's analysis runs.
package struct WarehouseSettings: Sendable {
    /// Their HTTP addresses; each is a shard.
    package let addresses: [String]
    package let user: String
    package let passwordPath: String
    package let database: String
    /// As the servers call the shards together.
    package let cluster: String
}

/// The settings of one node: `node.yaml`, over it the environment, over that the flags.
package struct NodeSettings: Sendable {
    /// Where `node.yaml` lies; relative paths in it start here.
    package let directory: String
    package let node: NodeID
    package let topologyPath: String
    /// Where the reference data lie until the top node's have come.
    package let referencePath: String
    /// Where the node's own indicators are, if it has any.
    package let indicatorsPath: String
    /// Where the node says how its catalog differs from the built-in one.
    package let catalogPath: String
    package let databasePath: String
    package let credentialsPath: String
    /// Where other nodes reach this one, by mutual TLS.
    package let listen: ListenAddress
    /// Where this machine reaches it, by plain HTTP: health, metrics, pushed records.
    package let localListen: ListenAddress
    /// Where local systems on other machines push records, by TLS; nil when they may not.
    package let intakeListen: ListenAddress?
    package let intakeCertificatePath: String
    package let intakeKeyPath: String
    /// Whether the consumers of the feed run (ticket state). Off only for measurements.
    package let runsConsumers: Bool
    /// Hours after which a removal order that a node has not confirmed is overdue.
    package let removalConfirmationHours: Double
    /// Days that tombstones are kept at least.
    package let tombstoneRetentionDays: Int64
    /// Beyond which a sweep takes nothing away and asks.
    package let retractionLimit: RetractionLimit
    /// When the service compares its links; nil when it does not.
    package let comparisons: ComparisonSchedule?
    /// Bytes of the disk below which rows of neighbours are not taken in any more.
    package let diskFloor: Int64
    /// How long it is kept what rows were before an intake, so that it can be undone.
    package let undoDays: Int64
    /// Minutes after which what no unit has acknowledged of a situation goes to the node above.
    package let escalationMinutes: Double
    /// Where alerts are sent on to.
    package let delivery: AlertDelivery
    /// The kinds of report that the service makes by itself, as they are written; empty for none.
    package let reports: [String]
    /// When it makes them.
    package let reportsAt: DailyTime
    /// Where the node's own templates of reports are, if it has any.
    package let reportTemplatesPath: String
    /// What analyses run on besides SQLite; nil for nothing.
    package let warehouse: WarehouseSettings?
    package let logLevel: String

    /// Each setting with its default; the same name in lower case with dashes is the flag, in upper case with
    /// `FEDERATION_NODE_` before it the environment variable.
    package static let names: [(name: String, standard: String?, help: String)] = [
        ("node", nil, "code of this node in the topology"),
        ("topology", "topology.yaml", "the topology file"),
        ("reference", "reference.yaml", "the reference data, until those of the top node are here"),
        ("indicators", "indicators.yaml", "the node's own indicators, if there is such a file"),
        ("catalog", "catalog.yaml", "how this node's data-resource catalog differs from the built-in one"),
        ("database", "node.db", "the SQLite file"),
        ("credentials", "credentials", "folder with node.pem, node-key.pem and ca.pem"),
        ("listen", "127.0.0.1:7370", "HOST:PORT for other nodes, mutual TLS"),
        ("local-listen", "127.0.0.1:7470", "HOST:PORT for this machine, plain HTTP: health, metrics, pushed records"),
        ("intake-listen", "off", "HOST:PORT for local systems on other machines, TLS: pushed records; or off"),
        ("intake-certificate", "credentials/node.pem", "PEM chain that intake-listen shows"),
        ("intake-key", "credentials/node-key.pem", "its key"),
        ("consumers", "on", "on or off: whether the feed's consumers run"),
        ("removal-confirmation-hours", "24", "hours after which an unconfirmed removal (召回/删除) is overdue"),
        ("tombstone-retention-days", "455", "days that tombstones are kept: 90 offline, and a year"),
        ("sweep-retraction-percent", "5", "of a neighbour's rows that a sweep may take away undeleted; 100: all"),
        ("verify-at", "02:00", "HH:MM in Shanghai from which on the service compares its links, once a day; or off"),
        ("disk-floor", "512", "MiB of the disk that neighbours' rows leave free; an eighth: own ones"),
        ("undo-days", "30", "days for which an import or a push can be undone"),
        ("escalation-minutes", "15", "minutes after which an unacknowledged notification goes to the node above"),
        ("alert-webhook", "off", "http or https address that alerts are posted to; or off"),
        ("alert-webhook-secret", "credentials/webhook.key", "file with the secret that signs them"),
        ("alert-smtp", "off", "smtp://HOST:PORT or smtps:// of a relay that sends alerts as letters; or off"),
        ("alert-mail-from", "off", "the letters' sender"),
        ("alert-mail-to", "off", "their receivers, with commas between"),
        ("alert-delivery-level", "yellow", "the least level that is sent on: blue, yellow, orange or red"),
        ("reports", "off", "which reports the service makes when their period is over: daily weekly monthly; or off"),
        ("reports-at", "08:00", "HH:MM in Shanghai from which on it makes them"),
        ("report-templates", "report-templates", "folder with the node's own templates of reports, if it has any"),
        ("analysis-engine", "sqlite", "what analyses run on: sqlite or clickhouse"),
        ("clickhouse-url", "http://127.0.0.1:8123", "its servers, http or https; several with commas are shards"),
        ("clickhouse-user", "default", "whom they know the node as"),
        ("clickhouse-password-file", "credentials/clickhouse.key", "file with that user's password, mode 0600"),
        ("clickhouse-database", "federation", "the database that the node makes there, and nobody else uses"),
        ("clickhouse-cluster", "federation", "what the servers call the shards together (remote_servers)"),
        ("log-level", "info", "trace, debug, info, notice, warning, error or critical"),
    ]

    /// - Parameters:
    ///   - path: the `--config` flag; without it `FEDERATION_NODE_CONFIG`, else `./node.yaml`.
    ///   - flags: settings given as flags, by their names.
    /// - Throws: `E_CONFIG_MISSING`, `E_CONFIG_INVALID` with what to change.
    package static func load(
        path: String?, environment: [String: String], flags: [String: String] = [:]
    ) throws(FederationError) -> NodeSettings {
        let path = path ?? environment["FEDERATION_NODE_CONFIG"] ?? "node.yaml"
        let file = try values(in: text(path: path), path: path)
        func value(_ name: String) -> String? {
            let variable = "FEDERATION_NODE_" + name.uppercased().replacing("-", with: "_")
            return flags[name] ?? environment[variable] ?? file[name] ?? names.first { $0.name == name }?.standard
        }
        let directory = URL(filePath: path).deletingLastPathComponent().standardizedFileURL.path
        return try NodeSettings(directory: directory, path: path, value: value)
    }

    private static func text(path: String) throws(FederationError) -> String {
        do {
            return try String(contentsOfFile: path, encoding: .utf8)
        } catch let error as CocoaError where error.code == .fileReadNoSuchFile || error.code == .fileNoSuchFile {
            throw FederationError(
                "E_CONFIG_MISSING", "there is no configuration at \(path)",
                hint: "give --config FILE or set FEDERATION_NODE_CONFIG; `federation-node init` makes one")
        } catch {
            throw FederationError(
                "E_CONFIG_UNREADABLE", "\(path) is there and can't be read: \(error.localizedDescription)",
                hint: "check its rights, that it is a file and not a folder, and that it is UTF-8 text")
        }
    }

    private init(
        directory: String, path: String, value: (String) -> String?
    ) throws(FederationError) {
        func required<T>(_ name: String, _ form: String, _ read: (String) -> T?) throws(FederationError) -> T {
            guard let text = value(name), let value = read(text) else {
                throw FederationError("E_CONFIG_INVALID", "\(path): `\(name)` is missing or not \(form)")
            }
            return value
        }
        func file(_ name: String) throws(FederationError) -> String {
            let text = try required(name, "a path") { $0 }
            return URL(filePath: text, relativeTo: URL(filePath: directory, directoryHint: .isDirectory))
                .standardizedFileURL.path
        }
        self.directory = directory
        node = try required("node", "the code of a node (6 to 12 digits)") { NodeID($0) }
        topologyPath = try file("topology")
        referencePath = try file("reference")
        indicatorsPath = try file("indicators")
        catalogPath = try file("catalog")
        databasePath = try file("database")
        credentialsPath = try file("credentials")
        listen = try required("listen", "HOST:PORT") { ListenAddress($0) }
        localListen = try required("local-listen", "HOST:PORT") { ListenAddress($0) }
        intakeListen = try required("intake-listen", "HOST:PORT or off") { text -> ListenAddress?? in
            text == "off" ? .some(nil) : ListenAddress(text).map { .some($0) }
        }
        intakeCertificatePath = try file("intake-certificate")
        intakeKeyPath = try file("intake-key")
        runsConsumers = try required("consumers", "on or off") {
            ["on": true, "off": false, "true": true, "false": false][$0]
        }
        removalConfirmationHours = try required("removal-confirmation-hours", "a number of hours, at most 8760") {
            Double($0).flatMap { (0...8_760).contains($0) ? $0 : nil }
        }
        tombstoneRetentionDays = try required("tombstone-retention-days", "a number of days, at most 36500") {
            Int64($0).flatMap { (0...36_500).contains($0) ? $0 : nil }
        }
        retractionLimit = try required("sweep-retraction-percent", "a whole number from 0 to 100") {
            Int($0).flatMap { (0...100).contains($0) ? RetractionLimit(percent: $0) : nil }
        }
        comparisons = try required("verify-at", "HH:MM or off") { text -> ComparisonSchedule?? in
            text == "off" ? .some(nil) : DailyTime(text).map { .some(ComparisonSchedule(at: $0)) }
        }
        diskFloor = try required("disk-floor", "a number of MiB, at most 1048576") {
            Int64($0).flatMap { (0...1_048_576).contains($0) ? $0 << 20 : nil }
        }
        undoDays = try required("undo-days", "a number of days, at most 400") {
            Int64($0).flatMap { (0...400).contains($0) ? $0 : nil }
        }
        escalationMinutes = try required("escalation-minutes", "a number of minutes, at most 10080") {
            Double($0).flatMap { (0...10_080).contains($0) ? $0 : nil }
        }
        func address(_ name: String, _ schemes: [String]) throws(FederationError) -> String? {
            try required(name, "an address that begins with \(schemes[0])://, or off") { text -> String?? in
                if text == "off" { return .some(nil) }
                return schemes.contains { text.hasPrefix("\($0)://") } ? .some(text) : nil
            }
        }
        func mailboxes(_ name: String) throws(FederationError) -> [String] {
            try required(name, "mail addresses with commas between, or off") { text in
                if text == "off" { return [] }
                let list = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                return list.allSatisfy { $0.wholeMatch(of: /[^\s<>@,]+@[^\s<>@,]+/) != nil } ? list : nil
            }
        }
        delivery = AlertDelivery(
            webhook: try address("alert-webhook", ["https", "http"]),
            webhookSecretPath: try file("alert-webhook-secret"), relay: try address("alert-smtp", ["smtp", "smtps"]),
            sender: try mailboxes("alert-mail-from").first, receivers: try mailboxes("alert-mail-to"),
            level: try required("alert-delivery-level", "blue, yellow, orange or red") { AlertLevel(rawValue: $0) })
        guard delivery.relay == nil || delivery.sender != nil && !delivery.receivers.isEmpty else {
            throw FederationError(
                "E_CONFIG_INVALID", "\(path): `alert-smtp` needs `alert-mail-from` and `alert-mail-to`")
        }
        reports = try required("reports", "some of daily, weekly and monthly, or off") { text in
            if text == "off" { return [] }
            let kinds = text.split { $0 == " " || $0 == "," }.map(String.init)
            return kinds.allSatisfy(["daily", "weekly", "monthly"].contains) && !kinds.isEmpty ? kinds : nil
        }
        reportsAt = try required("reports-at", "HH:MM") { DailyTime($0) }
        reportTemplatesPath = try file("report-templates")
        let isOnClickHouse = try required("analysis-engine", "sqlite or clickhouse") {
            ["sqlite": false, "clickhouse": true][$0]
        }
        func word(_ name: String) throws(FederationError) -> String {
            try required(name, "letters, digits and _") {
                $0.wholeMatch(of: /[A-Za-z_][A-Za-z0-9_]{0,63}/) != nil ? $0 : nil
            }
        }
        let servers = WarehouseSettings(
            addresses: try required("clickhouse-url", "addresses that begin with http:// or https://") { text in
                let list = text.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
                return list.allSatisfy { $0.wholeMatch(of: /https?:\/\/[^\s?#@]+/) != nil } && !list.isEmpty
                    ? list : nil
            }, user: try word("clickhouse-user"), passwordPath: try file("clickhouse-password-file"),
            database: try word("clickhouse-database"), cluster: try word("clickhouse-cluster"))
        warehouse = isOnClickHouse ? servers : nil
        logLevel = try required("log-level", "a level") { $0 }
    }

    /// Locked by whoever fills ClickHouse.
    package var warehouseLockPath: String { databasePath + "-warehouse-lock" }

    /// Where `init` puts the reference data.
    package var standardReferencePath: String { path(of: "reference.yaml") }

    /// Where a node's own indicators are unless it says otherwise.
    package var standardIndicatorsPath: String { path(of: "indicators.yaml") }

    /// Where `init` puts the catalog.
    package var standardCatalogPath: String { path(of: "catalog.yaml") }

    private func path(of name: String) -> String {
        URL(filePath: directory, directoryHint: .isDirectory).appending(path: name).path
    }

    private static func values(in text: String, path: String) throws(FederationError) -> [String: String] {
        let root: Node?
        do {
            // Yams hands libYAML a pointer that does not outlive a string short enough to be stored inline. Without
            // resolver rules every value stays as it was written: a code with a zero in front is no octal number.
            root = try Parser(yaml: text + String(repeating: "\n", count: 32), resolver: .basic, encoding: .utf8)
                .singleRoot()
        } catch {
            throw FederationError("E_CONFIG_INVALID", "\(path) is not YAML", hint: "\(error)")
        }
        guard let mapping = root?.mapping else {
            throw FederationError(
                "E_CONFIG_INVALID", "\(path) is not a list of settings", hint: "write one `name: value` a line")
        }
        var values: [String: String] = [:]
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            guard names.contains(where: { $0.name == name }) else {
                throw FederationError(
                    "E_CONFIG_INVALID", "\(path) has an unknown setting `\(name)`",
                    hint: suggestion(for: name, among: names.map(\.name)))
            }
            guard let text = value.scalar?.string, !text.isEmpty else {
                throw FederationError(
                    "E_CONFIG_INVALID", "\(path): `\(name)` has no value or more than one",
                    hint: "write `\(name): value`")
            }
            values[name] = text
        }
        return values
    }

    /// The text of a new `node.yaml`.
    package static func file(node: NodeID, listen: String?, localListen: String?) -> String {
        var lines = ["# Settings of one federation node. Relative paths start at this file.", "node: \"\(node)\""]
        if let listen { lines.append("listen: \"\(listen)\"") }
        if let localListen { lines.append("local-listen: \"\(localListen)\"") }
        for (name, standard, help) in names {
            guard let standard, !(name == "listen" && listen != nil), !(name == "local-listen" && localListen != nil)
            else {
                continue
            }
            lines.append("# \(name): \(standard)    # \(help)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
