import FederationModel

/// A question that travelled between this node and a neighbour, and what became of it (5.2-1). Of the answer only its size
/// is kept, and the question holds no personal data: nobody can search by personal fields.
package struct QueryLogEntry: Hashable, Sendable {
    package enum Direction: String, Sendable {
        /// This node asked a child.
        case asked
        /// This node answered its parent.
        case answered
    }

    package enum Kind: String, Sendable {
        case analysis
        case rows
    }

    /// When the question was sent or came in.
    package let at: UnixMilliseconds
    package let direction: Direction
    package let peer: NodeID
    package let kind: Kind
    package let resource: ResourceName
    /// Its conditions, as people write them; the beginning of a very long one.
    package let question: String
    /// What was asked for: columns, or dimensions and measures.
    package let columns: String
    /// How many origins were asked for.
    package let origins: Int
    /// Rows or groups of the answer.
    package let rows: Int
    /// Bytes of the answer as it travelled.
    package let bytes: Int
    /// `ok`, or the code of the error.
    package let outcome: String
    package let durationMS: Int64

    /// Longest text of a question or of a list of columns that is kept, in characters.
    private static let textMax = 2_000

    package init(
        at: UnixMilliseconds, direction: Direction, peer: NodeID, kind: Kind, resource: ResourceName, question: String,
        columns: String, origins: Int, rows: Int, bytes: Int, outcome: String, durationMS: Int64
    ) {
        self.at = at
        self.direction = direction
        self.peer = peer
        self.kind = kind
        self.resource = resource
        self.question = String(question.prefix(Self.textMax))
        self.columns = String(columns.prefix(Self.textMax))
        self.origins = origins
        self.rows = rows
        self.bytes = bytes
        self.outcome = outcome
        self.durationMS = durationMS
    }
}
