import FederationModel

/// What reports there are (7.2.1.1).
package enum ReportKind: String, CaseIterable, Codable, Sendable {
    case daily
    case weekly
    case monthly
    /// On one topic, of any period.
    case special

    package var title: String {
        switch self {
        case .daily: "日报"
        case .weekly: "周报"
        case .monthly: "月报"
        case .special: "专报"
        }
    }

    /// What its number begins with.
    private var letter: String {
        switch self {
        case .daily: "D"
        case .weekly: "W"
        case .monthly: "M"
        case .special: "S"
        }
    }

    /// Of what period it is; nil for any.
    package var unit: CalendarPeriod.Unit? {
        switch self {
        case .daily: .day
        case .weekly: .week
        case .monthly: .month
        case .special: nil
        }
    }

    /// Reads `2025-08`, `2025-W35`, `2025-08-31`, and for special reports also `2025-Q3` and `2025`.
    ///
    /// - Throws: `E_REPORT_PERIOD`.
    package func period(_ text: String) throws(FederationError) -> CalendarPeriod {
        let units = unit.map { [$0] } ?? CalendarPeriod.Unit.allCases
        if let period = units.lazy.compactMap({ CalendarPeriod($0, text) }).first { return period }
        throw FederationError(
            "E_REPORT_PERIOD", "\(text.prefix(40)) is not a period of a \(rawValue) report",
            hint: "daily: 2025-08-31; weekly: 2025-W35; monthly: 2025-08; special: any of these, 2025-Q3 or 2025")
    }

    /// The number of a report, the same for all its revisions: `M-2025-08`, `S-2025-08-停水`.
    package func number(of period: CalendarPeriod, topic: String?) -> String {
        ([letter, period.label] + (topic.map { [$0] } ?? [])).joined(separator: "-")
    }
}

/// For whom a report is.
package enum ReportEdition: String, Codable, Sendable {
    case `internal`
    /// Small cells are suppressed, and texts that tell who somebody is are masked.
    case `public`

    package var title: String { self == .internal ? "内部" : "向社会公开" }
}
