import FederationModel

/// A situation that is over, as far as it says how near it is to another matter.
package struct Precedent: Hashable, Sendable {
    package let id: String
    package let kind: SituationType?
    package let region: String?
    package let category: String?
    package let closedAt: UnixMilliseconds

    package init(
        id: String, kind: SituationType?, region: String?, category: String?, closedAt: UnixMilliseconds
    ) {
        self.id = id
        self.kind = kind
        self.region = region
        self.category = category
        self.closedAt = closedAt
    }

    /// The ones that are nearest to a matter (7.2.1.2: similar situations of the past), the nearest first: by levels of the category that
    /// are the same, then by digits of the region, then by kind, then the latest. One that has neither category nor kind in common is
    /// none.
    package static func nearest(
        to category: String?, in region: String?, kind: SituationType, among all: [Precedent], limit: Int = 3
    ) -> [Precedent] {
        all.map { precedent in
            (
                precedent,
                rank: (
                    common(precedent.category?.split(separator: "."), category?.split(separator: ".")),
                    common(precedent.region.map { Array($0) }, region.map { Array($0) }),
                    precedent.kind == kind ? 1 : 0, precedent.closedAt
                )
            )
        }
        .filter { $0.rank.0 > 0 || $0.rank.2 > 0 }
        .sorted { $0.rank == $1.rank ? $0.0.id.precedes($1.0.id) : $0.rank > $1.rank }
        .prefix(limit).map(\.0)
    }

    private static func common<Element: Equatable>(_ a: [Element]?, _ b: [Element]?) -> Int {
        zip(a ?? [], b ?? []).prefix { $0 == $1 }.count
    }
}
