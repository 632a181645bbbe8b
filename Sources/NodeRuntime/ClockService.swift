import ChangeSetFormat
import FederationModel
import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle

/// Mends what wrong clocks have left, as soon as a neighbour's clock agrees with this node's: a machine can't tell by itself whether its
/// clock is wrong or was. When they agreed is noted, so that nothing is taken in under a clock that can't be right.
struct ClockService: Service {
    let store: NodeStore
    let links: LinkRegistry
    let signal: ChangeSignal
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await mend()
                try? await Task.sleep(for: .milliseconds(SyncLimits.heartbeatInterval))
            }
        }
    }

    private func mend() async {
        let now = wallClock()
        for link in links.allIncoming where await link.doClocksAgree(now: now) { return await mend(now: now) }
    }

    private func mend(now: UnixMilliseconds) async {
        // Where it can't be written, links say so.
        try? await store.noteAgreedClock(now: now)
        do {
            let (rows, head) = try await store.reissueFutureVersions(now: now)
            if rows > 0 {
                signal.ring(head: head)
                logger.warning(
                    "rows that were written under a clock which was ahead were issued anew",
                    metadata: ["rows": "\(rows)"])
            }
            let retry = try await store.retryEarlyRows(policies: store.standing.incoming, now: now)
            if retry.taken > 0 {
                signal.ring(head: retry.head)
                logger.notice("rows that had come before their time were taken", metadata: ["rows": "\(retry.taken)"])
            }
        } catch {
            logger.warning("what a wrong clock has left can't be mended now", metadata: ["reason": "\(error)"])
        }
    }
}
