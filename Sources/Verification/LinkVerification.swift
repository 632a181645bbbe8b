import FederationModel

/// How one direction of a link stood when both ends were last held against each other.
package struct LinkVerification: Hashable, Sendable {
    package let at: UnixMilliseconds
    /// Rows that differed then.
    package let differences: Int
    /// When none differed last, and where the receiver stood in the sender's feed then.
    package let equalAt: UnixMilliseconds?
    package let equalSeq: Seq?

    package init(at: UnixMilliseconds, differences: Int, equalAt: UnixMilliseconds?, equalSeq: Seq?) {
        self.at = at
        self.differences = differences
        self.equalAt = equalAt
        self.equalSeq = equalSeq
    }
}
