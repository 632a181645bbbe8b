import LocalStore
import Logging
import NodeDesk
import ServiceLifecycle

/// Issues anew what this node wrote under a clock that was ahead, once its clock is right: at the start and then each hour.
struct ReissueService: Service {
    let store: NodeStore
    let signal: ChangeSignal
    let logger: Logger

    private static let interval = Duration.seconds(3_600)

    func run() async throws {
        await cancelWhenGracefulShutdown {
            repeat {
                await reissue()
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
}
