import FederationModel

/// Writes one invented ticket: draws who, what and where, then lets the thread go its way. Without dirt the thread keeps
/// the rules of domain model 2.4.
struct TicketWriter {
    /// The period ended before the next step.
    struct PeriodOver: Error {}

    let recipe: TicketRecipe
    var random: SplitMix64
    let requested: UnixMilliseconds
    let end: UnixMilliseconds
    let isShowcase: Bool
    let channel: String
    let type: String
    let matter: Matter
    let person: Person
    let isAnonymous: Bool
    let urgency: String
    let isReplyRequired: Bool
    let isCallbackRequired: Bool
    /// The block whose shared matter it is about.
    let sharedBlock: Int?
    /// The ticket that somebody else opened about the same matter.
    private let head: String?
    let number: String
    let globalID: String
    let seat: String
    /// The latest event so far; nothing in a thread happens before it.
    var time: UnixMilliseconds
    /// 办理轮次.
    var round = 1
    /// Who owns the handling, and what the names of its units begin with when that is not the origin.
    var owner: NodeID
    var ownerName: String?
    var extensions = 0
    var hasOpenSupervision = false
    var thread: [WrittenRecord] = []
    private var ordinals: [ResourceName: Int] = [:]

    init(
        _ recipe: TicketRecipe, index: Int, requested: UnixMilliseconds, sequence: Int, end: UnixMilliseconds,
        isShowcase: Bool, head: (block: Int, globalID: String)?
    ) {
        var random = SplitMix64(seed: recipe.seed, index: index)
        let dayNumber = ShanghaiTime.dayNumber(requested)
        let date = CivilDate.date(dayNumber: dayNumber)
        self.recipe = recipe
        self.requested = requested
        self.end = isShowcase ? .max : end
        self.isShowcase = isShowcase
        channel = isShowcase ? "01" : random.pick(channelShares)
        let type = isShowcase ? "2" : random.pick(recipe.mix.types)
        self.type = type
        let shared =
            isShowcase || type != "2" && type != "3"
            ? nil : SharedMatter(index: index, year: date.year, recipe: recipe)
        let own = Matter(type: type, month: date.month, places: recipe.places, random: &random)
        matter = shared?.matter ?? own
        let caller = Person(region: matter.county.code, year: date.year, random: &random)
        person = shared?.person ?? caller
        sharedBlock = shared?.block
        self.head = head?.block == shared?.block ? head?.globalID : nil
        isAnonymous = !isShowcase && shared?.person == nil && random.chance(30)
        urgency =
            random.chance(8)
            ? "urgent" : matter.topic.isLivelihood ? "livelihood" : random.chance(30) ? "complex" : "normal"
        isReplyRequired = isShowcase || type != "6" && !random.chance(30)
        isCallbackRequired = isShowcase || isReplyRequired && type != "4" && !isAnonymous && !random.chance(30)
        number = Self.number(
            region: recipe.numberRegion, dayNumber: dayNumber, channel: channel, sequence: sequence)
        globalID = "\(recipe.origin.code)-\(number)"
        seat = "2\(random.int(1_000...1_199))"
        time = requested
        owner = recipe.origin
        self.random = random
    }

    /// A hotline's own number; beyond the numbers of a day any other label, which is as good.
    static func number(region: String, dayNumber: Int64, channel: String, sequence: Int) -> String {
        TicketNumber(region: region, dayNumber: dayNumber, channel: channel, sequence: sequence)?.description
            ?? "\(region)-\(dayNumber)-\(sequence)"
    }

    mutating func records() -> [WrittenRecord] {
        thread.reserveCapacity(16)
        let call = drawCall()
        time = call.hangup
        let fate = drawFate()
        writeRequest(fate)
        do {
            switch fate {
            case .answered: try writeDirectAnswer()
            case .dispatched: try writeLife()
            case .refused, .connected: break
            }
        } catch {
            // The rest lies behind the end of the period.
        }
        if recipe.includesCalls, channel == "01" { writeCalls(call) }
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
        if isShowcase || sharedBlock != nil { return .dispatched }
        if random.chance(6) { return .refused }
        if random.chance(6) { return .connected }
        let answered: Int
        switch type {
        case "1": answered = 830
        case "2": answered = 350
        case "5", "6", "9": answered = 600
        default: answered = recipe.mix == .a ? 150 : 450
        }
        return urgency != "urgent" && random.chance(answered) ? .answered : .dispatched
    }

