import FederationModel
import Logging
import LogicalQuery
import NodeDesk
import Reporting
import ServiceLifecycle

/// Makes the reports of the timetable when their period is over, and once a day looks whether data have come late (7.2.1.1). Subscribers get
/// them as records of this node.
package struct ReportService: Service {
    private let desk: NodeDesk
    private let timetable: ReportTimetable
    private let logger: Logger

    package init(desk: NodeDesk, timetable: ReportTimetable, logger: Logger) {
        self.desk = desk
        self.timetable = timetable
        self.logger = logger
    }

    /// Between two looks at the clock.
    private static let interval = Duration.seconds(60)

    package func run() async throws {
        await cancelWhenGracefulShutdown {
            var revisedOn: UnixMilliseconds?
            repeat {
                let today = timetable.time.latest(before: wallClock())
                if await turn(revising: revisedOn != today) { revisedOn = today }
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
    }

    /// Makes what is due by the clock of the desk.
    ///
    /// - Returns: whether nothing is left that was due.
    @discardableResult
    package func turn(revising: Bool) async -> Bool {
        do {
            let reports = try await desk.makeDueReports(by: timetable, revising: revising)
            for report in reports { log(report) }
            return reports.allSatisfy { $0.outcome != .incomplete }
        } catch {
            logger.warning("reports could not be made", metadata: ["reason": "\(error)"])
            return false
        }
    }

    private func log(_ made: MadeReport) {
        var metadata: Logger.Metadata = ["report": "\(made.report.document.number)"]
        if !made.missing.isEmpty { metadata["missing"] = .array(made.missing.map { "\($0.node)" }) }
        guard made.outcome == .archived else {
            return logger.notice("a report waits for nodes that are missing", metadata: metadata)
        }
        metadata["revision"] = "\(made.report.revision)"
        logger.info("a report is archived", metadata: metadata)
    }
}
