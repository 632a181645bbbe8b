import FederationModel
import LocalStore

/// One node: its database, its clock, and the ends of its links as long as its process runs.
final class SimulatedNode {
    let id: NodeID
    var store: NodeStore
    /// Where the database is now; each life of a process has a file of its own.
    var path: String
    var isUp = false
    /// Raised with each start: what a former process had begun is lost.
    var life = 0

    /// What its clock shows, against true time.
    var clockOffset: Int64 = 0
    /// When its clock stood still; nil while it runs.
    var stoppedClock: UnixMilliseconds?

    var sending: [NodeID: SendingEnd] = [:]
    var receiving: [NodeID: ReceivingEnd] = [:]

    /// Up to there the log was on disk at the last durable commit.
    var durableBytes = 0
    /// States of the database to which it may go back.
    var snapshots: [Snapshot] = []
    var sidecar: Sidecar?
    /// Whether it went back to an older database and nothing has told it so.
    var isUndeclared = false
    /// What it tells of its own release.
    let capabilities: [String]

    var isAdopting = false
    var isFoldingPlanned = false
    /// Rows whose tombstones it has removed.
    var pruned: Set<String> = []
    /// By how much its pruning is ahead of time.
    var pruningClock: Int64 = 0

    /// A database as it was: SQLite appends to its log, so a prefix of the log is an earlier state.
    struct Snapshot {
        let path: String
        let logBytes: Int
        let sidecar: Sidecar?
    }

    /// The file beside the database (`HistoryService`).
    struct Sidecar: Equatable {
        let epoch: Epoch
        let seq: Seq
        let mark: HistoryMark?
    }

    init(_ id: NodeID, store: NodeStore, path: String, capabilities: [String]) {
        self.id = id
        self.store = store
        self.path = path
        self.capabilities = capabilities
    }

    func clock(_ now: UnixMilliseconds) -> UnixMilliseconds { stoppedClock ?? now + clockOffset }

    var topology: Topology { store.standing.topology }
}
