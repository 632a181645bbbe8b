import FederationModel

extension MappingSuggester {
    // MARK: - Times

    /// A time's field and how its columns are written.
    struct TimeSource {
        var field: SuggestedMapping.Field
        var formats: [String]
        var isUnsure: Bool

        /// Names its formats where they are not those of the whole file.
        func field(besides standard: [String]) -> SuggestedMapping.Field {
            var field = field
            if !Set(formats).isSubset(of: standard) { field.extras.append(("time_formats", yamlList(formats))) }
            return field
        }
    }

    /// - Parameter isEnd: whether a day without an hour counts to its end: what ends on a day ends after what began on it.
    func timeField(_ id: String, named name: String, isEnd: Bool) -> TimeSource? {
        guard let column = chosen[id], let written = times[column.position] else { return nil }
        var field = SuggestedMapping.Field(name: name, source: .column(column.name))
        var formats = written.formats
        if !written.namesHour {
            let stem = names[column.position]?.stem
            let clock = columns.first {
                $0.timeOfDay != nil && (names[$0.position]?.stem == stem || $0.position == column.position + 1)
            }
            if let clock, let pattern = clock.timeOfDay {
                field = .init(name: name, source: .joined([column.name, clock.name], separator: " "))
                formats = formats.map { "\($0) \(pattern)" } + formats
            } else if isEnd {
                field.extras = [("day_counts_from", "end")]
            }
        }
        return TimeSource(field: field, formats: formats, isUnsure: written.isOrderUnsure)
    }

    /// The time of a stage: its own column, or the first of others that stand in.
    private func stageTime(_ own: String, or others: [String] = []) -> (time: TimeSource, isOwn: Bool)? {
        let isEnd = own != "assignment.occurred_at"
        if let time = timeField(own, named: "occurred_at", isEnd: isEnd) { return (time, true) }
        for other in others {
            let isEnd = isEnd && other != requested
            if let time = timeField(other, named: "occurred_at", isEnd: isEnd) { return (time, false) }
        }
        return nil
    }

    // MARK: - Stages

    func addStages(to mapping: inout SuggestedMapping) {
        let formats = mapping.timeFormats
        for stage in suggestedStages {
            guard let definition = BuiltInResources.named(ResourceName(stage)) else { continue }
            guard let record = stageRecord(definition, formats: formats) else { continue }
            mapping.records.append(record)
        }
    }

    /// The record of one stage; nil when the file says nothing of it.
    private func stageRecord(_ definition: ResourceDefinition, formats: [String]) -> SuggestedMapping.Record? {
        let stage = definition.name.text
        let rule = stageRules[stage] ?? StageRule(tells: [], standIns: [])
        let ownTime = "\(stage).occurred_at"
        let told = ([ownTime] + rule.tells.map { "\(stage).\($0)" }).filter { chosen[$0] != nil }
        var record = SuggestedMapping.Record(resource: stage)
        var found = stageTime(ownTime, or: rule.standIns)
        if stage == "closure", chosen[ownTime] == nil {
            // Nobody says when it was closed: then an answer mostly is the end.
            guard chosen["reply.content_public"] != nil, let reply = stageTime("reply.occurred_at") else { return nil }
            found = (reply.time, false)
            record.decide = "no column tells when a ticket was closed; the reply counts as its end"
        } else {
            guard !told.isEmpty else { return nil }
        }
        guard let found else { return nil }
        if stage == "assignment", let unit = chosen["assignment.assignee_unit"] {
            record.when = yamlScalar(unit.name)
        } else {
            // A text without its time would refuse the row, so the time decides.
            record.when = found.time.field.source.columns.first.map(yamlScalar)
            if let column = columns.first(where: { $0.name == found.time.field.source.columns.first }),
                case let words = wordsInPlaceOfTimes(column), !words.isEmpty
            {
                record.when = "{column: \(yamlScalar(column.name)), not_in: \(yamlList([""] + words))}"
            }
        }
        if !found.isOwn, record.decide == nil {
            record.decide = "no column tells when; the time of another stage stands in"
        }
        var time = found.time
        if stage == "assignment", found.isOwn, let fallback = timeField(requested, named: "occurred_at", isEnd: false),
            case .column(let own) = time.field.source, case .column(let other) = fallback.field.source
        {
            time.field = .init(name: "occurred_at", source: .firstOf([own, other]))
            time.formats += fallback.formats.filter { !time.formats.contains($0) }
        }
        record.fields = [time.field(besides: formats)]
        for field in definition.columns where !unmapped.contains(field.name) && field.name != "occurred_at" {
            guard let made = suggestedField(field, in: stage, formats: formats) else { continue }
            record.fields.append(made)
        }
        return complete(&record, definition) ? record : nil
    }

    /// Fills required fields that no column of their own has.
    private func complete(_ record: inout SuggestedMapping.Record, _ definition: ResourceDefinition) -> Bool {
        let stage = definition.name.text
        if definition.column(named: "unit")?.isRequired == true, let unit = chosen["assignment.assignee_unit"] {
            record.fields.append(.init(name: "unit", source: .column(unit.name)))
        }
        if stage == "evaluation", let score = chosen["evaluation.score5"] {
            // A word that is no score makes no evaluation, instead of refusing the row.
            let words = (score.words ?? [:]).keys.filter { code(for: $0, in: "score") != nil }.sorted()
            guard !words.isEmpty else { return false }
            record.when = "{column: \(yamlScalar(score.name)), in: \(yamlList(words))}"
        }
        for index in record.fields.indices where record.fields[index].decide?.hasPrefix("no column tells the") == true {
            // A stage's constants are plain, and a long list of questions is read by nobody.
            record.fields[index].decide = nil
        }
        let filled = Set(record.fields.map(\.name))
        return definition.columns.allSatisfy {
            !$0.isRequired || filled.contains($0.name) || ["global_id", "ticket_origin"].contains($0.name)
        }
    }
}

/// The stages that a row of tickets can tell of, in the order of a ticket's life.
let suggestedStages = [
    "assignment", "acknowledgement", "handling", "reply", "supervision", "closure", "callback", "evaluation",
]

/// When a row tells of a stage.
struct StageRule {
    /// Fields beside its time that say that it happened.
    let tells: [String]
    /// Times that stand in for its own.
    let standIns: [String]
}

let stageRules: [String: StageRule] = [
    "assignment": StageRule(tells: ["assignee_unit"], standIns: [requested]),
    "handling": StageRule(tells: ["measures"], standIns: ["reply.occurred_at", "closure.occurred_at"]),
    "reply": StageRule(tells: ["content_public"], standIns: ["closure.occurred_at"]),
    "evaluation": StageRule(tells: ["score5"], standIns: ["callback.occurred_at", "closure.occurred_at"]),
]
