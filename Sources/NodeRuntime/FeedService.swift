import FederationModel
import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle

/// Keeps everything downstream of the feed awake: a command that has written rings, links and consumers hear of it, and
/// the consumers catch up.
struct FeedService: Service {
    let store: NodeStore
    let signal: ChangeSignal
    let rings: AsyncStream<Void>
    let runsConsumers: Bool
    let logger: Logger
    /// Rung when the consumers of the database have caught up.
    let consumed: ChangeSignal
    /// Called when a command has begun another epoch of the database, with its head.
    let onNewEpoch: @Sendable (Epoch, Seq) -> Void

    func run() async throws {
        let heads = signal.heads()
        await cancelWhenGracefulShutdown {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { for await _ in rings { await announceHead() } }
                if runsConsumers {
                    for consumer in store.externalConsumers { group.addTask { await feed(consumer) } }
                    group.addTask {
                        await catchUp(to: 0)
                        for await head in heads { await catchUp(to: head) }
                    }
                }
            }
        }
    }

    /// Each by itself: one that stalls or fails holds back nothing else.
    private func feed(_ consumer: some ExternalConsumer) async {
        // What tickets' states come to is exported with their records.
        var heads = consumed.heads().makeAsyncIterator()
        while !Task.isCancelled {
            do {
                while try await !store.advance(consumer) { try Task.checkCancellation() }
                guard await heads.next() != nil else { return }
            } catch is CancellationError {
                return
            } catch {
                logger.warning(
                    "a consumer outside of the database failed",
                    metadata: ["consumer": "\(consumer.name)", "reason": "\(error)"])
                try? await store.note(error as? FederationError ?? .store(error), of: consumer, at: wallClock())
                try? await Task.sleep(for: Self.retryAfter)
            }
        }
    }

    private static let retryAfter = Duration.seconds(10)

    /// While others write, an import or a link, they have the database and the processor for so much of the time that consumers take:
    /// what consumers derive may wait, and whoever reads it brings them up to date.
    private static let othersShare = 3

    private func announceHead() async {
        do {
            let head = try await store.head()
            if let epoch = try await store.takeStoredEpoch() { onNewEpoch(epoch, head) }
            signal.ring(head: head)
        } catch {
            logger.warning("the feed could not be read", metadata: ["reason": "\(error)"])
        }
    }

    /// - Parameter head: what links know of. A consumer may move it, when rows are for somebody else now.
    private func catchUp(to head: Seq) async {
        do {
            var known = try await store.head()
            while true {
                try Task.checkCancellation()
                let start = ContinuousClock.now
                if try await store.advanceConsumers(now: wallClock()) { break }
                let now = try await store.head()
                if now > known { try await Task.sleep(for: (ContinuousClock.now - start) * Self.othersShare) }
                known = now
            }
            let moved = try await store.head()
            if moved > head { signal.ring(head: moved) }
            consumed.ring(head: moved)
        } catch is CancellationError {
        } catch {
            // The next change tries again; the lag shows in status and metrics.
            logger.error("a consumer of the feed failed", metadata: ["reason": "\(error)"])
        }
    }
}
