/// What several nodes do about one matter: a head record, records of other nodes that refer to it, a pure fold of them all,
/// and a pure function that names who must see them. The store folds, shares, lists and shows every kind alike.
package protocol ThreadKind<Record>: Sendable {
    associatedtype Record: Sendable
    associatedtype State: ThreadState

    /// Stable: it names the kind in the store's tables.
    var name: String { get }

    /// Its resources, the head's first, each with the columns that are read.
    var forms: [ThreadForm<Record>] { get }

    /// The column that names the thread in each of them; `key`, the row's own, where a record is a thread by itself.
    var key: String { get }

    /// Says on what else than the records a state rests. When it changes, all threads are folded anew.
    func basis(_ rules: LifecycleRules) -> String

    /// Depends on the set of records alone, not on the order in which they arrived.
    func fold(_ records: [Record], rules: LifecycleRules) -> State

    /// Who must see the thread, whatever the aggregation mode.
    ///
    /// - Parameters:
    ///   - records: those that are live at `here`, the node from which it would go to them.
    /// - Returns: empty when it can't be told whose it is.
    func audience(_ records: [Record], at here: NodeID, topology: Topology) -> Set<NodeID>
}

/// What a thread comes to.
package protocol ThreadState: Sendable {
    /// A word for lists.
    var word: String { get }
    /// Since when; nil when no record says so.
    var since: UnixMilliseconds? { get }
}

/// How the records of one resource are read for a fold.
package struct ThreadForm<Record>: Sendable {
    package let resource: ResourceName
    package let columns: [String]
    /// Makes a record of a row: origin, key, version, and the values of `columns`.
    package let record: @Sendable (_ origin: String, _ key: String, _ version: Int64, _ values: [FieldValue]) -> Record

    package init(
        _ resource: ResourceName, columns: [String],
        record:
            @escaping @Sendable (_ origin: String, _ key: String, _ version: Int64, _ values: [FieldValue]) -> Record
    ) {
        self.resource = resource
        self.columns = columns
        self.record = record
    }
}

/// To which thread a record belongs, so that it goes to whom that concerns.
package struct ThreadLink: Hashable, Sendable {
    /// The name of a `ThreadKind`.
    package let kind: String
    /// The column that names the thread.
    package let column: String

    package init(kind: String, column: String) {
        self.kind = kind
        self.column = column
    }
}
