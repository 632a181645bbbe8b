import FederationModel

extension Analysis {
    /// What tickets are split by, or filtered on. Times are days, ISO weeks and months of Asia/Shanghai, which has been
    /// +08:00 without summer time since 1991. A ticket without the value falls into the null group.
    package enum Dimension: AnalysisWord {
        /// The node that took the ticket in (受理口径).
        case origin
        /// 事发地区划 as stored; with a level cut to it, codes of the past counted under their successors.
        case region(RegionLevel?)
        /// 问题分类 as stored; with `levels` the first so many of its dot-separated parts.
        case service(levels: Int?)
        case requestType
        case channel
        case urgency
        /// The node that owns the handling (承办口径).
        case handlingOwner
        /// 承办单位
        case unit
        /// 工单状态
        case status
        /// `2025-09-30`
        case day
        /// The ISO 8601 week, `2025-W40`: the year is that of the week's Thursday.
        case week
        /// `2025-09`
        case month

        /// A level of a GB/T 2260 region code.
        package enum RegionLevel: String, CaseIterable, Hashable, Sendable {
            case province, city, county, town
        }

        /// A deeper cut has no name: the SQL for a level is twice as long as for the one above it.
        static let serviceLevelsMax = 4

        package static let kind = "dimension"

        package static let allCases: [Dimension] =
            [.origin, .region(nil)] + RegionLevel.allCases.map { .region($0) } + [.service(levels: nil)]
            + (1...serviceLevelsMax).map { .service(levels: $0) }
            + [.requestType, .channel, .urgency, .handlingOwner, .unit, .status, .day, .week, .month]

        package var name: String {
            switch self {
            case .origin: "origin"
            case .region(let level): level.map { "region:\($0.rawValue)" } ?? "region"
            case .service(let levels): levels.map { "service:\($0)" } ?? "service"
            case .requestType: "request_type"
            case .channel: "channel"
            case .urgency: "urgency"
            case .handlingOwner: "handling_owner"
            case .unit: "unit"
            case .status: "status"
            case .day: "day"
            case .week: "week"
            case .month: "month"
            }
        }

        package var needsTicketState: Bool {
            [.handlingOwner, .unit, .status].contains(self)
        }

        /// The codes that its value can have; nil when any text may occur.
        func codes(_ lists: CodeLists) -> [String]? {
            switch self {
            case .requestType, .channel, .urgency: lists.named(name)?.entries.map(\.code)
            case .status: TicketStatus.allCases.map(\.rawValue)
            default: nil
            }
        }

        /// The shape of its value, `0` for a digit; nil when it has none.
        var pattern: String? {
            switch self {
            case .day: "0000-00-00"
            case .week: "0000-W00"
            case .month: "0000-00"
            default: nil
            }
        }
    }
}
