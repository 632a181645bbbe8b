import FederationModel

/// What a dispatched ticket goes through in one round: 派单, 签收, 退单, 延期, 办理, 督办, 答复.
extension TicketWriter {
    private struct Limit {
        let count: Int
        let kind: String
        var due: UnixMilliseconds
    }

    /// - Returns: whether the citizen's verdict opens another round.
    mutating func writeRound() throws(PeriodOver) -> Bool {
        var unit = unitName
        dispatchDelay()
        var limit = self.limit
        var isDesignated = round > 1
        try writeAssignment(to: unit, limit: limit, isDesignated: isDesignated)
        var returns = 0
        while !isShowcase, !isDesignated, returns < 2, random.chance(returns == 0 ? 80 : 250) {
            returns += 1
            guard let next = try writeReturn(from: unit, limit: &limit, isDesignated: &isDesignated) else { break }
            unit = next
        }
        if !isShowcase {
            if random.chance(10) {
                let isWithdrawn = random.chance(500)
                passOfficeTime(minutes: 60...900)
                try writeEnd(
                    isWithdrawn ? "withdrawn" : "terminated",
                    reason: random.pick(isWithdrawn ? Wording.withdrawals : Wording.terminations))
                return false
            }
            if limit.kind != "hours", random.chance(30) { try writeSuspension() }
            if limit.kind == "working_days", extensions < 2, random.chance(100) {
                try writeExtension(by: unit, limit: &limit)
            }
        }
        try writeWork(by: unit, due: limit.due)
        guard try writeClosure(by: unit) else { return false }
        return try writeCallback()
    }

    private var unitName: String {
        switch matter.topic.unit {
        case .county(let department): (ownerName ?? matter.county.name) + department
        case .city(let department): (ownerName ?? recipe.places.cityName) + department
        }
    }

    /// Where the limit is in hours, people work at night too.
    mutating func passHandlingTime(minutes: ClosedRange<Int>) {
        if urgency == "urgent" || urgency == "livelihood" {
            pass(seconds: minutes.lowerBound * 60...minutes.upperBound * 60)
        } else {
            passOfficeTime(minutes: minutes)
        }
    }

    // MARK: - 派单, 签收

    private mutating func dispatchDelay() {
        switch urgency {
        case "urgent": pass(seconds: 120...1_500)
        case "livelihood": pass(seconds: 300...4_200)
        default: passOfficeTime(minutes: 10...300)
        }
    }

    /// Limits by urgency and type (domain model 2.3): 2 h, 24 h, 2 or 5 working days, 15 days.
    private var limit: Limit {
        switch urgency {
        case "urgent": return Limit(count: 2, kind: "hours", due: time + 2 * OfficeHours.hour)
        case "livelihood": return Limit(count: 24, kind: "hours", due: time + 24 * OfficeHours.hour)
        case "complex": return Limit(count: 15, kind: "calendar_days", due: time + 15 * OfficeHours.day)
        default:
            let days = type == "1" ? 2 : 5
            return Limit(
                count: days, kind: "working_days", due: recipe.office.calendar.end(ofWorkingDay: days, after: time))
        }
    }

    private mutating func writeAssignment(
        to unit: String, limit: Limit, isDesignated: Bool
    ) throws(PeriodOver) {
        let acceptDeadline =
            limit.kind == "hours" ? time + OfficeHours.hour : recipe.office.calendar.end(ofWorkingDay: 1, after: time)
        var fields: [String: FieldValue] = [
            "assignee_unit": .text(unit), "role": .text("main"), "due_datetime": .integer(limit.due),
            "limit_days": .integer(Int64(limit.count)), "limit_kind": .text(limit.kind),
            "basis": .text("派单目录 \(matter.topic.code)"), "designated": .integer(isDesignated ? 1 : 0),
            "accept_deadline": .integer(acceptDeadline),
        ]
        try add("assignment", actor: seat, fields)
        if !isShowcase, random.chance(60) {
            fields["assignee_unit"] = .text(matter.county.name + random.pick(Wording.otherUnits))
            fields["role"] = .text("joint")
            try add("assignment", actor: seat, fields)
        }
        if limit.kind == "hours" {
            pass(seconds: 180...2_400)
        } else {
            passOfficeTime(minutes: 10...300)
        }
        try add("acknowledgement", actor: unit, ["unit": .text(unit)])
    }

    // MARK: - 退单, 延期, 暂停

    /// The unit sends the ticket back; mostly another unit gets it then.
    ///
    /// - Returns: who handles it now; nil when the same unit has to.
    private mutating func writeReturn(
        from unit: String, limit: inout Limit, isDesignated: inout Bool
    ) throws(PeriodOver) -> String? {
        let other = (ownerName ?? matter.county.name) + random.pick(Wording.otherUnits)
        passOfficeTime(minutes: 20...300)
        try add(
            "return_request", actor: unit,
            [
                "unit": .text(unit), "suggested_unit": .text(other),
                "reason": .text(random.pick(["not_our_duty", "not_our_duty", "wrong_region", "incomplete"])),
            ])
        passOfficeTime(minutes: 20...200)
        let decision = random.pick(returnDecisions)
        try add("return_decision", actor: seat, ["decision": .text(decision)])
        guard decision == "approved" else {
            isDesignated = true
            return nil
        }
        dispatchDelay()
        limit = self.limit
        isDesignated = random.chance(500)
        try writeAssignment(to: other, limit: limit, isDesignated: isDesignated)
        return other
    }

