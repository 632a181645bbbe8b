import FederationModel
import Testing

private let city = "370100"
private let county = "370102"
private let province = "370000"
private let minute: Int64 = 60_000

@Suite struct `A guarded thread` {
    private static let signed = [
        happened("service_request", 0),
        happened(
            "assignment", 10, ["assignee_unit": "城管局", "role": "main"], ["due_datetime": threadStart + 3_000 * minute]),
        happened("acknowledgement", 20, ["unit": "城管局"]),
    ]

    private static let choices: [(ResourceName, [String: String], [String: Int64])] = [
        ("assignment", ["assignee_unit": "城管局", "role": "main"], ["due_datetime": threadStart + 3_000 * minute]),
        ("assignment", ["assignee_unit": "水务局", "role": "joint"], [:]),
        ("assignment", ["assignee_unit": "城管局", "role": "main"], ["round": 2, "due_datetime": threadStart]),
        ("acknowledgement", ["unit": "城管局"], [:]), ("handling", [:], ["contacted": 1]),
        ("reply", ["reply_kind": "final"], [:]), ("closure", ["closure_kind": "closed", "review": "passed"], [:]),
        ("closure", ["closure_kind": "direct"], [:]), ("return_request", [:], [:]),
        ("return_decision", ["decision": "designated"], [:]), ("extension_request", [:], [:]),
        ("extension_decision", ["decision": "approved"], ["due_datetime": threadStart + 9_000 * minute]),
        ("callback", ["reached": "answered"], [:]), ("evaluation", ["object": "handling", "score5": "3"], [:]),
        ("ticket_action", ["action": "archive"], [:]), ("ticket_action", ["action": "merge", "target": "x"], [:]),
        ("ticket_action", ["action": "set_confidential", "target": "reporter_protected"], [:]),
        ("transfer", ["transfer_id": "t", "step": "offer", "to_node": county], ["ordinal": 1]),
        ("transfer", ["transfer_id": "t", "step": "accept", "to_node": county], ["ordinal": 1]),
        ("transfer", ["transfer_id": "u", "step": "offer", "to_node": province], ["ordinal": 2]),
        ("transfer", ["transfer_id": "t", "step": "designate", "to_node": city], ["ordinal": 1]),
        ("transfer", ["transfer_id": "t", "step": "return", "to_node": city], ["ordinal": 1]),
        ("supervision", ["level": "red_card", "trigger": "overdue"], [:]),
    ]

    /// Taking a record in and folding the whole thread with it are one guard; so what is remembered can stand for what is
    /// stored.
    @Test(arguments: 0..<200 as Range<UInt64>)
    func `refuses what the guard of the whole thread refuses`(seed: UInt64) {
        var random = SplitMix64(seed: seed)
        let ticketGuard = TicketGuard(LifecycleRules())
        let report = ["request_type": "4", "respondent_name": "水务局"]
        let request = happened("service_request", 0, Bool.random(using: &random) ? report : [:])
        var thread = [request]
        var guarded = GuardedThread(thread, own: city, rules: ticketGuard.rules)
        var clock: Int64 = 0
        for _ in 0..<40 {
            guard let (resource, texts, integers) = Self.choices.randomElement(using: &random) else { return }
            clock += .random(in: -2...20, using: &random)
            let isOwn = Int.random(in: 0..<6, using: &random) > 0
            let event = happened(
                resource, max(0, clock), texts, integers, by: isOwn ? city : [county, province][Int(seed % 2)])
            guard isOwn else {
                // It came by a link: nobody asks the guard, and what was remembered is forgotten.
                thread.append(event)
                guarded = GuardedThread(thread, own: city, rules: ticketGuard.rules)
                continue
            }
            let others = thread.filter { $0.id != event.id }
            let replaced = thread.filter { $0.id == event.id }
            let refusal = ticketGuard.refusal(of: [event], in: others, replacing: replaced)
            if guarded.isFollowed(by: [event]) {
                #expect(replaced.isEmpty)
                do throws(RowRejection) {
                    guarded = try ticketGuard.thread(guarded, followedBy: [event])
                    thread.append(event)
                    #expect(refusal == nil, "\(resource) \(texts)")
                } catch {
                    #expect(error == refusal, "\(resource) \(texts)")
                }
            } else if refusal == nil {
                thread = others + [event]
                guarded = GuardedThread(thread, own: city, rules: ticketGuard.rules)
            }
        }
    }

    @Test func `is followed neither by what lies before its end nor by a record that it has`() {
        let thread = GuardedThread(Self.signed, own: city, rules: LifecycleRules())
        // One in some hundreds has bits that are set by others, and is looked at with the whole thread.
        #expect((30..<1_030).count { thread.isFollowed(by: [happened("handling", $0)]) } > 970)
        for event in Self.signed.dropFirst() {
            let anew = happened(event.resource, 50, key: event.key)
            #expect(!thread.isFollowed(by: [anew]), "\(event.resource), written anew at a later time")
        }
        #expect(!thread.isFollowed(by: [happened("handling", 30), happened("handling", 15)]))
        #expect(!thread.isFollowed(by: [Self.signed[2]]))
        #expect(!thread.isFollowed(by: [happened("assignment", 20)]))
        #expect(GuardedThread([], own: city, rules: LifecycleRules()).isFollowed(by: [Self.signed[0]]))
    }
}
