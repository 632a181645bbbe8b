import Detection
import FederationModel
import LocalStore
import LogicalQuery
import Reporting

/// The four lists of a period (热点, 痛点, 难点, 堵点).
package struct TopicReport: Sendable {
    package struct Line: Sendable {
        package let category: String
        package let title: String
        package let value: Double
        package let figures: TopicFigures
    }

    /// The most first.
    package let lists: [(indicator: TopicIndicator, lines: [Line])]
    package let coverage: Coverage
}

/// What planned outages say of the tickets of a theme.
package struct ThemeReport: Sendable {
    package let theme: UtilityTheme
    package let tickets: Int
    /// Tickets that an outage explains, by its id.
    package let explained: [String: Int]
    package let unexplained: [String]
    /// In percent; nil without tickets.
    package let explainedPercent: Double?
    package let outages: Int
    /// Tickets of days outside of its season.
    package let outOfSeason: Int
}

/// What the texts of a topic's tickets say, for joint governance.
package struct JointTopicReport: Sendable {
    package let pack: TopicPack
    package let tickets: [String]
    package let table: TopicTable
}

extension NodeDesk {
    /// 热点, 痛点, 难点, 堵点 of everything below this node (7.2.3).
    ///
    /// - Parameters:
    ///   - levels: how many levels of the category make a topic.
    ///   - top: how many topics a list has.
    /// - Throws: `E_REPORT_PERIOD`; what asking throws.
    package func topics(
        period text: String, levels: Int, top: Int, deadlineMS: Int64
    ) async throws -> TopicReport {
        try await perform(.listTopics) { now in
            let period = try ReportKind.special.period(text)
            let library = try indicatorLibrary()
            let measures = try Self.topicMeasures.map { try library.named($0).measure }
            func analysis(_ measures: [Analysis.Measure], _ time: Range<UnixMilliseconds>) throws -> Analysis {
                try Analysis(
                    measures: measures, dimensions: [.service(levels: levels)], from: time.lowerBound,
                    to: time.upperBound, asOf: min(now, time.upperBound))
            }
            var questions = [try analysis(measures, period.time)]
            if let former = PeriodComparison.previous.former(of: period) {
                questions.append(try analysis([measures[0]], former.time))
            }
            let answers = try await withView { [questions] in
                try await $0.answers(to: questions, allowsStale: false, deadlineMS: deadlineMS, now: now)
            }
            let tables = try zip(questions, answers).map { try $1.answer.partial.table(for: $0) }
            let former = Dictionary(
                (tables.count > 1 ? tables[1].rows : []).compactMap { row in
                    row.cells[0].text.map { ($0, Int(row.parts[0][0])) }
                }, uniquingKeysWith: +)
            let figures = tables[0].rows.compactMap { row -> TopicFigures? in
                guard let category = row.cells[0].text else { return nil }
                return TopicFigures(category, row.parts.map { $0.map { Int($0) } }, previous: former[category] ?? 0)
            }
            return TopicReport(
                lists: TopicIndicator.allCases.map { indicator in
                    let lines = indicator.ranking(of: figures).prefix(top).map { topic, value in
                        TopicReport.Line(
                            category: topic.name, title: reference.services.title(of: topic.name) ?? topic.name,
                            value: value.toTwoPlaces, figures: topic)
                    }
                    return (indicator, Array(lines))
                }, coverage: Coverage(plan: answers[0].plan, topology: topology, reports: answers[0].answer.nodes))
        }
    }

    /// In the order in which `TopicFigures.init` reads them.
    private static let topicMeasures = [
        "count", "satisfaction_rate", "mean_handling_hours", "extension_rate", "resolution_rate", "return_rate",
        "approved_return_rate",
    ]

    /// Which tickets of a theme that are here planned outages explain; the rest is what the supplier has to look into.
    ///
    /// - Parameter dataset: the external data set with the outages, as `datasets/planned_outage.yaml` registers it.
    /// - Throws: `E_REPORT_PERIOD`, `E_TOPIC_DATASET`.
    package func theme(_ theme: UtilityTheme, period text: String, dataset: String) async throws -> ThemeReport {
        try await perform(.showTopic) { now in
            let period = try ReportKind.special.period(text)
            guard try registrations().contains(where: { $0.dataset.name == dataset }) else {
                throw FederationError(
                    "E_TOPIC_DATASET", "there is no external data set of that name here",
                    hint: "`dataset register datasets/planned_outage.yaml` registers one; then import its rows")
            }
            let tickets = try await observedTickets(period, now: now) { theme.has(category: $0) }.map(\.ticket)
            let outages = try await store.records(
                of: ExternalResources.record, where: ["dataset": dataset], newestBy: "occurred_at"
            ).compactMap { Outage($0, kind: theme.id) }
            let explanation = OutageExplanation(tickets, outages: outages)
            return ThemeReport(
                theme: theme, tickets: tickets.count,
                explained: explanation.explained.values.reduce(into: [:]) { $0[$1.id, default: 0] += 1 },
                unexplained: explanation.unexplained, explainedPercent: explanation.explainedPercent?.toTwoPlaces,
                outages: outages.count,
                outOfSeason: tickets.count { !theme.isInSeason(ShanghaiTime.dayNumber($0.at)) })
        }
    }

