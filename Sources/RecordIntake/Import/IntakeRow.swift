import FederationModel

/// One row of a source: all the records that it became, or why it became none. A row is taken or refused as a whole.
package struct IntakeRow: Hashable, Sendable {
    /// 1 for the first row after the header.
    package let number: Int
    /// The physical line of the file on which the row begins.
    package let line: Int
    package let result: Result<SourceRow, RowRejection>
    /// By what it is known among the rows of its source; nil for one that was refused before that was known.
    package let identity: RowIdentity?

    /// The same row, refused after all.
    package func refused(_ rejection: RowRejection) -> IntakeRow {
        IntakeRow(number: number, line: line, result: .failure(rejection), identity: identity)
    }
}

/// What tells rows of one source apart, in a few bytes: of a file of millions every row's is remembered.
package struct RowIdentity: Hashable, Sendable {
    /// Of the global id.
    package let ticket: UInt64
    /// Of the global id and, where a ticket has several rows, of what tells these apart.
    package let row: UInt64
    /// Of what the row says; the same in this process alone.
    package let content: UInt32
}

/// The rows of one file that have been read, to notice one that comes again.
package struct SeenRows: Sendable {
    package enum Meeting: Hashable, Sendable {
        case new
        /// Said before, word for word.
        case repeated
        /// A row with this number has the same key and says something else.
        case contradicted(first: Int)
    }

    /// The first row's number and what it said, by what it is.
    private var rows: [UInt64: UInt64] = [:]
    /// Of tickets that have several rows.
    private var ticketsOfSeveral: Set<UInt64> = []

    package init() {}

    /// The tickets of all rows (`RowIdentity.ticket`).
    package var tickets: [UInt64] { ticketsOfSeveral.isEmpty ? Array(rows.keys) : Array(ticketsOfSeveral) }

    package mutating func meet(_ identity: RowIdentity, number: Int) -> Meeting {
        let seen = UInt64(UInt32(truncatingIfNeeded: number)) << 32 | UInt64(identity.content)
        if identity.row != identity.ticket { ticketsOfSeveral.insert(identity.ticket) }
        guard let first = rows.updateValue(seen, forKey: identity.row) else { return .new }
        rows[identity.row] = first
        return UInt32(truncatingIfNeeded: first) == identity.content
            ? .repeated : .contradicted(first: Int(first >> 32))
    }
}

extension RowRejection {
    /// A row of a file of which each row is a ticket of its own.
    package static func repeated(first: Int) -> RowRejection {
        RowRejection(
            code: "E_ROW_REPEATED",
            reason: "row \(first) of this file has the same key and says something else",
            hint: "choose a key whose values differ from row to row, or `closure: append` where the later row counts")
    }
}
