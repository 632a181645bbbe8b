/// Which tickets a node gives over a link (按需归集). Every condition that is set must hold; in a list one of its values
/// must. A ticket without the value that a condition asks for is not given.
///
/// A record of a ticket's thread is given if its ticket is.
package struct GrantFilter: Hashable, Sendable {
    /// Region codes; each stands for everything below it (`RegionRange`).
    package var regions: [String] = []
    /// Beginnings of service codes.
    package var serviceCodes: [String] = []
    package var requestTypes: [String] = []
    /// The unit that handles the ticket now (主办单位), as `TicketFold` says.
    package var units: [String] = []
    /// false: only tickets that are not confidential now, by the request and what was raised since; true: only those that are.
    package var confidential: Bool?
    /// Only tickets that were requested at this time or later.
    package var from: UnixMilliseconds?

    package init() {}

    /// Whether it gives every ticket.
    package var isEmpty: Bool { self == GrantFilter() }

    /// The columns of `service_request` that decide. When one of them changes, a ticket may enter or leave the sight of a
    /// receiver, and its thread with it.
    package static let columns = ownColumns + foldedColumns

    package static let ownColumns = [
        "region_code", "service_code", "request_type", "confidential", "requested_datetime",
    ]

    /// Those that the thread of a ticket decides. They stand beside the request's own columns and never leave the node.
    package static let foldedColumns = ["agency_responsible", "confidentiality"]

    /// Whether it looks at a column that the thread decides.
    package var isFolded: Bool { !units.isEmpty || confidential != nil }
}

/// What happens to a field on its way out.
package enum FieldTreatment: String, Hashable, Sendable, CaseIterable {
    case keep
    /// A part of it is replaced by `*`, see `Masking`.
    case mask
    /// It is replaced by a keyed digest: equal values stay equal, and nobody without the key finds the value.
    case token
    /// The column does not leave at all.
    case drop

    package var title: String {
        switch self {
        case .keep: "保留"
        case .mask: "脱敏"
        case .token: "令牌化"
        case .drop: "不提供"
        }
    }

    /// Why `column` can't be treated so; nil when it can.
    package func objection(to column: ColumnDefinition) -> String? {
        switch self {
        case .keep: nil
        case .drop: column.isRequired ? "every row must have it" : nil
        case .mask, .token:
            if column.type != .text {
                "it is not text"
            } else if column.codeList != nil || GrantFilter.columns.contains(column.name) {
                "it holds codes"
            } else if Self.identities.contains(column.name) {
                "it tells which ticket is meant"
            } else if self == .token && column.bytesMax < Self.tokenBytes {
                "a token has \(Self.tokenBytes) bytes, and at most \(column.bytesMax) fit"
            } else {
                nil
            }
        }
    }

    /// `~` and 32 hexadecimal digits.
    package static let tokenBytes = 33

    /// Whether a text is a token already, which a node further down has made.
    package static func isToken(_ text: String) -> Bool {
        text.utf8.count == tokenBytes && text.utf8.first == UInt8(ascii: "~")
            && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    private static let identities: Set<String> = [
        "global_id", "ticket_origin", "call_id", "linked_request", "transfer_id", "to_node",
    ]
}

/// What a node gives to one neighbour, as the topology file says it. What it does not name is given whole, except rows of
/// resources that stay here: they are shown only where `rowQueries` says so.
package struct LinkGrant: Hashable, Sendable {
    package var tickets = GrantFilter()
    /// By resource and column; what is missing is kept.
    package var treatments: [ResourceName: [String: FieldTreatment]] = [:]
    /// The resources of which the parent may ask for a page of rows where it holds no copies (逻辑接入).
    package var rowQueries: Set<ResourceName> = []
    /// Answers to the parent's analyses show no group of fewer rows than so many; 0 shows all.
    package var minCell: Int64 = 0

    package init() {}

    package var usesTokens: Bool { treatments.values.contains { $0.values.contains(.token) } }
}
