import FederationModel
import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle

/// Removes tombstones and scope-log entries that nobody needs any more, and issues anew what was written under a clock that was ahead: at
/// the start and then each hour.
struct PruningService: Service {
    let store: NodeStore
    /// Milliseconds.
    let retention: Int64
    let signal: ChangeSignal
    let logger: Logger

    private static let interval = Duration.seconds(3_600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await reissue()
                await prune()
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
    }

    private func reissue() async {
        do {
            let (rows, head) = try await store.reissueFutureVersions(now: wallClock())
            guard rows > 0 else { return }
            signal.ring(head: head)
            logger.warning(
                "rows that were written under a clock which was ahead were issued anew", metadata: ["rows": "\(rows)"])
        } catch {
            logger.warning("versions could not be looked at", metadata: ["reason": "\(error)"])
        }
    }

    private func prune() async {
        do {
            let receivers = store.standing.topology.neighbours(of: store.node)
            let report = try await store.prune(receivers: receivers, retention: retention, now: wallClock())
            guard report.tombstones + report.scopeEntries > 0 else { return }
            logger.info(
                "what every receiver has was removed from the feed",
                metadata: [
                    "tombstones": "\(report.tombstones)", "scope-entries": "\(report.scopeEntries)",
                    "floor": "\(report.floor)",
                ])
        } catch {
            // The next turn tries again; nothing but disk space depends on it.
            logger.warning("tombstones could not be removed", metadata: ["reason": "\(error)"])
        }
    }
}
