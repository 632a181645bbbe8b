import FederationModel

/// What a dispatched ticket goes through, from 派单 to 评价. Each step stops when the period is over.
extension TicketWriter {
    private struct Limit {
        let count: Int
        let kind: String
        let due: UnixMilliseconds
    }

    mutating func writeHandling() {
        var unit = unitName
        dispatchDelay()
        var limit = self.limit
        guard writeAssignment(to: unit, ordinal: 1, limit: limit, isDesignated: false) else { return }
        if !isShowcase, random.chance(80) {
            guard let next = writeReturn(from: unit, limit: &limit) else { return }
            unit = next
        }
        if !isShowcase, limit.kind == "working_days", random.chance(100) {
            guard let due = writeExtension(by: unit, due: limit.due) else { return }
            limit = Limit(count: limit.count, kind: limit.kind, due: due)
        }
        guard writeWork(by: unit, due: limit.due), writeClosure(by: unit) else { return }
        writeCallback()
    }

    private var unitName: String {
        switch topic.unit {
        case .county(let department): county.name + department
        case .city(let department): generator.places.cityName + department
        }
    }

    // MARK: - 派单, 签收, 退单, 延期

    private mutating func dispatchDelay() {
        switch urgency {
        case "urgent": time += Int64(random.int(2...25)) * WorkCalendar.minute
        case "livelihood": time += Int64(random.int(5...70)) * WorkCalendar.minute
        default: passOfficeTime(minutes: 10...300)
        }
    }

    /// Limits by urgency and type (domain model 2.3): 2 h, 24 h, 2 or 5 working days, 15 days.
    private var limit: Limit {
        switch urgency {
        case "urgent": Limit(count: 2, kind: "hours", due: time + 2 * WorkCalendar.hour)
        case "livelihood": Limit(count: 24, kind: "hours", due: time + 24 * WorkCalendar.hour)
        case "complex": Limit(count: 15, kind: "calendar_days", due: time + 15 * WorkCalendar.day)
        default:
            Limit(
                count: type == "1" ? 2 : 5, kind: "working_days",
                due: WorkCalendar.end(ofWorkday: type == "1" ? 2 : 5, after: time))
        }
    }

    private mutating func writeAssignment(to unit: String, ordinal: Int, limit: Limit, isDesignated: Bool) -> Bool {
        let acceptDeadline =
            limit.kind == "hours" ? time + WorkCalendar.hour : WorkCalendar.end(ofWorkday: 1, after: time)
        guard
            add(
                "assignment", ordinal: ordinal, actor: seat,
                [
                    "assignee_unit": .text(unit), "role": .text("main"), "due_datetime": .integer(limit.due),
                    "limit_days": .integer(Int64(limit.count)), "limit_kind": .text(limit.kind),
                    "basis": .text("派单目录 \(topic.code)"), "designated": .integer(isDesignated ? 1 : 0),
                    "accept_deadline": .integer(acceptDeadline),
                ])
        else { return false }
        if limit.kind == "hours" {
            time += Int64(random.int(3...40)) * WorkCalendar.minute
        } else {
            passOfficeTime(minutes: 10...300)
        }
        return add("acknowledgement", ordinal: ordinal, actor: unit, ["unit": .text(unit)])
    }

    /// The unit sends the ticket back; mostly another unit gets it then.
    ///
    /// - Returns: who handles it now; nil when the period is over.
    private mutating func writeReturn(from unit: String, limit: inout Limit) -> String? {
        let other = county.name + random.pick(Wording.otherUnits)
        passOfficeTime(minutes: 20...300)
        guard
            add(
                "return_request", actor: unit,
                [
                    "unit": .text(unit), "suggested_unit": .text(other),
                    "reason": .text(random.pick(["not_our_duty", "not_our_duty", "wrong_region", "incomplete"])),
                ])
        else { return nil }
        passOfficeTime(minutes: 20...200)
        let isApproved = random.chance(700)
        guard add("return_decision", actor: seat, ["decision": .text(isApproved ? "approved" : "designated")]) else {
            return nil
        }
        guard isApproved else { return unit }
        dispatchDelay()
        limit = self.limit
        return writeAssignment(to: other, ordinal: 2, limit: limit, isDesignated: true) ? other : nil
    }

    /// Asks for more time, unless it is too late for that.
    ///
    /// - Returns: the due time that holds now; nil when the period is over.
    private mutating func writeExtension(by unit: String, due: UnixMilliseconds) -> UnixMilliseconds? {
        passOfficeTime(minutes: 60...400)
        guard time < due else { return due }
        let later = WorkCalendar.end(ofWorkday: random.int(3...10), after: due - 1)
        guard
            add(
                "extension_request", actor: unit,
                [
                    "unit": .text(unit), "requested_until": .integer(later), "ordinal": .integer(1),
                    "reason": .text(random.pick(Wording.extensionReasons)),
                ])
        else { return nil }
        passOfficeTime(minutes: 20...240)
        let isApproved = random.chance(850)
        let decided = isApproved ? later : due
        return add(
            "extension_decision", actor: seat,
            ["decision": .text(isApproved ? "approved" : "rejected"), "due_datetime": .integer(decided)])
            ? decided : nil
    }

