/// One way of a ticket from its owner to another node, as all records of the thread together have it.
package struct TicketTransfer: Hashable, Sendable {
    package let id: String
    /// Who offered it; of one that was never offered, who owned the handling when it was designated.
    package let from: String
    package let to: String
    /// The how manieth of the ticket, as whoever offered it counted.
    package let ordinal: Int64
    package let offeredAt: UnixMilliseconds
    /// The time limit that it carries; nil when that of the ticket goes on.
    package let due: UnixMilliseconds?
    package internal(set) var standing: Standing
    /// When it was accepted, returned or designated.
    package internal(set) var answeredAt: UnixMilliseconds?

    package init(
        id: String, from: String, to: String, ordinal: Int64, offeredAt: UnixMilliseconds, due: UnixMilliseconds?,
        standing: Standing, answeredAt: UnixMilliseconds? = nil
    ) {
        self.id = id
        self.from = from
        self.to = to
        self.ordinal = ordinal
        self.offeredAt = offeredAt
        self.due = due
        self.standing = standing
        self.answeredAt = answeredAt
    }

    /// How far a transfer is. The raw values are what the command line says.
    package enum Standing: String, Sendable {
        case open
        case accepted
        case returned
        case designated
        /// Nobody answers it any more: the handling went another way.
        case lapsed

        package var title: String {
            switch self {
            case .open: "待接收"
            case .accepted: "已接收"
            case .returned: "已退回"
            case .designated: "已指定"
            case .lapsed: "已失效"
            }
        }
    }
}

extension TicketFold {
    /// The transfers of a ticket in the order in which they were offered, by the records of its thread.
    package func transfers(in events: [TicketEvent]) -> [TicketTransfer] {
        folding(of: events).transfers
    }
}

extension LifecycleRules {
    /// Until when an offer may be returned. Later its target can accept it still, and the common parent may designate.
    package func answerLimit(ofOffer offeredAt: UnixMilliseconds) -> UnixMilliseconds {
        calendar.end(ofWorkingDay: returnWorkingDays, after: offeredAt)
    }
}

/// The code of `transfer_kind`, told by the codes of the nodes: `370000` is a province, `370100` a city, others are counties.
package func transferKind(from: NodeID, to: NodeID) -> String {
    func level(_ node: NodeID) -> Int { node.code.hasSuffix("0000") ? 0 : node.code.hasSuffix("00") ? 1 : 2 }
    return switch (level(from), level(to)) {
    case (0, _): "province_to_city"
    case (1, 0): "city_to_province"
    case (1, 1): "city_to_city"
    case (1, _): "city_to_county"
    default: "county_to_city"
    }
}
