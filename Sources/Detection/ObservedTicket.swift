import FederationModel

/// What detection sees of a ticket. Persons and places are keys, so that masked and copied rows count alike.
package struct ObservedTicket: Hashable, Sendable {
    /// The ticket's global id.
    package var id: String
    /// When the matter was reported.
    package var at: UnixMilliseconds
    /// Where it happened (GB/T 2260, possibly with street and village).
    package var region: String?
    /// 问题分类, levels with dots between them.
    package var category: String?
    package var unit: String?
    /// The keyed digest of who reported it (identity number, else telephone number); nil when nothing tells persons apart.
    package var person: String?
    /// Where exactly; see ``PlaceKey``.
    package var place: String?
    /// Title and content.
    package var text: String

    package init(
        id: String, at: UnixMilliseconds, region: String? = nil, category: String? = nil, unit: String? = nil,
        person: String? = nil, place: String? = nil, text: String = ""
    ) {
        self.id = id
        self.at = at
        self.region = region
        self.category = category
        self.unit = unit
        self.person = person
        self.place = place
        self.text = text
    }

    /// The category cut to its first levels: `05.01.02` to two of them is `05.01`.
    func category(levels: Int) -> String? {
        category.map { $0.split(separator: ".").prefix(levels).joined(separator: ".") }
    }

    /// The first six digits of the region: its county.
    package var county: String? { region.map { String($0.prefix(6)) } }
}

/// One order for all tickets, whatever way they came.
func isEarlier(_ a: ObservedTicket, _ b: ObservedTicket) -> Bool {
    a.at == b.at ? a.id.precedes(b.id) : a.at < b.at
}

/// Where two tickets have to be to be about one place.
package enum PlaceKey {
    /// The address down to its community or house number; else the cell of 500 m; else the street or village of the region.
    ///
    /// - Parameters:
    ///   - region: GB/T 2260. Equal addresses in two counties are two places.
    ///   - latitude: CGCS2000, in degrees.
    /// - Returns: nil when no more than the county is known.
    package static func of(
        region: String?, address: String?, latitude: Double? = nil, longitude: Double? = nil
    ) -> String? {
        let county = region.map { String($0.prefix(6)) } ?? ""
        if let address, !address.utf8.contains(UInt8(ascii: "*")) {
            let scalars = ComparableText.scalars(of: address).filter { $0 != ComparableText.clauseEnd }
            let named = named(scalars)
            if named.count > 2 { return "\(county)/\(string(named))" }
        }
        if let latitude, let longitude, latitude.isFinite, longitude.isFinite, abs(latitude) <= 90,
            abs(longitude) <= 180
        {
            return "\(county)/\(cell(latitude)):\(cell(longitude))"
        }
        return region.flatMap { $0.utf8.count > 6 ? $0 : nil }
    }

    /// Up to the first word that ends the name of a community, a building or a village; the whole where there is none.
    private static func named(_ scalars: [Unicode.Scalar]) -> ArraySlice<Unicode.Scalar> {
        for end in scalars.indices.dropFirst(2) where endsName(scalars[...end]) { return scalars[...end] }
        return scalars[...]
    }

    private static func endsName(_ scalars: ArraySlice<Unicode.Scalar>) -> Bool {
        endings.contains { ending in
            ending.last == scalars.last && ending.count <= scalars.count
                && scalars.suffix(ending.count).elementsEqual(ending)
        }
    }

    private static let endings = ["小区", "社区", "花园", "家园", "公寓", "大厦", "广场", "村", "号"].map {
        Array($0.unicodeScalars)
    }

    /// Half a kilometre is 0.0045 degrees of latitude; of longitude it is somewhat less than that, in the whole country.
    private static func cell(_ degrees: Double) -> Int { Int((degrees / 0.0045).rounded(.down)) }
}

func string(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var text = String.UnicodeScalarView()
    text.append(contentsOf: scalars)
    return String(text)
}
