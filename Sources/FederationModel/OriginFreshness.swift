/// How fresh a node's copy of one origin's rows is.
package struct OriginFreshness: Codable, Hashable, Sendable {
    /// Everything that the origin wrote until then is in the copy, as far as it is granted.
    package var asOf: UnixMilliseconds
    /// Whether the copy has been swept whole since the origin's last new life or policy.
    package var complete: Bool
    /// The topology version on which the origin stands, by its own word; nil from a node of an earlier release.
    package var topology: Int64?
    /// The topology version under which all of it was here last.
    package var level: Int64?

    package init(asOf: UnixMilliseconds, complete: Bool, topology: Int64? = nil, level: Int64? = nil) {
        self.asOf = asOf
        self.complete = complete
        self.topology = topology
        self.level = level
    }
}
