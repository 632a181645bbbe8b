import FederationModel

extension Analysis {
    /// What is counted. Each measure is one or two integer sums that merge by addition; a rate becomes a rate only after
    /// the last merge, so no rate is ever averaged (domain rule 2).
    package enum Measure: AnalysisWord {
        /// Tickets.
        case count
        /// Tickets in a final state: the `closed` list of GeoReport v2 (domain 2.5).
        case closed
        /// Tickets not in a final state, those included whose state is not folded yet.
        case open
        /// Tickets past their due time at `asOf` that nobody has closed yet (超期未办结).
        case overdue
        /// 按期办结率: closed by the due time, of the dispatched tickets (转办) whose due time has come by `asOf`, so that
        /// the open overdue ones count against (domain 3.2).
        case onTimeRate
        /// 满意率: 非常满意, 满意 and 基本满意, of the evaluations that count.
        case satisfactionRate
        /// 平均办理时长 in natural hours from dispatch to closure, over the dispatched tickets that are closed.
        case meanHandlingHours

        package static let kind = "measure"

        package var name: String {
            switch self {
            case .count: "count"
            case .closed: "closed"
            case .open: "open"
            case .overdue: "overdue"
            case .onTimeRate: "on_time_rate"
            case .satisfactionRate: "satisfaction_rate"
            case .meanHandlingHours: "mean_handling_hours"
            }
        }

        package var needsTicketState: Bool { self != .count }

        /// How many sums it takes: a count, or a numerator and a denominator.
        package var sumCount: Int {
            switch self {
            case .count, .closed, .open, .overdue: 1
            case .onTimeRate, .satisfactionRate, .meanHandlingHours: 2
            }
        }

        /// The measure from its merged sums: a count; a rate in percent or a mean in hours, to two decimals; null (n/a)
        /// when the denominator is 0.
        ///
        /// - Precondition: `sums` has `sumCount` elements.
        package func value(of sums: ArraySlice<Int64>) -> FieldValue {
            let numerator = sums[sums.startIndex]
            guard sumCount == 2 else { return .integer(numerator) }
            let denominator = sums[sums.startIndex + 1]
            guard denominator != 0 else { return .null }
            let scale = self == .meanHandlingHours ? 1.0 / 3_600_000 : 100
            let value = Double(numerator) * scale / Double(denominator)
            return .real((value * 100).rounded() / 100)
        }
    }
}
