import FederationModel
import LocalStore

extension NodeDesk {
    /// What other nodes did to this node's tickets: records on them, conflicts, rows put aside at receivers.
    ///
    /// - Parameters:
    ///   - cursor: the last item that is known; 0 for all.
    ///   - limit: at most so many, 1 to 1,000.
    /// - Throws: `E_INBOX_LIMIT`.
    package func inbox(after cursor: Int64, limit: Int) async throws -> [InboxItem] {
        try await perform(.readInbox) { now in
            guard (1...1_000).contains(limit), cursor >= 0 else {
                throw FederationError(
                    "E_INBOX_LIMIT", "a page of the inbox has 1 to 1000 items, from a cursor of 0 or more")
            }
            try await catchUp(now: now)
            return try await store.inbox(after: cursor, limit: limit)
        }
    }
}

/// A page of the inbox as JSON, for the command line and for systems.
package struct InboxPage: Encodable, Sendable {
    package struct Item: Encodable, Sendable {
        package let cursor: Int64
        package let kind: String
        package let ticket: String?
        package let node: String
        package let at: String
        package let key: String?
        package let detail: String?
    }

    package let items: [Item]
    /// The cursor to go on from.
    package let next: Int64

    package init(_ items: [InboxItem], after cursor: Int64) {
        self.items = items.map {
            Item(
                cursor: $0.cursor, kind: $0.kind, ticket: $0.ticket, node: $0.node, at: ShanghaiTime.rfc3339($0.at),
                key: $0.key, detail: $0.detail)
        }
        next = items.last?.cursor ?? cursor
    }
}
