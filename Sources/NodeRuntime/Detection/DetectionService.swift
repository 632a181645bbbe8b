import FederationModel
import Logging
import NodeDesk
import ServiceLifecycle
import Synchronization

/// Judges by the detection rules: what has changed, as soon as the feed's consumers have taken it in, and by the timetable texts,
/// silent nodes, days that have closed, and notifications of situations that nobody acknowledges.
final class DetectionService: Service {
    let desk: NodeDesk
    /// Rung when the consumers have caught up.
    let consumed: ChangeSignal
    let metrics: DetectionMetrics
    let logger: Logger
    /// Counties whose texts changed since they were judged last.
    private let counties = Mutex<Set<String?>>([])
    /// Hours whose alert is to be written with all that it rests on.
    private let hours = Mutex<Set<NodeDesk.SeriesHour>>([])

    init(desk: NodeDesk, consumed: ChangeSignal, metrics: DetectionMetrics, logger: Logger) {
        self.desk = desk
        self.consumed = consumed
        self.metrics = metrics
        self.logger = logger
    }

    /// Changes that come one by one are judged together: an alert within seconds is soon enough.
    private static let pause = Duration.milliseconds(300)
    /// Between two looks at texts and silent nodes.
    private static let interval = Duration.seconds(30)
    /// Looks after which closed days are judged again, for what came late: an hour.
    private static let looksBetweenDays = 120

    func run() async throws {
        let heads = consumed.heads()
        await cancelWhenGracefulShutdown { [self] in
            await withTaskGroup(of: Void.self) { group in
                group.addTask { [self] in
                    await judgeChanges()
                    for await _ in heads {
                        await judgeChanges()
                        try? await Task.sleep(for: Self.pause)
                    }
                }
                group.addTask { [self] in await keepTimetable() }
            }
        }
    }

    private func judgeChanges() async {
        await turn {
            var isEnd = false
            while !isEnd {
                try Task.checkCancellation()
                let turn = try await desk.judgeChanges()
                counties.withLock { $0.formUnion(turn.counties) }
                hours.withLock { $0.formUnion(turn.hours) }
                take(turn)
                isEnd = turn.isEnd
            }
        }
    }

    private func keepTimetable() async {
        await turn {
            let all = try await desk.countiesToJudge()
            counties.withLock { $0.formUnion(all) }
        }
        var looks = 0
        repeat {
            if looks % Self.looksBetweenDays == 0 { await turn { take(try await desk.judgeDays()) } }
            looks += 1
            let changed = counties.withLock { counties in
                defer { counties = [] }
                return counties
            }
            let surging = hours.withLock { hours in
                defer { hours = [] }
                return hours
            }
            if !surging.isEmpty { await turn { take(try await desk.judge(surging)) } }
            if !changed.isEmpty { await turn { take(try await desk.judgeTexts(of: changed)) } }
            await turn { take(try await desk.judgeSilence()) }
            await turn { try await escalate() }
            try? await Task.sleep(for: Self.interval)
        } while !Task.isCancelled
    }

    private func escalate() async throws {
        let count = try await desk.escalateNotifications()
        guard count > 0 else { return }
        logger.notice(
            "notifications that nobody acknowledged go to the node above", metadata: ["notifications": "\(count)"])
    }

    private func take(_ turn: NodeDesk.JudgingTurn) {
        metrics.count(turn)
        if !turn.raised.isEmpty { logger.notice("alerts are raised", metadata: ["alerts": "\(turn.raised.count)"]) }
    }

    /// The next change, or the next look, tries again; the lag shows in status and metrics.
    private func turn(_ work: () async throws -> Void) async {
        do {
            try await work()
        } catch is CancellationError {
        } catch {
            metrics.countFailure()
            logger.error("rules could not be judged", metadata: ["reason": "\(error)"])
        }
    }
}

/// Sends alerts on to the systems outside that the settings name, and tickets to the departments whose tokens name a webhook.
struct DeliveryService: Service {
    let desk: NodeDesk
    let metrics: DetectionMetrics
    let logger: Logger

    private static let interval = Duration.seconds(2)
    /// After one that did not get through.
    private static let pause = Duration.seconds(30)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await repeating("alerts", desk.deliverAlerts, metrics.count) }
                group.addTask { await repeating("tickets of departments", desk.pushToDepartments, metrics.countPushes) }
            }
        }
    }

    private func repeating(
        _ what: String, _ send: @Sendable () async throws -> DeliveryTurn, _ count: @Sendable (DeliveryTurn) -> Void
    ) async {
        repeat {
            var isWell = false
            do {
                let turn = try await send()
                count(turn)
                for failure in turn.failures {
                    logger.warning(
                        "\(what) could not be sent on", metadata: ["code": "\(failure.code)", "reason": "\(failure)"])
                }
                isWell = turn.failures.isEmpty
            } catch is CancellationError {
            } catch {
                logger.warning("\(what) could not be sent on", metadata: ["reason": "\(error)"])
            }
            try? await Task.sleep(for: isWell ? Self.interval : Self.pause)
        } while !Task.isCancelled
    }
}

/// What judging came to since the service started.
final class DetectionMetrics: Sendable {
    struct Figures {
        var raised = 0
        var withdrawn = 0
        var tickets = 0
        var failures = 0
        var delivered = 0
        var undelivered = 0
        /// Pages of departments.
        var pushed = 0
        var unpushed = 0
    }

    private let state = Mutex(Figures())

    var figures: Figures { state.withLock(\.self) }

    func count(_ turn: NodeDesk.JudgingTurn) {
        state.withLock {
            $0.raised += turn.raised.count
            $0.withdrawn += turn.withdrawn
            $0.tickets += turn.tickets
        }
    }

    func count(_ turn: DeliveryTurn) {
        state.withLock {
            $0.delivered += turn.delivered
            $0.undelivered += turn.failures.count
        }
    }

    func countPushes(_ turn: DeliveryTurn) {
        state.withLock {
            $0.pushed += turn.delivered
            $0.unpushed += turn.failures.count
        }
    }

    func countFailure() { state.withLock { $0.failures += 1 } }
}
