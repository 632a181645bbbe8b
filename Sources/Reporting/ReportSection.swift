import FederationModel
import LogicalQuery

/// A chapter of figures, as data: what is measured, by what, and how it is shown.
package struct ReportSection: Hashable, Sendable {
    package enum Rows: Hashable, Sendable {
        /// One for each measure: there is no dimension.
        case measures
        /// Every code of the dimension's list, also those with nothing; codes that no list has besides.
        case codes
        /// Those with the most; the others are one row.
        case top(Int)
        /// A period each, as many of the report's unit or of days.
        case periods(Int, CalendarPeriod.Unit)
    }

    static let hot = "hot"

    package let id: String
    package let title: String
    /// Names of indicators; of those that a table divides by, the first is held against former periods.
    package let measures: [String]
    package let dimension: Analysis.Dimension?
    /// Of a table of two dimensions, what its columns are.
    package let across: Analysis.Dimension?
    package let rows: Rows
    package let chart: ReportDocument.Chart.Shape?

    init(
        _ id: String, _ title: String, _ measures: [String], by dimension: Analysis.Dimension? = nil,
        across: Analysis.Dimension? = nil, _ rows: Rows = .measures, chart: ReportDocument.Chart.Shape? = nil
    ) {
        self.id = id
        self.title = title
        self.measures = measures
        self.dimension = dimension
        self.across = across
        self.rows = rows
        self.chart = chart
    }

    /// Whether its figures are held against the period before and that of a year before.
    var isCompared: Bool {
        if case .periods = rows { return false }
        return across == nil
    }
}

extension ReportKind {
    /// Its chapters (domain 3.7). Those of 7.2.1.1 are in every report: 诉求类别, 问题分类, 受理类型, 紧急程度, 处理情况.
    package func sections(of period: CalendarPeriod) -> [ReportSection] {
        let mandatory = [
            ReportSection("request_type", "诉求类别", ["count"], by: .requestType, .codes, chart: .bars),
            ReportSection("service", "问题分类", ["count"], by: .service(levels: 1), .codes, chart: .bars),
            ReportSection(
                "acceptance", "受理类型", ["count", "not_accepted_count"], by: Self.dimension("acceptance"), .codes),
            ReportSection("channel", "受理渠道", ["count"], by: .channel, .codes),
            ReportSection("urgency", "紧急程度", ["count"], by: .urgency, .codes),
            ReportSection("status", "处理情况", ["count"], by: .status, .codes),
        ]
        let origins = ReportSection(
            "origin", "来源", ["count", "closed", "overdue", "on_time_rate"], by: .origin, .codes)
        let hot = ReportSection(
            ReportSection.hot, "热点问题", ["count"], by: .service(levels: nil), .top(self == .monthly ? 10 : 5))
        let regions = ReportSection("region", "事发地", ["count"], by: .region(.county), .top(20))
        let units = ReportSection(
            "unit", "责任单位",
            self == .monthly
                ? [
                    "count", "closed", "open", "overdue", "closed_rate", "on_time_rate", "timely_reply_rate",
                    "satisfaction_rate", "dissatisfaction_rate",
                ] : ["count", "closed", "open", "overdue", "on_time_rate", "satisfaction_rate"], by: .unit, .top(20))
        return [ReportSection("overview", "概况", overview)] + mandatory
            + {
                switch self {
                case .daily: [origins, trend(14, .day), units]
                case .weekly:
                    [
                        origins,
                        ReportSection(
                            "industry", "行业分类前五", ["count", "on_time_rate", "satisfaction_rate"],
                            by: .service(levels: 1), .top(5)),
                        hot, regions, units, trend(7, .day),
                    ]
                case .monthly:
                    [
                        origins,
                        ReportSection(
                            "assessment", "考核指标",
                            [
                                "connect_rate", "first_contact_rate", "closed_rate", "on_time_rate",
                                "timely_reply_rate", "effective_callback_rate", "satisfaction_rate", "resolution_rate",
                                "three_rates",
                            ], by: .origin, .codes),
                        ReportSection(
                            "channel_type", "渠道与类别", ["count"], by: .channel, across: .requestType, .codes),
                        hot, regions, units, trend(12, .month),
                    ]
                case .special:
                    [
                        times(period), regions,
                        ReportSection("reporter_kind", "人群特点", ["count"], by: Self.dimension("reporter_kind"), .codes),
                        hot, units, origins,
                    ]
                }
            }()
    }

    private var overview: [String] {
        switch self {
        case .daily:
            [
                "count", "call_count", "connect_rate", "first_contact_rate", "dispatch_count", "closed", "open",
                "due_soon", "overdue", "callback_count",
            ]
        case .weekly:
            [
                "count", "call_count", "connect_rate", "first_contact_rate", "dispatch_rate", "dispatch_count",
                "closed",
                "overdue",
                "on_time_rate", "satisfaction_rate",
            ]
        case .monthly:
            [
                "count", "call_count", "connect_rate", "first_contact_rate", "dispatch_count", "closed_rate",
                "on_time_rate", "overdue_rate", "return_rate", "repeat_rate", "effective_callback_rate",
                "satisfaction_rate", "resolution_rate", "mean_handling_hours",
            ]
        case .special:
            [
                "count", "closed", "open", "overdue", "on_time_rate", "return_rate", "repeat_rate", "satisfaction_rate",
                "resolution_rate", "mean_handling_hours",
            ]
        }
    }

    private func trend(_ count: Int, _ unit: CalendarPeriod.Unit) -> ReportSection {
        ReportSection(
            "trend", "走势", ["count", "on_time_rate"], by: unit == .day ? .day : .month, .periods(count, unit),
            chart: .line)
    }

    /// When it happened: by hour, day or month, so that a table has no more than 31 rows.
    private func times(_ period: CalendarPeriod) -> ReportSection {
        let (dimension, rows): (Analysis.Dimension, ReportSection.Rows) =
            switch period.unit {
            case .day: (Self.dimension("hour"), .top(24))
            case .week, .month: (.day, .periods(period.days.count, .day))
            case .quarter: (.month, .periods(3, .month))
            case .year: (.month, .periods(12, .month))
            }
        return ReportSection("time", "时间特点", ["count"], by: dimension, rows, chart: .line)
    }

    private static func dimension(_ name: String) -> Analysis.Dimension {
        Analysis.Dimension.allCases.first { $0.name == name } ?? .requestType
    }
}
