import FederationModel
import Logging
import NodeDesk
import ServiceLifecycle

/// Holds both ends of each link against each other once a day, by itself (5.1-4). The outcome is in `status` and the metrics.
package struct ComparisonService: Service {
    private let desk: NodeDesk
    private let schedule: ComparisonSchedule
    private let logger: Logger

    package init(desk: NodeDesk, schedule: ComparisonSchedule, logger: Logger) {
        self.desk = desk
        self.schedule = schedule
        self.logger = logger
    }

    /// Between two looks at the clock.
    private static let interval = Duration.seconds(60)
    /// After a comparison that could not be made.
    private static let pause = Duration.seconds(600)

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                let isDone = await turn()
                try? await Task.sleep(for: isDone ? Self.interval : Self.pause)
            } while !Task.isCancelled
        }
    }

    /// Makes what is due by the clock of the desk.
    ///
    /// - Returns: whether nothing is left that was due.
    @discardableResult
    package func turn() async -> Bool {
        do {
            let reports = try await desk.verifyDueLinks(by: schedule)
            for report in reports { log(report) }
            return reports.allSatisfy { $0.error == nil }
        } catch {
            logger.warning("links could not be compared", metadata: ["reason": "\(error)"])
            return false
        }
    }

    private func log(_ report: VerificationReport) {
        var metadata: Logger.Metadata = ["peer": "\(report.peer.id)", "direction": "\(report.direction.rawValue)"]
        if let error = report.error {
            metadata.merge(["code": "\(error.code)", "reason": "\(error)"]) { $1 }
            return logger.notice("a link could not be compared yet", metadata: metadata)
        }
        guard !report.isEqual else { return logger.info("both ends of a link are equal", metadata: metadata) }
        // Which rows they are `sync verify` says to a person.
        let counts = Dictionary(report.differences.map { ($0.resource.text, $0.rows.count) }, uniquingKeysWith: +)
        metadata["rows"] = "\(counts.values.reduce(0, +))"
        metadata["resources"] = .dictionary(counts.mapValues { "\($0)" })
        logger.error("both ends of a link differ", metadata: metadata)
    }
}
