import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import Logging
import NodeDesk
import NodeFiles
import NodeRuntime

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Run the node in the foreground.",
        discussion: """
            Prints one line `listening …` on stdout when it is ready; its log goes to stderr, one JSON object a line. \
            SIGTERM finishes what is in flight and ends it; SIGHUP makes it look at its certificates.

            EXAMPLE
              federation-node serve --config /srv/370100/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    func run() async throws {
        // From the first moment on: a signal that means nothing to this program must not end it either.
        for number in [SIGHUP, SIGUSR1, SIGUSR2] { signal(number, SIG_IGN) }
        let desk = try node.desk()
        guard let level = Logger.Level(rawValue: desk.settings.logLevel) else {
            throw FederationError(
                "E_CONFIG_INVALID",
                "log-level is not one of \(Logger.Level.allCases.map(\.rawValue).joined(separator: ", "))")
        }
        var logger = Logger(label: "federation-node") { _ in JSONLogHandler() }
        logger.logLevel = level
        logger[metadataKey: "node"] = "\(desk.id)"
        try await NodeService(desk, logger: logger).run { [logger] addresses in
            var line = "listening https://\(addresses.peers) (other nodes) http://\(addresses.local) (this machine)"
            if let intake = addresses.intake { line += " https://\(intake) (local systems)" }
            do {
                try Output.line(line)
            } catch {
                logger.warning(
                    "the line `listening` can't be written", metadata: ["reason": "\(error)", "line": "\(line)"])
            }
        }
    }
}

/// One JSON object a line on stderr: a constant message, and what varies as fields. `linesLost` counts the lines before it
/// that could not be written.
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
        StandardStreams.log { lost in
            if lost > 0 { fields["linesLost"] = "\(lost)" }
            return Array("\((try? Output.document(fields)) ?? "{}")\n".utf8)
        }
    }
}
