import ArgumentParser
import FederationModel
import Foundation
import Logging
import NodeDesk
import NodeRuntime

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the node in the foreground.",
        discussion: """
            Prints one line `listening …` on stdout when it is ready; its log goes to stderr, one JSON object a line. \
            SIGTERM finishes what is in flight and ends it.

            EXAMPLE
              federation-node serve --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    func run() async throws {
        let desk = try node.desk()
        guard let level = Logger.Level(rawValue: desk.settings.logLevel) else {
            throw FederationError(
                "E_CONFIG_INVALID",
                "log-level is not one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        var logger = Logger(label: "federation-node") { _ in JSONLogHandler() }
        logger.logLevel = level
        logger[metadataKey: "node"] = "\(desk.id)"
        try await NodeService(desk, logger: logger).run { addresses in
            var line = "listening https://\(addresses.peers) (other nodes) http://\(addresses.local) (this machine)"
            if let intake = addresses.intake { line += " https://\(intake) (local systems)" }
            // Not `print`: into a pipe it would wait in a buffer.
            FileHandle.standardOutput.write(Data("\(line)\n".utf8))
        }
    }
}

/// One JSON object a line on stderr: a constant message, and what varies as fields.
struct JSONLogHandler: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var fields: [String: String] = [
            "time": ShanghaiTime.rfc3339(wallClock()), "level": event.level.rawValue, "message": "\(event.message)",
        ]
        for (key, value) in metadata.merging(event.metadata ?? [:], uniquingKeysWith: { $1 }) {
            fields[key] = "\(value)"
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let line = try? encoder.encode(fields) else { return }
        FileHandle.standardError.write(line + Data("\n".utf8))
    }
}