    /// Roads, areas, effects and causes of a topic (涉及道路, 影响区域, 影响, 原因), from the texts of the tickets that are here.
    ///
    /// - Parameter roads: names of roads besides those of the list `road` of the reference data.
    /// - Throws: `E_REPORT_PERIOD`.
    package func jointTopic(
        _ pack: TopicPack, period text: String, roads: [String]
    ) async throws -> JointTopicReport {
        try await perform(.showTopic) { now in
            let period = try ReportKind.special.period(text)
            return try await jointTopic(pack, period, roads: roads, now: now).report
        }
    }

    /// - Returns: beside the report, by ticket, the node whose it is.
    func jointTopic(
        _ pack: TopicPack, _ period: CalendarPeriod, roads: [String], now: UnixMilliseconds
    ) async throws -> (report: JointTopicReport, origins: [String: String]) {
        let observed = try await observedTickets(period, now: now) { pack.has(category: $0) }
        let tickets = observed.map(\.ticket)
        let known = reference.lists.named("road")?.entries.map(\.title) ?? []
        let report = JointTopicReport(
            pack: pack, tickets: tickets.map(\.id), table: TopicTable(tickets, pack: pack, roads: known + roads))
        return (report, Dictionary(observed.map { ($0.ticket.id, $0.origin) }, uniquingKeysWith: { first, _ in first }))
    }

    /// Opens the joint task of a topic: a finding, and the measure that one unit leads and others join (主办, 协办). The nodes whose tickets
    /// it is about see it too, as theirs are the units.
    ///
    /// - Throws: `E_REPORT_PERIOD`, and as `measure`.
    package func openJointTask(
        _ pack: TopicPack, period text: String, due: UnixMilliseconds
    ) async throws -> FindingReport {
        try await perform(.takeMeasure) { now in
            let period = try ReportKind.special.period(text)
            let (report, origins) = try await jointTopic(pack, period, roads: [], now: now)
            let finding = Finding(
                .jointTopic, pack.name, extent: "\(report.tickets.count) tickets", tickets: report.tickets)
            try await keep([finding], in: period, origins: origins, now: now)
            let owner = "\(pack.mainUnit)(主办)、\(pack.jointUnits.joined(separator: "、"))(协办)"
            return try await measure(
                finding: id(of: finding, in: period), MeasureDraft(.propose(owner: owner, due: due)))
        }
    }

    // MARK: - Tickets

    private func observedTickets(
        _ period: CalendarPeriod, now: UnixMilliseconds, _ isMeant: (String?) -> Bool
    ) async throws -> [(ticket: ObservedTicket, origin: String)] {
        try await catchUp(now: now)
        return try await store.rowsOfTickets(
            requestedIn: period.time, of: BuiltInResources.serviceRequest,
            columns: [
                "requested_datetime", "region_code", "service_code", "title", "description", "address_string",
            ], stateColumns: ["category", "unit"]
        ).compactMap { id, origin, values in
            let category = values[6].text ?? values[2].text
            guard isMeant(category) else { return nil }
            let ticket = ObservedTicket(
                id: id, at: values[0].integer ?? 0, region: values[1].text, category: category, unit: values[7].text,
                place: values[5].text,
                text: [values[3].text, values[4].text].compactMap(\.self).joined(separator: "\n"))
            return (ticket, origin)
        }
    }
}

extension TopicFigures {
    /// - Parameter parts: those of `topicMeasures`: a count, or hits and tries.
    fileprivate init(_ category: String, _ parts: [[Int]], previous: Int) {
        self.init(
            category, volume: parts[0][0], previousVolume: previous, evaluated: parts[1][1], satisfied: parts[1][0],
            closed: parts[2][1], days: Double(parts[2][0]) / 86_400_000, extended: parts[3][0], calledBack: parts[4][1],
            unresolved: parts[4][1] - parts[4][0], returned: parts[5][0], severalUnits: parts[6][0])
    }
}

extension Outage {
    /// Nil for one of another kind, and for one without place or end.
    fileprivate init?(_ record: HeldRecord, kind: String) {
        guard let json = record.text("fields"),
            let fields = try? WireJSON.decode([String: FieldValue].self, Array(json.utf8)),
            fields["kind"]?.text == kind, let region = record.text("region_code"),
            let from = record.integer("occurred_at"), let to = record.integer("ended_at")
        else { return nil }
        self.init(id: record.key, region: region, area: fields["area"]?.text, from: from, to: to)
    }
}
