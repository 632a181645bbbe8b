import FederationModel
import LocalStore
import Logging
import SyncProtocol

/// Keeps what a link says of itself in the database, where `status` reads it: at once when the state changes, otherwise at
/// most five times a second, so that a busy link does not spend its time on telling that it is busy.
package final class LinkStatusWriter: Sendable {
    private let store: NodeStore
    private let peer: NodeID
    private let direction: LinkDirection
    private let logger: Logger
    private let summaries: AsyncStream<LinkSummary>
    private let summary: AsyncStream<LinkSummary>.Continuation
    private let done: AsyncStream<Void>
    private let isDone: AsyncStream<Void>.Continuation

    package init(store: NodeStore, peer: NodeID, direction: LinkDirection, logger: Logger) {
        self.store = store
        self.peer = peer
        self.direction = direction
        self.logger = logger
        (summaries, summary) = AsyncStream.makeStream(of: LinkSummary.self, bufferingPolicy: .bufferingNewest(1))
        (done, isDone) = AsyncStream.makeStream(of: Void.self)
    }

    func update(_ latest: LinkSummary) { summary.yield(latest) }

    /// Ends `run` after the latest summary has been saved, and waits for it.
    func finish() async {
        summary.finish()
        for await _ in done {}
    }

    func run() async {
        var saved: LinkSummary?
        for await latest in summaries {
            let isSmall = saved.map { $0.state == latest.state && $0.lastError == latest.lastError } ?? false
            if isSmall, latest == saved { continue }
            do {
                try await store.save(status(latest))
            } catch {
                logger.warning("the link's state could not be saved", metadata: ["reason": "\(error)"])
            }
            saved = latest
            if isSmall { try? await Task.sleep(for: .milliseconds(200)) }
        }
        isDone.finish()
    }

    private func status(_ summary: LinkSummary) -> LinkStatus {
        let isFine = summary.state == .level
        return LinkStatus(
            peer: peer, direction: direction, state: summary.state, cursor: summary.cursor?.seq ?? 0,
            head: summary.head, lagRows: summary.lagRows, lastContact: summary.lastContact, levelAt: summary.lastLevel,
            error: isFine ? nil : summary.lastError, errorAt: isFine ? nil : summary.lastContact, lost: summary.lost,
            quarantined: summary.quarantined)
    }
}
