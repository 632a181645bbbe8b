/// A row that was put aside, as `quarantine list` shows it. Its fields stay inside: they may be personal data.
package struct QuarantinedRow: Sendable {
    package let id: Int64
    package let sender: String
    package let resource: String
    package let origin: String
    package let key: String
    package let field: String
    package let rule: String
    package let detail: String
    package let receivedAt: UnixMilliseconds

    package init(
        id: Int64, sender: String, resource: String, origin: String, key: String, field: String, rule: String,
        detail: String, receivedAt: UnixMilliseconds
    ) {
        self.id = id
        self.sender = sender
        self.resource = resource
        self.origin = origin
        self.key = key
        self.field = field
        self.rule = rule
        self.detail = detail
        self.receivedAt = receivedAt
    }
}

/// A row that a node which received it has put aside, as its origin hears of it: which one and why, no value and nothing personal.
package struct PutAsideRow: Codable, Hashable, Sendable {
    /// Where it is put aside: a neighbour, or a node beyond it.
    package let node: NodeID
    package let resource: ResourceName
    package let origin: NodeID
    package let key: String
    package let version: Int64
    /// Empty when the row as a whole breaks the rule.
    package let field: String
    package let rule: String

    package init(
        node: NodeID, resource: ResourceName, origin: NodeID, key: String, version: Int64, field: String, rule: String
    ) {
        self.node = node
        self.resource = resource
        self.origin = origin
        self.key = key
        self.version = version
        self.field = field
        self.rule = rule
    }
}

/// What became of rows that were put aside and tried again.
package struct QuarantineRetry: Hashable, Sendable {
    /// They are in their tables now.
    package var taken = 0
    /// They break a rule still, or are not granted any more.
    package var kept = 0
    /// That of the feed after the commit.
    package var head: Seq = 0

    package init() {}
}
