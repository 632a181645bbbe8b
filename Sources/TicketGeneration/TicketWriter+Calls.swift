import FederationModel

/// 话务, 录音.
extension TicketWriter {
    /// The conversation in which the ticket was taken; of other channels only its length counts.
    struct Call {
        let queueStart: UnixMilliseconds
        let answered: UnixMilliseconds
        let hangup: UnixMilliseconds
        let queueSeconds: Int
        let talkSeconds: Int
    }

    mutating func drawCall() -> Call {
        let queueStart = requested + Int64(random.int(6...20)) * 1_000
        let queue = random.chance(900) ? random.int(1...14) : random.int(15...110)
        let talk = random.int(50...420)
        let answered = queueStart + Int64(queue) * 1_000
        return Call(
            queueStart: queueStart, answered: answered, hangup: answered + Int64(talk) * 1_000, queueSeconds: queue,
            talkSeconds: talk)
    }

    var callKey: String { "\(recipe.origin.code)-CALL-\(number)" }

    mutating func writeCalls(_ call: Call) {
        if random.chance(50) { writeAbandonedCall() }
        append(
            "call_record", key: callKey,
            [
                "direction": .text("inbound"), "arrival": .integer(requested), "ivr_out": .integer(call.queueStart),
                "queue_start": .integer(call.queueStart), "answered": .integer(call.answered),
                "hangup": .integer(call.hangup), "queue_seconds": .integer(Int64(call.queueSeconds)),
                "talk_seconds": .integer(Int64(call.talkSeconds)), "seat": .text(seat),
                "disposition": .text("connected"), "caller": .text(isAnonymous ? "anonymous" : person.phone),
                "linked_request": .text(globalID),
            ])
        guard random.chance(960) else { return }
        append(
            "recording", key: "\(recipe.origin.code)-REC-\(number)",
            [
                "call_id": .text(callKey), "uri": .text("recordings/\(number).wav"), "sha256": .text(digestText()),
                "duration": .integer(Int64(call.talkSeconds)),
                "retention_until": .integer(call.hangup + 1_096 * OfficeHours.day),
            ])
    }

    /// Somebody hung up in the queue shortly before; that call has no ticket.
    private mutating func writeAbandonedCall() {
        let queueStart = requested - Int64(random.int(90...600)) * 1_000
        let waited = random.int(5...60)
        append(
            "call_record", key: "\(callKey)-0",
            [
                "direction": .text("inbound"), "arrival": .integer(queueStart - 8_000),
                "ivr_out": .integer(queueStart), "queue_start": .integer(queueStart),
                "hangup": .integer(queueStart + Int64(waited) * 1_000), "queue_seconds": .integer(Int64(waited)),
                "disposition": .text("abandoned"), "caller": .text(isAnonymous ? "anonymous" : person.phone),
            ])
    }

    private mutating func append(_ resource: ResourceName, key: String, _ fields: [String: FieldValue]) {
        thread.append(
            WrittenRecord(node: recipe.origin, record: IntakeRecord(resource: resource, key: key, fields: fields)))
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
