import FederationModel
import LogicalQuery

/// What has to be asked for a report: each question once, whatever number of chapters it answers. Rates and shares are computed after the
/// last merge, as in every answer.
package struct ReportQuestions: Sendable {
    package let kind: ReportKind
    package let period: CalendarPeriod
    package let filters: [Analysis.Filter]
    /// What was measured, in the order in which chapters name it.
    package let indicators: [Indicator]
    package private(set) var analyses: [Analysis] = []
    private(set) var chapters: [(section: ReportSection, questions: [Role: Analysis])] = []
    /// What was left out of the figures.
    private(set) var quality: (section: ReportSection, questions: [Role: Analysis])

    /// Of the categories that people complain of most.
    package var hot: Analysis? { chapters.first { $0.section.id == ReportSection.hot }?.questions[.period] }

    /// To which time a question looks.
    enum Role: Hashable {
        case period
        /// 环比.
        case previous
        /// 同比.
        case year
    }

    /// - Parameters:
    ///   - filters: of a special report, what it is about.
    ///   - now: a period that runs is reported up to here.
    /// - Throws: as `Analysis.init`; `E_ANALYSIS_UNKNOWN` for an indicator that is not known here.
    package init(
        _ kind: ReportKind, of period: CalendarPeriod, filters: [Analysis.Filter] = [], library: IndicatorLibrary,
        now: UnixMilliseconds
    ) throws(FederationError) {
        self.kind = kind
        self.period = period
        self.filters = filters
        var indicators: [Indicator] = []
        var analyses: [Analysis] = []
        func chapter(_ section: ReportSection) throws(FederationError) -> (ReportSection, [Role: Analysis]) {
            let measured = try section.measures.map { name throws(FederationError) in try library.named(name) }
            for indicator in measured where !indicators.contains(where: { $0.name == indicator.name }) {
                indicators.append(indicator)
            }
            var questions: [Role: Analysis] = [:]
            for (role, time) in section.times(of: period) {
                var top: Int?
                if case .top(let count) = section.rows, role == .period { top = count }
                let analysis = try Analysis(
                    measures: measured.map(\.measure),
                    dimensions: [section.dimension, section.across].compactMap(\.self), filters: filters,
                    from: time.lowerBound, to: time.upperBound, top: top, asOf: min(now, time.upperBound))
                questions[role] = analysis
                if !analyses.contains(analysis) { analyses.append(analysis) }
            }
            return (section, questions)
        }
        for section in kind.sections(of: period) { chapters.append(try chapter(section)) }
        quality = try chapter(
            ReportSection("quality", "数据质量", ["merged_count", "not_accepted_count", "invalid_count"]))
        self.indicators = indicators
        self.analyses = analyses
    }
}

extension ReportSection {
    /// The times that it looks at. A 53rd week may have none of a year before.
    fileprivate func times(of period: CalendarPeriod) -> [(ReportQuestions.Role, Range<UnixMilliseconds>)] {
        if case .periods = rows, let first = periods(to: period).first, let last = periods(to: period).last {
            return [(.period, first.time.lowerBound..<last.time.upperBound)]
        }
        let former: [(ReportQuestions.Role, CalendarPeriod?)] =
            isCompared
            ? [
                (.previous, PeriodComparison.previous.former(of: period)),
                (.year, PeriodComparison.year.former(of: period)),
            ] : []
        return [(.period, period.time)] + former.compactMap { role, period in period.map { (role, $0.time) } }
    }

    /// Of a series, its periods: as many as it has, the last of them the last of the report's.
    func periods(to period: CalendarPeriod) -> [CalendarPeriod] {
        guard case .periods(let count, let unit) = rows else { return [] }
        let last = CalendarPeriod(unit, containing: period.days.upperBound - 1)
        return (0..<count).map { last.advanced(by: $0 - count + 1) }
    }
}
