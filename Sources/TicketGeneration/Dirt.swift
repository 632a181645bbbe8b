import FederationModel

/// What is wrong with a dirty ticket: the kinds of fixture Q10 (domain model 6.2-1) and the rare cases of section 8. A
/// dirty ticket has one of them.
package enum Dirt: String, CaseIterable, Sendable {
    /// Nobody can be reached: no telephone number, though the reporter is no anonymous one.
    case missingContact = "missing_contact"
    /// Ten digits.
    case malformedPhone = "malformed_phone"
    /// `138 0000-1234`: can be corrected without loss.
    case separatedPhone = "separated_phone"
    /// `１３８…`: can be corrected without loss.
    case fullWidthPhone = "full_width_phone"
    case wrongCheckDigit = "wrong_check_digit"
    /// 15 digits, as before 1999: can be corrected without loss.
    case oldIdentityNumber = "old_identity_number"
    /// 30 February, with a right check digit.
    case impossibleBirthDate = "impossible_birth_date"
    case wrongOrganizationCode = "wrong_organization_code"
    /// `370199` for a node of 370100: no such region.
    case unknownRegion = "unknown_region"
    /// 371202 莱芜区 and 371203 钢城区, which ended with 2018.
    case formerRegion = "former_region"
    /// The last event lies before the request.
    case closedBeforeRequested = "closed_before_requested"
    /// The number of the ticket before.
    case duplicateNumber = "duplicate_number"
    /// Everything happened 31 to 60 days before it was handed in, and `recorded_at` says so.
    case lateArrival = "late_arrival"
    /// The description names the caller's telephone number, and so does the reply.
    case phoneInText = "phone_in_text"
    /// 举报, dispatched to the very unit that it accuses.
    case reportToAccused = "report_to_accused"
    /// To a partner and back. The partner's half of it is written by the partner.
    case transferredForthAndBack = "transferred_forth_and_back"
    /// A second request with the same global id and another number.
    case twoNumbers = "two_numbers"
    /// The thread's clock took Shanghai's time for UTC: 8 hours too late.
    case wrongClock = "wrong_clock"
}

extension Dirt {
    struct Context {
        let recipe: TicketRecipe
        let before: TicketRecipe.Before
    }

    /// Makes a clean ticket dirty. The first record is the request.
    func soil(_ thread: inout [WrittenRecord], context: Context, random: inout SplitMix64) {
        guard var request = thread.first?.record.fields else { return }
        switch self {
        case .missingContact, .malformedPhone, .separatedPhone, .fullWidthPhone:
            soilContact(&request, random: &random)
        case .wrongCheckDigit, .oldIdentityNumber, .impossibleBirthDate, .wrongOrganizationCode:
            soilIdentity(&request, random: &random)
        case .unknownRegion: request["region_code"] = .text(String(context.recipe.numberRegion.prefix(4)) + "99")
        case .formerRegion: request["region_code"] = .text(random.pick(["371202", "371203"]))
        case .closedBeforeRequested:
            let last = thread.dropFirst().compactMap { $0.record.fields["occurred_at"]?.integer }.max()
            let end = last ?? request["accepted_datetime"]?.integer ?? 0
            request["requested_datetime"] = .integer(end + Int64(random.int(1...48)) * OfficeHours.hour)
        case .duplicateNumber:
            if let number = context.before.number { request["service_request_id"] = .text(number) }
        case .phoneInText: writePhoneIntoText(&request, &thread, random: &random)
        case .reportToAccused: accuseUnit(&request, in: thread, recipe: context.recipe)
        case .lateArrival, .transferredForthAndBack, .twoNumbers, .wrongClock: break
        }
        thread[0].record.fields = request
        switch self {
        case .lateArrival: shift(&thread, by: -Int64(random.int(31...60)) * OfficeHours.day)
        case .wrongClock: shiftClock(&thread)
        case .twoNumbers: appendSecondNumber(&thread, random: &random)
        case .transferredForthAndBack: insertTransfers(&thread, recipe: context.recipe)
        default: break
        }
    }

    // MARK: - Fields of the request

    private func soilContact(_ request: inout [String: FieldValue], random: inout SplitMix64) {
        let person = Person(region: "370102", year: 2_025, random: &random)
        request["reporter_kind"] = .text("person")
        let name = request["reporter_name"]?.text ?? person.name
        let phone = request["reporter_phone"]?.text ?? person.phone
        request["reporter_name"] = .text(name)
        let soiled: String? =
            switch self {
            case .malformedPhone: String(phone.dropLast())
            case .separatedPhone: "\(phone.prefix(3)) \(phone.dropFirst(3).prefix(4))-\(phone.suffix(4))"
            case .fullWidthPhone: fullWidth(phone)
            default: nil
            }
        request["reporter_phone"] = soiled.map(FieldValue.text)
    }

    private func fullWidth(_ digits: String) -> String {
        var text = ""
        for scalar in digits.unicodeScalars {
            text.unicodeScalars.append(Unicode.Scalar(scalar.value + 0xfee0) ?? scalar)
        }
        return text
    }

