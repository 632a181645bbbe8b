import FederationModel
import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle

/// Removes tombstones and scope-log entries that nobody needs any more: at the start and then each hour.
struct PruningService: Service {
    let store: NodeStore
    /// Milliseconds.
    let retention: Int64
    /// Milliseconds for which it is kept what rows were before an intake.
    let undo: Int64
    let logger: Logger

    private static let interval = Duration.seconds(3_600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await prune()
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
    }

    private func prune() async {
        do {
            let receivers = store.standing.topology.neighbours(of: store.node)
            let report = try await store.prune(receivers: receivers, retention: retention, undo: undo, now: wallClock())
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
