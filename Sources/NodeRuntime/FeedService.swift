import FederationModel
import LocalStore
import Logging
import ServiceLifecycle

/// Keeps everything downstream of the feed awake: a command that has written rings, links and consumers hear of it, and
/// the consumers catch up.
struct FeedService: Service {
    let store: NodeStore
    let signal: ChangeSignal
    let rings: AsyncStream<Void>
    let runsConsumers: Bool
    let logger: Logger

    func run() async throws {
        let heads = signal.heads()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in rings { await announceHead() } }
                if runsConsumers {
                    group.addTask {
                        await catchUp()
                        for await _ in heads { await catchUp() }
                    }
                }
            }
        }
    }

    private func announceHead() async {
        do {
            signal.ring(head: try await store.head())
        } catch {
            logger.warning("the feed could not be read", metadata: ["reason": "\(error)"])
        }
    }

    private func catchUp() async {
        do {
            let head = try await store.head()
            while try await !store.advanceConsumers(now: wallClock()) { try Task.checkCancellation() }
            // A consumer may write too: the confirmation of a removal goes out at once.
            if try await store.head() != head { await announceHead() }
        } catch is CancellationError {
        } catch {
            // The next change tries again; the lag shows in status and metrics.
            logger.error("a consumer of the feed failed", metadata: ["reason": "\(error)"])
        }
    }
}