    private func soilIdentity(_ request: inout [String: FieldValue], random: inout SplitMix64) {
        let region = request["region_code"]?.text ?? "370102"
        let number = Person.identityNumber(region: region, year: 2_025, random: &random)
        let serial = random.int(1...999)
        if self == .wrongOrganizationCode {
            request["reporter_kind"] = .text("company")
            request["organization_name"] = .text(random.pick(Wording.companies))
            request["organization_uscc"] = .text(
                IdentityNumber.withWrongCheck(IdentityNumber.enterprise(region: region, serial: serial)))
            return
        }
        let soiled =
            switch self {
            case .wrongCheckDigit: IdentityNumber.withWrongCheck(number)
            case .oldIdentityNumber:
                IdentityNumber.oldForm(
                    of: IdentityNumber.person(
                        region: region, birth: "19\(random.int(40...85))0\(random.int(1...9))1\(random.int(0...9))",
                        serial: serial))
            default:
                IdentityNumber.person(region: region, birth: "19\(random.int(50...99))0230", serial: serial)
            }
        request["reporter_id_type"] = .text("居民身份证")
        request["reporter_id_number"] = .text(soiled)
    }

    private func writePhoneIntoText(
        _ request: inout [String: FieldValue], _ thread: inout [WrittenRecord], random: inout SplitMix64
    ) {
        let phone =
            request["reporter_phone"]?.text ?? Person(region: "370102", year: 2_025, random: &random).phone
        request["description"] = .text("\(request["description"]?.text ?? "")请回电\(phone)。")
        for index in thread.indices {
            guard let reply = thread[index].record.fields["content_public"]?.text else { continue }
            thread[index].record.fields["content_public"] = .text("\(reply)已电话联系\(phone)告知。")
        }
    }

    private func accuseUnit(
        _ request: inout [String: FieldValue], in thread: [WrittenRecord], recipe: TicketRecipe
    ) {
        let assigned = thread.first { $0.record.resource == "assignment" }?.record.fields["assignee_unit"]?.text
        request["request_type"] = .text("4")
        request["confidential"] = .text("reporter_protected")
        request["respondent_name"] = .text(assigned ?? "\(recipe.places.cityName)城市管理局")
    }

    // MARK: - The thread

    /// Moves everything; what belongs to the ticket's stages was recorded when it was handed in.
    private func shift(_ thread: inout [WrittenRecord], by offset: Int64) {
        for index in thread.indices {
            guard let definition = BuiltInResources.named(thread[index].record.resource) else { continue }
            if definition.isThreadRecord {
                thread[index].record.fields["recorded_at"] = thread[index].record.fields["occurred_at"]
            }
            for column in definition.columns where column.type == .timestamp && column.name != "recorded_at" {
                guard let time = thread[index].record.fields[column.name]?.integer else { continue }
                thread[index].record.fields[column.name] = .integer(time + offset)
            }
        }
    }

    private func shiftClock(_ thread: inout [WrittenRecord]) {
        let fields = thread[0].record.fields
        thread[0].record.fields["accepted_datetime"] = fields["accepted_datetime"]?.integer.map {
            .integer($0 + ShanghaiTime.offset)
        }
        // The acceptance went wrong, and with it one system's share of the thread.
        for index in thread.indices where thread[index].record.resource == "acknowledgement" {
            guard let time = thread[index].record.fields["occurred_at"]?.integer else { continue }
            thread[index].record.fields["occurred_at"] = .integer(time + ShanghaiTime.offset)
        }
    }

    private func appendSecondNumber(_ thread: inout [WrittenRecord], random: inout SplitMix64) {
        var copy = thread[0]
        copy.record.fields["source_request_id"] = copy.record.fields["service_request_id"]
        copy.record.fields["source_system"] = .text("归并热线")
        copy.record.fields["service_request_id"] = .text("GB\(random.int(100_000_000...999_999_999))")
        copy.record = IntakeRecord(
            resource: copy.record.resource, key: "\(copy.record.key)-2", fields: copy.record.fields)
        thread.append(copy)
    }

    private func insertTransfers(_ thread: inout [WrittenRecord], recipe: TicketRecipe) {
        let request = thread[0].record
        let partner = recipe.partners.first?.node ?? NodeID("\(recipe.numberRegion.prefix(2))0000") ?? recipe.origin
        let accepted = request.fields["accepted_datetime"]?.integer ?? 0
        let ways = [(recipe.origin, partner), (partner, recipe.origin)]
        var ordinal = 100
        for (way, (from, to)) in ways.enumerated() {
            for (step, node) in [("offer", from), ("accept", to)] {
                ordinal += 1
                let fields: [String: FieldValue] = [
                    "global_id": .text(request.key), "ticket_origin": .text(recipe.origin.code),
                    "occurred_at": .integer(accepted + Int64(ordinal - 100) * 1_000), "round": .integer(1),
                    "transfer_id": .text("\(request.key)-R\(way + 1)"), "step": .text(step),
                    "to_node": .text(to.code), "kind": .text(transferKind(from: from, to: to)), "ordinal": .integer(1),
                ]
                thread.insert(
                    WrittenRecord(
                        node: node,
                        record: IntakeRecord(
                            resource: "transfer", key: "\(request.key).transfer.\(ordinal)", fields: fields)),
                    at: ordinal - 100)
            }
        }
    }
}
