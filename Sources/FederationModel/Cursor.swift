/// What both ends of a link must agree on before rows may flow: the topology and the policy that the sender applies.
package struct LinkRevision: Hashable, Sendable, Comparable, CustomStringConvertible {
    package let topology: Int64
    package let policy: Int64

    package init(topology: Int64, policy: Int64) {
        self.topology = topology
        self.policy = policy
    }

    package var description: String { "\(topology).\(policy)" }

    package static func < (a: LinkRevision, b: LinkRevision) -> Bool {
        (a.topology, a.policy) < (b.topology, b.policy)
    }
}

/// A row's identity everywhere in the federation. Ordered byte by byte, as SQLite orders text; Swift's own order of
/// strings looks through Unicode's equivalences.
package struct RowKey: Hashable, Sendable, Comparable, Codable {
    package let origin: String
    package let key: String

    /// Longest key in bytes of UTF-8, at intake and on every link: a row with a longer one would never leave its node.
    package static let bytesMax = 200

    package init(origin: String, key: String) {
        self.origin = origin
        self.key = key
    }

    /// By bytes: of two keys that Unicode holds for equivalent each is a row of its own, as in SQLite.
    package static func == (a: RowKey, b: RowKey) -> Bool {
        a.origin.isSame(as: b.origin) && a.key.isSame(as: b.key)
    }

    package func hash(into hasher: inout Hasher) { key.hashBytes(into: &hasher) }

    package static func < (a: RowKey, b: RowKey) -> Bool {
        a.origin.isSame(as: b.origin) ? a.key.precedes(b.key) : a.origin.precedes(b.origin)
    }
}

/// How far a sweep has come: the complete statement, bucket by bucket of the key space, of what a receiver is granted.
///
/// A bucket is a half-open range of one resource's (origin, key) order, cut where the change-set was full. So it needs no
/// table of buckets, its rows arrive in the order of the receiver's index, and the position is all that a resume needs.
package enum SweepPosition: Hashable, Sendable, CustomStringConvertible {
    /// Everything up to and including `after` of `resource` has been stated; nil stands before the first row.
    case at(resource: ResourceName, after: RowKey?)
    case complete

    package var description: String {
        switch self {
        case .complete: "complete"
        case .at(let resource, nil): "\(resource)"
        case .at(let resource, let after?): "\(resource) after \(after.origin) \(after.key)"
        }
    }
}

/// The receiver's durable state for one sender, committed together with the rows (design rule 5).
///
/// It is the truth about what the receiver has: a change-set that does not start exactly here is dropped and asked for
/// again.
package struct Cursor: Hashable, Sendable {
    /// The sender's epoch; its seqs mean something only within it.
    package var epoch: Epoch
    /// Every change of the sender up to this seq is here, as far as it is granted.
    package var seq: Seq
    package var revision: LinkRevision
    package var sweep: SweepPosition

    package init(epoch: Epoch, seq: Seq, revision: LinkRevision, sweep: SweepPosition) {
        self.epoch = epoch
        self.seq = seq
        self.revision = revision
        self.sweep = sweep
    }
}
