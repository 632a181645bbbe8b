/// How urgent something is: 蓝 IV, 黄 III, 橙 II, 红 I (突发事件应对法, domain model 3.5).
package enum AlertLevel: String, Codable, CaseIterable, Comparable, Sendable {
    case blue
    case yellow
    case orange
    case red

    /// 蓝色, 黄色, 橙色, 红色.
    package var title: String { CodeList.named("alert_level")?.title(of: rawValue) ?? rawValue }

    package static func < (a: Self, b: Self) -> Bool { a.rank < b.rank }

    private var rank: Int {
        switch self {
        case .blue: 1
        case .yellow: 2
        case .orange: 3
        case .red: 4
        }
    }
}

/// The five kinds of urgent situation of clause 7.1.2.
package enum SituationType: String, Codable, CaseIterable, Sendable {
    /// 突发事件
    case emergency
    /// 集中反映
    case concentrated
    /// 特殊日期
    case specialDate = "special_date"
    /// 舆情趋势
    case trend
    /// 敏感性诉求
    case sensitive
}
