/// Something that another node did to a ticket of this one, or said of its rows: what the system beside the node would not learn of
/// otherwise.
package struct InboxItem: Hashable, Sendable {
    /// Its place in the inbox, from 1.
    package let cursor: Int64
    /// The resource of the record that came (`supervision`, `transfer`, …), `alert`, `conflict`, or `quarantine`.
    package let kind: String
    /// Global id; nil for a quarantine that is told of a link as a whole, for a row that belongs to no ticket, and for an alert that rests on
    /// several.
    package let ticket: String?
    /// Who did it; of a conflict, who wrote the record that contradicts.
    package let node: String
    /// The record's time; when it came, where it has none.
    package let at: UnixMilliseconds
    /// The record's key, so that it can be looked up, of an alert its id; of a conflict, that of the record which contradicts.
    package let key: String?
    /// The code of a conflict; the level of an alert; of a row that was put aside the rule that it breaks, of a link how many the receiver has put aside.
    package let detail: String?

    package init(
        cursor: Int64, kind: String, ticket: String?, node: String, at: UnixMilliseconds, key: String?, detail: String?
    ) {
        self.cursor = cursor
        self.kind = kind
        self.ticket = ticket
        self.node = node
        self.at = at
        self.key = key
        self.detail = detail
    }
}
