/// How fresh a node's copy of one origin's rows is.
package struct OriginFreshness: Codable, Hashable, Sendable {
    /// Everything that the origin wrote until then is in the copy, as far as it is granted.
    package var asOf: UnixMilliseconds
    /// Whether the copy has been swept whole since the origin's last new life or policy.
    package var complete: Bool

    package init(asOf: UnixMilliseconds, complete: Bool) {
        self.asOf = asOf
        self.complete = complete
    }
}