    /// Asks for more time, unless the decision would come too late.
    private mutating func writeExtension(by unit: String, limit: inout Limit) throws(PeriodOver) {
        let before = time
        passOfficeTime(minutes: 60...400)
        let asked = time
        passOfficeTime(minutes: 20...240)
        let decided = time
        guard decided < limit.due else {
            time = before
            return
        }
        time = asked
        let later = recipe.office.calendar.end(ofWorkingDay: random.int(3...10), after: limit.due - 1)
        try add(
            "extension_request", actor: unit,
            [
                "unit": .text(unit), "requested_until": .integer(later), "ordinal": .integer(Int64(extensions + 1)),
                "reason": .text(random.pick(Wording.extensionReasons)),
            ])
        time = decided
        let isApproved = random.chance(850)
        if isApproved {
            limit.due = later
            extensions += 1
        }
        try add(
            "extension_decision", actor: seat,
            ["decision": .text(isApproved ? "approved" : "rejected"), "due_datetime": .integer(limit.due)])
    }

    private mutating func writeSuspension() throws(PeriodOver) {
        passOfficeTime(minutes: 30...300)
        try act("suspend", actor: seat, ["reason": .text(random.pick(Wording.suspensionReasons))])
        passOfficeTime(minutes: 240...2_000)
        try act("resume", actor: seat)
    }

    // MARK: - 办理, 督办, 答复

    private mutating func writeWork(by unit: String, due: UnixMilliseconds) throws(PeriodOver) {
        let isLate = isShowcase || random.chance(70)
        let span = Double(max(due - time, OfficeHours.hour))
        let share = isLate ? 1.02 + 0.5 * random.fraction() : 0.1 + 0.6 * random.fraction()
        let replyTime = time + Int64(span * share)
        let contact = time + Int64(span * share * 0.3 * random.fraction())
        time += Int64(span * share * 0.6)
        try writeStep(by: unit, contact: contact)
        if isLate ? isShowcase || random.chance(500) : random.chance(10) {
            if isLate { time = max(time, due) }
            passOfficeTime(minutes: 10...120)
            try writeSupervision(of: unit, isLate: isLate)
        }
        if urgency == "complex", random.chance(400) {
            passOfficeTime(minutes: 10...200)
            try add(
                "reply", actor: unit,
                [
                    "reply_kind": .text("interim"), "reply_channel": .text("01"),
                    "content_public": .text("您好，您反映的\(matter.topic.subject)问题正在办理中，将尽快向您反馈结果。"),
                ])
        }
        time = max(time, replyTime)
        passHandlingTime(minutes: 1...60)
        try writeReply(by: unit)
    }

    /// A step of the handling. Whoever wants a reply is contacted before it (domain model 2.4).
    private mutating func writeStep(by unit: String, contact: UnixMilliseconds) throws(PeriodOver) {
        let isContacted = isReplyRequired && !isAnonymous || !isAnonymous && random.chance(600)
        var fields: [String: FieldValue] = [
            "unit": .text(unit), "contacted": .integer(isContacted ? 1 : 0),
            "site_visit": .integer(random.chance(550) ? 1 : 0), "fact_true": .integer(random.chance(900) ? 1 : 0),
            "beyond_duty": .integer(0),
            "measures": .text("接单后，\(unit)工作人员到\(matter.place)核实。\(random.pick(matter.topic.measures))。"),
        ]
        if isContacted { fields["contact_datetime"] = .integer(contact - contact % 1_000) }
        try add("handling", actor: unit, fields)
    }

    private mutating func writeReply(by unit: String) throws(PeriodOver) {
        let resolution = random.pick(resolutions)
        let measures = random.pick(matter.topic.measures)
        var fields: [String: FieldValue] = [
            "reply_kind": .text("final"), "reply_channel": .text("01"), "resolved_claimed": .text(resolution),
            "content_public": .text("您好，您反映的\(matter.topic.subject)问题已收悉。\(measures)。感谢您的监督与支持。"),
        ]
        if resolution == "unresolved" { fields["unresolved_reason"] = .text("涉及历史遗留问题，需要进一步协调") }
        try add("reply", actor: unit, fields)
        pass(seconds: 60...1_800)
        try act("apply_closure", actor: unit, ["unit": .text(unit)])
    }

    /// Sends the unit back to work after a review that was not passed.
    mutating func writeWorkAgain(by unit: String) throws(PeriodOver) {
        passOfficeTime(minutes: 60...900)
        try writeStep(by: unit, contact: time)
        passOfficeTime(minutes: 10...300)
        try writeReply(by: unit)
    }

    private mutating func writeSupervision(of unit: String, isLate: Bool) throws(PeriodOver) {
        let closed = time - time % 1_000 + Int64(random.int(2...30)) * OfficeHours.hour
        var fields: [String: FieldValue] = [
            "level": .text(isLate ? random.pick(["red_card", "red_card", "written"]) : "yellow_card"),
            "trigger": .text(isLate ? "overdue" : "should_resolve"), "target_unit": .text(unit),
            "due_datetime": .integer(recipe.office.calendar.end(ofWorkingDay: 2, after: time)),
        ]
        hasOpenSupervision = closed >= end
        if !hasOpenSupervision {
            fields["closed_datetime"] = .integer(closed)
            fields["response"] = .text("已督促承办人员加快办理，限期答复市民。")
            fields["outcome"] = .text("按督办要求办结")
        }
        try add("supervision", actor: seat, fields)
    }
}

private let returnDecisions = WeightedTable([("approved", 70), ("designated", 20), ("rejected", 10)])
private let resolutions = WeightedTable([("resolved", 68), ("partly", 9), ("explained", 18), ("unresolved", 5)])
