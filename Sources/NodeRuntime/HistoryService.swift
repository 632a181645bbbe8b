import FederationModel
import Foundation
import LocalStore
import Logging
import NodeDesk
import NodeFiles
import ServiceLifecycle

/// Keeps in a file beside the database where that stood lately. An older database under it, or one that has lost its last commits with
/// the machine's power, is recognised when the service starts, before a neighbour is met (design rule 6).
struct HistoryService: Service {
    let store: NodeStore
    let databasePath: String
    let logger: Logger

    /// What is lost with the machine is found by the neighbours all the same.
    private static let interval = Duration.seconds(10)

    private var path: String { databasePath + "-history" }

    private struct Position: Codable, Equatable {
        let epoch: String
        let seq: Seq
        let mark: String?
    }

    /// Holds the database against the file; before any link runs.
    func check() async throws {
        guard let data = FileManager.default.contents(atPath: path) else { return }
        guard let position = try? JSONDecoder().decode(Position.self, from: data), let epoch = Epoch(position.epoch)
        else {
            logger.warning(
                "the file beside the database can't be read; it is written anew", metadata: ["file": "\(path)"])
            return
        }
        let cursor = Cursor(
            epoch: epoch, seq: position.seq, revision: LinkRevision(topology: 0, policy: 0), sweep: .complete)
        let mark = position.mark.flatMap { HistoryMark($0) }
        guard let next = try await store.recognise(cursor, mark: mark, of: store.node, now: wallClock()) else { return }
        logger.error(
            "this database is older than the one that ran here last; it goes on under a new epoch",
            metadata: ["code": "E_HISTORY_DIFFERS", "epoch": "\(next)"])
    }

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var written: Position?
            repeat {
                written = await write(unless: written)
                try? await Task.sleep(for: Self.interval)
            } while !Task.isCancelled
        }
        _ = await write(unless: nil)
    }

    private func write(unless written: Position?) async -> Position? {
        do {
            let (seq, mark) = try await store.latestMark()
            let position = Position(epoch: store.epoch.description, seq: seq, mark: mark?.description)
            guard position != written else { return written }
            try OutputFile.write(Array(JSONEncoder().encode(position)), to: path, existing: .isReplaced)
            return position
        } catch {
            logger.warning("the file beside the database could not be written", metadata: ["reason": "\(error)"])
            return written
        }
    }
}
