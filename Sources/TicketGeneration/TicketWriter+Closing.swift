import FederationModel

/// 办结, 回访, 评价, 归档.
extension TicketWriter {
    /// - Returns: whether the ticket is closed; false when it is put aside (挂账).
    mutating func writeClosure(by unit: String) throws(PeriodOver) -> Bool {
        passHandlingTime(minutes: 10...180)
        if !isShowcase, random.chance(25) {
            try writeReview("closed", isPassed: false, result: "答复内容不完整，退回补充。")
            try writeWorkAgain(by: unit)
            passHandlingTime(minutes: 10...180)
        }
        if !isShowcase, random.chance(8) {
            try writeReview("held", isPassed: true, result: "需长期推进，挂账管理。")
            return false
        }
        try writeReview(
            random.chance(850) ? "closed" : "explained", isPassed: true, result: "\(unit)已按规定办理并答复诉求人。")
        return true
    }

    /// Ends the ticket before it is handled to the end.
    mutating func writeEnd(_ kind: String, reason: String) throws(PeriodOver) {
        try writeReview(kind, isPassed: true, result: "\(reason)。")
    }

    private mutating func writeReview(_ kind: String, isPassed: Bool, result: String) throws(PeriodOver) {
        try add(
            "closure", actor: seat,
            [
                "closure_kind": .text(kind), "reviewer": .text(seat),
                "review": .text(isPassed ? "passed" : "sent_back"), "result": .text(result),
            ])
    }

    /// - Returns: whether the citizen's verdict opens another round.
    mutating func writeCallback() throws(PeriodOver) -> Bool {
        guard isCallbackRequired, isShowcase || random.chance(880) else {
            try writeArchive()
            return false
        }
        if !isShowcase, random.chance(400) {
            passOfficeTime(minutes: 30...600)
            try act("enter_callback", actor: seat)
        }
        for attempt in 1...2 {
            passOfficeTime(minutes: 240...2_400)
            let reached = isShowcase ? "answered" : random.pick(answers)
            let score = isShowcase ? "5" : random.pick(scores)
            try writeAttempt(attempt, reached: reached, score: score)
            if reached == "refused" { break }
            guard reached == "answered" else { continue }
            if isShowcase || random.chance(920) { try writeEvaluation(score) }
            if !isShowcase, round < 3, score <= "2", random.chance(600) { return true }
            break
        }
        try writeArchive()
        return false
    }

    private mutating func writeAttempt(_ attempt: Int, reached: String, score: String) throws(PeriodOver) {
        var fields: [String: FieldValue] = [
            "method": .text(random.pick(["telephone", "telephone", "voice_robot", "text_message"])),
            "attempt": .integer(Int64(attempt)), "reached": .text(reached),
        ]
        if reached == "answered" {
            fields["contacted_by_unit"] = .integer(random.chance(920) ? 1 : 0)
            fields["resolved"] = .text(score >= "4" ? "resolved" : score == "3" ? "partly" : "unresolved")
            fields["verdict_source"] = .text("person")
        }
        try add("callback", actor: seat, fields)
    }

    private mutating func writeEvaluation(_ score: String) throws(PeriodOver) {
        pass(seconds: 20...180)
        var fields: [String: FieldValue] = [
            "object": .text("handling"), "score5": .text(score), "verdict_source": .text("person"),
            "counted": .integer(1),
        ]
        if score <= "2" { fields["reason_codes"] = .text(random.pick(Wording.dissatisfaction)) }
        if random.chance(30) {
            fields["counted"] = .integer(0)
            fields["exclusion_reason"] = .text("诉求缺乏法律政策依据")
        }
        try add("evaluation", actor: seat, fields)
    }

    /// After the period in which the unit may object. Not while a supervision is open.
    private mutating func writeArchive() throws(PeriodOver) {
        guard !isShowcase, !hasOpenSupervision, random.chance(800) else { return }
        time = recipe.office.calendar.end(ofWorkingDay: 10, after: time)
        passOfficeTime(minutes: 1...60)
        try act("archive", actor: seat)
    }
}

private let answers = WeightedTable([("answered", 76), ("no_answer", 16), ("refused", 5), ("invalid_number", 3)])
private let scores = WeightedTable([("5", 55), ("4", 26), ("3", 8), ("2", 7), ("1", 4)])
