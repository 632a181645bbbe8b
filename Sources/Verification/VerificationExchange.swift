import FederationModel

/// What is compared: one direction of a link, and of its rows those of a time.
package struct VerificationScope: Hashable, Sendable, Codable {
    /// Who supplies the rows.
    package let sender: NodeID
    package let receiver: NodeID
    /// Nil for all.
    package let resource: ResourceName?
    /// Nil for all that the sender supplies.
    package let origin: NodeID?
    /// Both must stand on it: another topology grants other rows.
    package let topologyVersion: Int64
    /// The schema revision of the asker: what it does not know is not compared. Nil from a node of an earlier release, which knows no
    /// more than the first.
    package let schemaRevision: Int?
    /// Rows whose `timeColumn` lies between the two, without the second; nil for all rows.
    package let from: UnixMilliseconds?
    package let to: UnixMilliseconds?

    /// Whether it is everything that one direction of the link carries.
    package var isWhole: Bool { resource == nil && origin == nil && from == nil && to == nil }

    package init(
        sender: NodeID, receiver: NodeID, resource: ResourceName? = nil, origin: NodeID? = nil,
        topologyVersion: Int64, schemaRevision: Int? = nil, from: UnixMilliseconds? = nil, to: UnixMilliseconds? = nil
    ) {
        self.schemaRevision = schemaRevision
        self.resource = resource
        self.origin = origin
        self.sender = sender
        self.receiver = receiver
        self.topologyVersion = topologyVersion
        self.from = from
        self.to = to
    }
}

/// A step in which one end of a link (the *asker*) holds what it has against what the other has. From the whole it goes down
/// to rows, and only where both differ.
package struct VerificationRequest: Hashable, Sendable, Codable {
    package enum Step: Hashable, Sendable, Codable {
        /// What differs of all resources and origins? The asker has rows of these.
        case totals([RangeTotal])
        /// Which parts of a range differ?
        case parts(PartedRange)
        /// Which rows of a range differ? The asker has these.
        case rows(KeyRange, has: [RowStatement])
        /// From the receiver: send these again.
        case resend(ResourceName, NodeID, keys: [String])
        /// From the sender: these it knows and does not grant, or it has lost them.
        case release(ResourceName, NodeID, withdrawn: [String], lost: [String])
        /// So many rows were found to differ, more than none.
        case outcome(differences: Int)
    }

    package let scope: VerificationScope
    package let step: Step
    /// How far the asker has come if it is the receiver: what the sender wrote later is on its way.
    package let position: ReceiverPosition?

    package init(scope: VerificationScope, step: Step, position: ReceiverPosition? = nil) {
        self.scope = scope
        self.step = step
        self.position = position
    }

    /// Most rows or parts of a step, and most rows of an answer.
    package static let rowsMax = 1_000
    /// From so many rows on a range is parted once more.
    package static let rowsUnparted = 64
    /// Most resources and origins of a step: more than the country has.
    private static let totalsMax = 200_000

    /// - Throws: `E_VERIFY_REQUEST` for more of anything than an asker sends.
    package func check() throws(FederationError) {
        let isTooLarge =
            switch step {
            case .totals(let totals): totals.count > Self.totalsMax
            case .parts(let parted): !(1...RangeSplitter.partsMax + 1).contains(parted.parts.count)
            case .rows(_, let rows): rows.count > Self.rowsMax
            case .resend(_, _, let keys): keys.count > Self.rowsMax
            case .release(_, _, let withdrawn, let lost): withdrawn.count + lost.count > Self.rowsMax
            case .outcome(let differences): differences < 1
            }
        if isTooLarge {
            throw FederationError("E_VERIFY_REQUEST", "a step of a comparison has too many parts, or says nothing")
        }
    }
}

/// Where a receiver stands in the sender's feed once it has everything that was there before it came.
package struct ReceiverPosition: Hashable, Sendable, Codable {
    /// As `Epoch` and `LinkRevision` write themselves.
    package let epoch: String
    package let revision: String
    package let seq: Seq

    package init(_ cursor: Cursor) {
        epoch = cursor.epoch.description
        revision = cursor.revision.description
        seq = cursor.seq
    }
}

/// How one row differs, as seen from the receiver.
package enum RowDifference: String, Hashable, Sendable, Codable {
    /// The sender grants it, and the receiver has it not.
    case missing
    /// The receiver has it, and the sender does not grant it or does not know it.
    case extra
    /// Both have it, in another version or with other fields.
    case different
}

/// What a sender says of a row that differs.
package enum RowVerdict: String, Hashable, Sendable, Codable {
    /// It has changed since the receiver looked, or its change is on its way.
    case onItsWay
    /// It is granted as it is here.
    case granted
    /// It is known and not granted, or deleted.
    case withdrawn
    /// It is not known here.
    case unknown
}

/// A row that differs.
package struct DifferingRow: Hashable, Sendable, Codable {
    package let key: String
    package let difference: RowDifference
    /// Nil where the receiver found it, which can't tell.
    package var verdict: RowVerdict?

    package init(key: String, difference: RowDifference, verdict: RowVerdict? = nil) {
        self.key = key
        self.difference = difference
        self.verdict = verdict
    }
}

/// The answer to a step.
package struct VerificationAnswer: Hashable, Sendable, Codable {
    /// Ranges that differ.
    package var ranges: [KeyRange] = []
    /// Rows that differ, up to `upTo`.
    package var rows: [DifferingRow] = []
    /// The last key that was looked at; nil when the range is done.
    package var upTo: String?
    /// How far the one who answers has come, if it is the receiver.
    package var position: ReceiverPosition?
    /// Rows that are sent again, or were let go of.
    package var changed = 0
    /// The head of whoever answers after that.
    package var head: Seq = 0

    package init() {}
}

/// Holds the rows that a sender grants of a range against those that its receiver has.
package func differences(granted: [RowStatement], received: [RowStatement]) -> [DifferingRow] {
    // By their bytes: to SQLite, two texts that Unicode holds for equivalent are two keys.
    let granted = Dictionary(granted.map { (Array($0.key.utf8), $0) }) { $1 }
    let received = Dictionary(received.map { (Array($0.key.utf8), $0) }) { $1 }
    var found: [DifferingRow] = []
    for key in Set(granted.keys).union(received.keys) {
        let (sent, received) = (granted[key], received[key])
        guard let any = sent ?? received, sent?.digest != received?.digest else { continue }
        let difference: RowDifference = received == nil ? .missing : sent == nil ? .extra : .different
        found.append(DifferingRow(key: any.key, difference: difference))
    }
    return found.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
}
