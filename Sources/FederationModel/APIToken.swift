/// What a local system proves itself with when it pushes records, as far as the node keeps it: of the token only a digest.
package struct APIToken: Hashable, Sendable {
    /// Which system it is for; unique.
    package let name: String
    /// SHA-256 of the token, from which nobody gets the token back: it has 256 random bits.
    package let digest: [UInt8]
    /// The resources whose records it may write; nil for all.
    package let resources: [ResourceName]?
    /// The department that reads its tickets with it, and writes nothing; nil for a system that pushes.
    package let department: Department?
    /// Where changes of the department's tickets are sent to, besides being read.
    package let webhook: String?
    package let createdAt: UnixMilliseconds
    package let expiresAt: UnixMilliseconds?
    package var revokedAt: UnixMilliseconds?

    package init(
        name: String, digest: [UInt8], resources: [ResourceName]?, department: Department? = nil,
        webhook: String? = nil, createdAt: UnixMilliseconds, expiresAt: UnixMilliseconds?,
        revokedAt: UnixMilliseconds? = nil
    ) {
        self.department = department
        self.webhook = webhook
        self.name = name
        self.digest = digest
        self.resources = resources
        self.createdAt = createdAt
        self.expiresAt = expiresAt
        self.revokedAt = revokedAt
    }
}

/// Whose tickets a department sees (7.2.2).
package enum Department: Hashable, Sendable {
    /// Those that were given to a unit, by its name or code.
    case unit(String)
    /// Those of a category and everything below it: 省住建厅 looks at 住建 of all cities.
    case category(String)
}
