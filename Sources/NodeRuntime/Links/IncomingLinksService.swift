import FederationModel
import ServiceLifecycle

/// Looks after the receiving ends: saves their status and lets silence show.
struct IncomingLinksService: Service {
    let links: [NodeID: IncomingLink]
    let writers: [LinkStatusWriter]

    func run() async throws {
        await withTaskGroup(of: Void.self) { group in
            for writer in writers { group.addTask { await writer.run() } }
            await cancelWhenGracefulShutdown {
                while !Task.isCancelled {
                    try? await Task.sleep(for: .seconds(2))
                    for link in links.values { await link.refreshStatus() }
                }
            }
            for writer in writers { await writer.finish() }
        }
    }
}
