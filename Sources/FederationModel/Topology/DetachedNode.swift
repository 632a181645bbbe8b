/// A node that a topology has removed and still names: what it left is kept.
///
/// A node that is removed and not named here is purged: its rows are deleted everywhere but at itself, with a deletion record.
package struct DetachedNode: Hashable, Sendable {
    package let id: NodeID
    package let name: String
    /// Whose child it was. Answers over that node, and over those above it, go on counting its tickets.
    package let parent: NodeID

    package init(id: NodeID, name: String, parent: NodeID) {
        self.id = id
        self.name = name
        self.parent = parent
    }
}
