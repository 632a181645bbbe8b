import FederationModel

/// Which reports a node makes by itself, and when (常态化, 7.2.1.1).
package struct ReportTimetable: Hashable, Sendable {
    package let kinds: [ReportKind]
    package let time: DailyTime

    package init(_ kinds: [ReportKind], at time: DailyTime) {
        self.kinds = kinds
        self.time = time
    }

    package struct Due: Hashable, Sendable {
        package let kind: ReportKind
        package let period: CalendarPeriod
        /// Whether it has waited long enough for nodes that are missing.
        package let isOverdue: Bool
    }

    /// So long nodes that are missing are waited for, milliseconds.
    package static let patience: Int64 = 6 * 3_600_000

    /// The reports whose period was over when `time` last came, the earlier first. Some further back are among them: a node that did not
    /// run makes them up, and data may still come late.
    package func due(at now: UnixMilliseconds) -> [Due] {
        let begin = time.latest(before: now)
        return kinds.flatMap { kind -> [Due] in
            guard let unit = kind.unit else { return [] }
            let last = CalendarPeriod(unit, containing: ShanghaiTime.dayNumber(begin)).advanced(by: -1)
            return (0..<kind.lookBack).reversed().map { back in
                let period = last.advanced(by: -back)
                // The first time of the day after its end.
                let first = time.latest(before: period.time.upperBound + ShanghaiTime.day - 1)
                return Due(kind: kind, period: period, isOverdue: now - first >= Self.patience)
            }
        }
    }
}

extension ReportKind {
    /// For how many periods late data make a revision.
    fileprivate var lookBack: Int { self == .daily ? 3 : 2 }
}
