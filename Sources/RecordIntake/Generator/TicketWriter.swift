import FederationModel

/// Writes one invented ticket: draws who, what and where, then lets the thread go its way.
struct TicketWriter {
    let generator: TicketGenerator
    var random: SplitMix64
    let requested: UnixMilliseconds
    let isShowcase: Bool
    let channel: String
    let type: String
    let topic: Topic
    let county: County
    let address: String
    let place: String
    let urgency: String
    let number: String
    let globalID: String
    let seat: String
    /// The latest event so far; nothing in a thread happens before it.
    var time: UnixMilliseconds
    var thread: [IntakeRecord] = []

    init(
        _ generator: TicketGenerator, random: SplitMix64, dayNumber: Int64, ordinal: Int, requested: UnixMilliseconds,
        isShowcase: Bool
    ) {
        var random = random
        let month = CivilDate.date(dayNumber: dayNumber).month
        self.generator = generator
        self.requested = requested
        self.isShowcase = isShowcase
        channel = isShowcase ? "01" : random.pick(channels)
        type = isShowcase ? "2" : random.pick(types)
        topic = Self.topic(type: type, month: month, random: &random)
        county = random.pick(generator.places.counties)
        let street = "\(random.pick(generator.places.roads))\(random.int(1...380))号"
        place = "\(street)\(random.pick(Places.communities))"
        address = "\(generator.places.cityName)\(county.name)\(random.pick(county.townships))\(place)"
        urgency =
            random.chance(8) ? "urgent" : topic.isLivelihood ? "livelihood" : random.chance(30) ? "complex" : "normal"
        // More tickets a day than there are numbers: then any other label is as good.
        number =
            TicketNumber(
                region: generator.numberRegion, dayNumber: dayNumber, channel: channel, sequence: ordinal
            )?.description ?? "\(generator.numberRegion)-\(dayNumber)-\(ordinal)"
        globalID = "\(generator.origin.code)-\(number)"
        seat = "2\(random.int(1_000...1_199))"
        time = requested
        self.random = random
    }

    private static func topic(type: String, month: Int, random: inout SplitMix64) -> Topic {
        let isQuestion = type == "1" && random.chance(850)
        while true {
            let topic = random.pick(isQuestion ? Topic.questions : Topic.problems)
            if topic.months.isEmpty || topic.months.contains(month) { return topic }
        }
    }

    mutating func records() -> [IntakeRecord] {
        thread.reserveCapacity(12)
        let phone = phoneNumber()
        let talkSeconds = random.int(50...420)
        time += Int64(talkSeconds) * 1_000
        let fate = isShowcase ? Fate.dispatched : drawFate()
        writeRequest(fate, phone: phone)
        switch fate {
        case .answered: writeDirectAnswer()
        case .dispatched: writeHandling()
        case .refused, .connected: break
        }
        if generator.includesCalls, channel == "01" { writeCalls(talkSeconds: talkSeconds, phone: phone) }
        return thread
    }

    // MARK: - 受理

    /// How the conversation ends.
    enum Fate: String {
        case answered
        case dispatched = "accepted"
        case refused = "not_accepted"
        case connected = "transferred_out"
    }

    private mutating func drawFate() -> Fate {
        if random.chance(6) { return .refused }
        if random.chance(6) { return .connected }
        let answered: Int
        switch type {
        case "1": answered = 830
        case "2": answered = 300
        case "5", "6", "9": answered = 600
        default: answered = 150
        }
        return urgency != "urgent" && random.chance(answered) ? .answered : .dispatched
    }

    private mutating func phoneNumber() -> String {
        "1\(random.int(3...9))\(random.below(10))0000\(random.int(1_000...9_999))"
    }

    private mutating func writeRequest(_ fate: Fate, phone: String) {
        let detail = random.pick(topic.details)
        let since = random.pick(Wording.since)
        let isQuestion = topic.subject.hasPrefix("咨询")
        let subject = isQuestion ? topic.subject : type == "6" ? "感谢解决\(topic.subject)问题" : topic.subject
        let description =
            isQuestion
            ? "市民来电\(topic.subject)，\(detail)，希望\(topic.demand)。"
            : "市民反映，\(since)\(county.name)\(place)\(subject)，\(detail)。希望有关部门\(topic.demand)。"
        var fields: [String: FieldValue] = [
            "global_id": .text(globalID), "service_request_id": .text(number),
            "requested_datetime": .integer(requested), "accepted_datetime": .integer(time), "channel": .text(channel),
            "request_type": .text(type), "service_code": .text(topic.code), "service_name": .text(topic.name),
            "title": .text(isQuestion ? subject : "\(place)\(subject)"), "description": .text(description),
            "request_demand": .text(topic.demand), "address_string": .text(address),
            "region_code": .text(county.code), "urgency": .text(urgency), "acceptance": .text(fate.rawValue),
            "seat_id": .text(seat), "reply_required": .integer(1), "callback_required": .integer(type == "4" ? 0 : 1),
            "confidential": .text(type == "4" ? "reporter_protected" : "none"), "reporter_kind": .text("person"),
            "reporter_phone": .text(phone),
            "reporter_name": .text(random.pick(Wording.surnames) + random.pick(Wording.givenNames)),
        ]
        if !isQuestion { fields["occurred_datetime"] = .integer(requested - Int64(random.int(30...2_000)) * 60_000) }
        if fate == .refused { fields["non_acceptance_reason"] = .text(random.pick(Wording.refusals)) }
        if random.chance(50) {
            fields["reporter_kind"] = .text("company")
            fields["organization_name"] = .text(generator.places.cityName + random.pick(Wording.companies))
        } else if random.chance(30) {
            fields["reporter_kind"] = .text("anonymous")
            fields["reporter_name"] = nil
        }
        if generator.includesCalls, channel == "01" { fields["call_id"] = .text(callKey) }
        thread.append(IntakeRecord(resource: "service_request", key: globalID, fields: fields))
    }