    // MARK: - 办理, 督办, 答复, 办结

    private mutating func writeWork(by unit: String, due: UnixMilliseconds) -> Bool {
        let isLate = isShowcase || random.chance(70)
        let span = Double(max(due - time, WorkCalendar.hour))
        let share = isLate ? 1.02 + 0.5 * random.fraction() : 0.1 + 0.75 * random.fraction()
        let replyTime = time + Int64(span * share)
        let contact = time + Int64(span * share * 0.3 * random.fraction())
        time += Int64(span * share * 0.6)
        let measures = random.pick(topic.measures)
        guard
            add(
                "handling", actor: unit,
                [
                    "unit": .text(unit), "contacted": .integer(random.chance(930) ? 1 : 0),
                    "contact_datetime": .integer(contact), "site_visit": .integer(random.chance(550) ? 1 : 0),
                    "fact_true": .integer(random.chance(900) ? 1 : 0), "beyond_duty": .integer(0),
                    "measures": .text("接单后，\(unit)工作人员到\(place)核实。\(measures)。"),
                ])
        else { return false }
        if isLate ? isShowcase || random.chance(500) : random.chance(10) {
            if isLate { time = max(time, due) }
            passOfficeTime(minutes: 10...120)
            guard writeSupervision(of: unit, isLate: isLate) else { return false }
        }
        time = max(time, replyTime)
        passOfficeTime(minutes: 1...60)
        let resolution = random.pick(resolutions)
        var fields: [String: FieldValue] = [
            "reply_kind": .text("final"), "reply_channel": .text("01"), "resolved_claimed": .text(resolution),
            "content_public": .text("您好，您反映的\(topic.subject)问题已收悉。\(measures)。感谢您的监督与支持。"),
        ]
        if resolution == "unresolved" { fields["unresolved_reason"] = .text("涉及历史遗留问题，需要进一步协调") }
        return add("reply", actor: unit, fields)
    }

    private mutating func writeSupervision(of unit: String, isLate: Bool) -> Bool {
        let closed = time + Int64(random.int(2...30)) * WorkCalendar.hour
        var fields: [String: FieldValue] = [
            "level": .text(isLate ? random.pick(["red_card", "red_card", "written"]) : "yellow_card"),
            "trigger": .text(isLate ? "overdue" : "should_resolve"), "target_unit": .text(unit),
            "due_datetime": .integer(WorkCalendar.end(ofWorkday: 2, after: time)),
        ]
        if closed < generator.end || isShowcase {
            fields["closed_datetime"] = .integer(closed)
            fields["response"] = .text("已督促承办人员加快办理，限期答复市民。")
            fields["outcome"] = .text("按督办要求办结")
        }
        return add("supervision", actor: seat, fields)
    }

    private mutating func writeClosure(by unit: String) -> Bool {
        passOfficeTime(minutes: 20...500)
        return add(
            "closure", actor: seat,
            [
                "closure_kind": .text(random.chance(850) ? "closed" : "explained"), "reviewer": .text(seat),
                "review": .text("passed"), "result": .text("\(unit)已按规定办理并答复诉求人。"),
            ])
    }

    // MARK: - 回访, 评价

    private mutating func writeCallback() {
        guard type != "4", isShowcase || random.chance(850) else { return }
        for attempt in 1...2 {
            passOfficeTime(minutes: 240...2_400)
            let reached = isShowcase ? "answered" : random.pick(answers)
            var fields: [String: FieldValue] = [
                "method": .text(random.pick(["telephone", "telephone", "voice_robot", "text_message"])),
                "attempt": .integer(Int64(attempt)), "reached": .text(reached),
            ]
            let score = random.pick(scores)
            if reached == "answered" {
                fields["contacted_by_unit"] = .integer(random.chance(920) ? 1 : 0)
                fields["resolved"] = .text(score >= "4" ? "resolved" : score == "3" ? "partly" : "unresolved")
                fields["verdict_source"] = .text("person")
            }
            guard add("callback", ordinal: attempt, actor: seat, fields) else { return }
            if reached == "answered" {
                writeEvaluation(score)
                return
            }
            guard reached == "no_answer" else { return }
        }
    }

    private mutating func writeEvaluation(_ score: String) {
        time += Int64(random.int(20...180)) * 1_000
        var fields: [String: FieldValue] = [
            "object": .text("handling"), "score5": .text(score), "counted": .integer(1),
        ]
        if score <= "2" { fields["reason_codes"] = .text(random.pick(Wording.dissatisfaction)) }
        if random.chance(30) {
            fields["counted"] = .integer(0)
            fields["exclusion_reason"] = .text("诉求缺乏法律政策依据")
        }
        add("evaluation", actor: seat, fields)
    }
}

private let resolutions = WeightedTable([("resolved", 68), ("partly", 9), ("explained", 18), ("unresolved", 5)])
private let answers = WeightedTable([("answered", 76), ("no_answer", 16), ("refused", 5), ("invalid_number", 3)])
private let scores = WeightedTable([("5", 55), ("4", 26), ("3", 8), ("2", 7), ("1", 4)])
