/// A topology release that this node has adopted.
package struct AdoptedRelease: Hashable, Sendable {
    package let release: TopologyRelease
    package let adoptedAt: UnixMilliseconds

    package init(release: TopologyRelease, adoptedAt: UnixMilliseconds) {
        self.release = release
        self.adoptedAt = adoptedAt
    }
}