    private mutating func writeDirectAnswer() {
        let answer = "您好，\(random.pick(topic.measures))。"
        guard
            add(
                "reply", actor: seat,
                [
                    "reply_kind": .text("direct"), "reply_channel": .text(channel), "content_public": .text(answer),
                    "resolved_claimed": .text("explained"),
                ])
        else { return }
        time += Int64(random.int(5...90)) * 1_000
        add("closure", actor: seat, ["closure_kind": .text("direct"), "review": .text("passed")])
    }

    // MARK: - Records of the thread

    /// Adds a record that happens now, in `time`.
    ///
    /// - Returns: false when the period is over: it has not happened yet, and neither has what comes after it.
    @discardableResult
    mutating func add(_ resource: ResourceName, ordinal: Int = 1, actor: String, _ own: [String: FieldValue]) -> Bool {
        guard time < generator.end || isShowcase else { return false }
        var fields = own
        fields["global_id"] = .text(globalID)
        fields["ticket_origin"] = .text(generator.origin.code)
        fields["occurred_at"] = .integer(time)
        fields["round"] = .integer(1)
        fields["actor"] = .text(actor)
        thread.append(
            IntakeRecord(resource: resource, key: "\(globalID).\(resource.text).\(ordinal)", fields: fields))
        return true
    }

    /// Lets some minutes of office time pass.
    mutating func passOfficeTime(minutes: ClosedRange<Int>) {
        let (open, wasOpen) = WorkCalendar.officeTime(time + Int64(random.int(minutes)) * WorkCalendar.minute)
        time = wasOpen ? open : open + Int64(random.int(0...90)) * WorkCalendar.minute
    }

    // MARK: - 话务, 录音

    private var callKey: String { "\(generator.origin.code)-CALL-\(number)" }

    private mutating func writeCalls(talkSeconds: Int, phone: String) {
        let menu = random.int(6...20)
        let queue = random.chance(900) ? random.int(1...14) : random.int(15...110)
        let queueStart = requested + Int64(menu) * 1_000
        let answered = queueStart + Int64(queue) * 1_000
        let hangup = answered + Int64(talkSeconds) * 1_000
        if random.chance(50) { writeAbandonedCall(phone: phone) }
        thread.append(
            IntakeRecord(
                resource: "call_record", key: callKey,
                fields: [
                    "direction": .text("inbound"), "arrival": .integer(requested), "ivr_out": .integer(queueStart),
                    "queue_start": .integer(queueStart), "answered": .integer(answered), "hangup": .integer(hangup),
                    "queue_seconds": .integer(Int64(queue)), "talk_seconds": .integer(Int64(talkSeconds)),
                    "seat": .text(seat), "disposition": .text("connected"), "caller": .text(phone),
                    "linked_request": .text(globalID),
                ]))
        guard random.chance(960) else { return }
        thread.append(
            IntakeRecord(
                resource: "recording", key: "\(generator.origin.code)-REC-\(number)",
                fields: [
                    "call_id": .text(callKey), "uri": .text("recordings/\(number).wav"),
                    "sha256": .text(digestText()), "duration": .integer(Int64(talkSeconds)),
                    "retention_until": .integer(hangup + 1_096 * WorkCalendar.day),
                ]))
    }

    /// The same caller had hung up in the queue a few minutes before.
    private mutating func writeAbandonedCall(phone: String) {
        let queueStart = requested - Int64(random.int(90...600)) * 1_000
        let waited = random.int(5...60)
        thread.append(
            IntakeRecord(
                resource: "call_record", key: "\(callKey)-0",
                fields: [
                    "direction": .text("inbound"), "arrival": .integer(queueStart - 8_000),
                    "ivr_out": .integer(queueStart), "queue_start": .integer(queueStart),
                    "hangup": .integer(queueStart + Int64(waited) * 1_000), "queue_seconds": .integer(Int64(waited)),
                    "disposition": .text("abandoned"), "caller": .text(phone),
                ]))
    }

    private mutating func digestText() -> String {
        let letters = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(64)
        for _ in 0..<4 {
            var bits = random.next()
            for _ in 0..<16 {
                text.append(letters[Int(bits & 15)])
                bits >>= 4
            }
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Channel shares in thousandths (domain model 7).
private let channels = WeightedTable([
    ("01", 700), ("02", 120), ("04", 62), ("03", 50), ("06", 20), ("05", 10), ("08", 9), ("11", 7), ("10", 6),
    ("07", 6),
    ("13", 5), ("09", 3), ("14", 2),
])

/// Mix A of domain model 7, in hundredths: 咨询 47, 求助 30, 建议 15, 投诉举报 5, 其他 3.
private let types = WeightedTable([("1", 47), ("2", 30), ("5", 15), ("3", 4), ("4", 1), ("6", 1), ("9", 2)])