    private mutating func writeRequest(_ fate: Fate) {
        let topic = matter.topic
        let isQuestion = topic.subject.hasPrefix("咨询")
        let subject = isQuestion ? topic.subject : type == "6" ? "感谢解决\(topic.subject)问题" : topic.subject
        let place = "\(matter.county.name)\(matter.place)"
        let description =
            isQuestion
            ? "市民来电\(topic.subject)，\(matter.detail)，希望\(topic.demand)。"
            : "市民反映，\(matter.since)\(place)\(subject)，\(matter.detail)。希望有关部门\(topic.demand)。"
        var fields: [String: FieldValue] = [
            "global_id": .text(globalID), "service_request_id": .text(number),
            "requested_datetime": .integer(requested), "accepted_datetime": .integer(time), "channel": .text(channel),
            "request_type": .text(type), "service_code": .text(topic.code), "service_name": .text(topic.name),
            "title": .text(isQuestion ? subject : "\(matter.place)\(subject)"), "description": .text(description),
            "request_demand": .text(topic.demand), "address_string": .text(matter.address),
            "region_code": .text(matter.county.code), "urgency": .text(urgency), "acceptance": .text(fate.rawValue),
            "seat_id": .text(seat), "reply_required": .integer(isReplyRequired ? 1 : 0),
            "callback_required": .integer(isCallbackRequired ? 1 : 0),
            "confidential": .text(type == "4" ? "reporter_protected" : "none"),
        ]
        if !isQuestion {
            fields["occurred_datetime"] = .integer(requested - Int64(random.int(30...2_000)) * OfficeHours.minute)
        }
        if fate == .refused { fields["non_acceptance_reason"] = .text(random.pick(Wording.refusals)) }
        let company = recipe.places.cityName + random.pick(Wording.companies)
        if type == "3" || type == "4" { fields["respondent_name"] = .text(company) }
        fields.merge(reporter()) { $1 }
        if recipe.includesCalls, channel == "01" { fields["call_id"] = .text(callKey) }
        thread.append(
            WrittenRecord(
                node: owner, record: IntakeRecord(resource: "service_request", key: globalID, fields: fields)))
    }

    private mutating func reporter() -> [String: FieldValue] {
        if isAnonymous { return ["reporter_kind": .text("anonymous")] }
        var fields: [String: FieldValue] = [
            "reporter_kind": .text("person"), "reporter_name": .text(person.name),
            "reporter_phone": .text(person.phone),
        ]
        if let number = person.identityNumber {
            fields["reporter_id_type"] = .text("居民身份证")
            fields["reporter_id_number"] = .text(number)
        }
        if random.chance(50) {
            fields["reporter_kind"] = .text("company")
            fields["organization_name"] = .text(recipe.places.cityName + random.pick(Wording.companies))
            fields["organization_uscc"] = .text(
                IdentityNumber.enterprise(region: matter.county.code, serial: random.below(1_000_000)))
        }
        return fields
    }

    private mutating func writeDirectAnswer() throws(PeriodOver) {
        try add(
            "reply", actor: seat,
            [
                "reply_kind": .text("direct"), "reply_channel": .text(channel),
                "content_public": .text("您好，\(random.pick(matter.topic.measures))。"),
                "resolved_claimed": .text("explained"),
            ])
    }

    // MARK: - 派单之前

    /// From 转入派单 to 归档.
    private mutating func writeLife() throws(PeriodOver) {
        pass(seconds: 5...90)
        try act("queue", actor: seat)
        if let head, !isShowcase, random.chance(750) {
            passOfficeTime(minutes: 5...200)
            try act("merge", actor: seat, ["target": .text(head), "reason": .text("与在办工单反映同一问题")])
            return
        }
        if !isShowcase { try writeCorrections() }
        if !isShowcase, random.chance(5) {
            passOfficeTime(minutes: 5...120)
            try writeEnd("withdrawn", reason: random.pick(Wording.withdrawals))
            return
        }
        if !isShowcase, !recipe.partners.isEmpty, type != "4", random.chance(15) {
            guard try writeTransfer(to: random.pick(recipe.partners)) else { return }
        }
        while try writeRound() { round += 1 }
    }

    private mutating func writeCorrections() throws(PeriodOver) {
        if random.chance(10) {
            pass(seconds: 60...900)
            try act("set_category", actor: seat, ["target": .text(random.pick(Topic.problems).code)])
        }
        if random.chance(5), !isAnonymous {
            pass(seconds: 60...900)
            let other = Person(region: matter.county.code, year: 2_000, random: &random)
            try act("set_phone", actor: seat, ["value": .text(other.phone)])
        }
        if random.chance(4), type != "4" {
            pass(seconds: 60...900)
            try act("set_confidential", actor: seat, ["target": .text("name_hidden")])
        }
    }

    // MARK: - Records of the thread

    /// Adds a record that the owner of the handling writes now, in `time`.
    mutating func add(
        _ resource: ResourceName, by node: NodeID? = nil, actor: String, _ own: [String: FieldValue]
    ) throws(PeriodOver) {
        time -= time % 1_000
        guard time < end else { throw PeriodOver() }
        let ordinal = ordinals[resource, default: 0] + 1
        ordinals[resource] = ordinal
        var fields = own
        fields["global_id"] = .text(globalID)
        fields["ticket_origin"] = .text(recipe.origin.code)
        fields["occurred_at"] = .integer(time)
        fields["round"] = .integer(Int64(round))
        fields["actor"] = .text(actor)
        let key = "\(globalID).\(resource.text).\(ordinal)"
        thread.append(
            WrittenRecord(node: node ?? owner, record: IntakeRecord(resource: resource, key: key, fields: fields)))
    }

    mutating func act(
        _ action: String, actor: String, _ own: [String: FieldValue] = [:]
    ) throws(PeriodOver) {
        try add("ticket_action", actor: actor, own.merging(["action": .text(action)]) { $1 })
    }

    mutating func pass(seconds: ClosedRange<Int>) { time += Int64(random.int(seconds)) * 1_000 }

    /// Lets some minutes of office time pass.
    mutating func passOfficeTime(minutes: ClosedRange<Int>) {
        let (open, wasOpen) = recipe.office.officeTime(time + Int64(random.int(minutes)) * OfficeHours.minute)
        time = wasOpen ? open : open + Int64(random.int(0...90)) * OfficeHours.minute
    }
}
