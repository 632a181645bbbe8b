import FederationModel

/// Events that can't have happened in the order of their times (domain model 2.4, `E_TIME_ORDER`).
enum TimeOrder {
    /// Two clocks of one office may differ by this much.
    private static let tolerance: Int64 = 5 * 60_000

    /// The times of a record that follow each other, in order.
    static func fields(of definition: ResourceDefinition) -> [String] {
        if definition.isThreadRecord { return ["occurred_at"] }
        switch definition.name {
        case BuiltInResources.serviceRequest.name: return ["requested_datetime", "accepted_datetime"]
        case BuiltInResources.callRecord.name: return ["arrival", "ivr_out", "queue_start", "answered", "hangup"]
        default: return []
        }
    }

    /// The first of `fields` that lies before its predecessor by more than the tolerance.
    ///
    /// - Parameter latest: the latest time so far, `.min` when there is none; moved on.
    static func firstBackwards(in record: IntakeRecord, fields: [String], latest: inout Int64) -> String? {
        for field in fields {
            guard let time = record.fields[field]?.integer else { continue }
            if latest != .min, time < latest - tolerance { return field }
            latest = max(latest, time)
        }
        return nil
    }

    static func violation(field: String) -> RowRejection {
        RowRejection(
            field: field, rule: .timeOrder, reason: "lies more than 5 minutes before the event that precedes it")
    }

    /// Has the stages of one row follow each other as the row has them: what lies before its predecessor within the tolerance gets
    /// the predecessor's time, and what would be folded before it at the same time a millisecond more. The time that the source gave
    /// stays in `ext`, as `source_occurred_at`.
    static func settle(_ records: inout [IntakeRecord]) {
        var latest = (time: Int64.min, rank: 0)
        for index in records.indices {
            let record = records[index]
            if record.resource == BuiltInResources.serviceRequest.name {
                latest.time = max(latest.time, record.fields["requested_datetime"]?.integer ?? .min)
            }
            guard record.fields["global_id"] != nil, let time = record.fields["occurred_at"]?.integer else { continue }
            let rank = TicketEvent.rank(of: record.resource)
            let settled = time > latest.time ? time : rank < latest.rank ? latest.time + 1 : latest.time
            latest = (settled, rank)
            guard settled != time else { continue }
            records[index].fields["occurred_at"] = .integer(settled)
            if settled - time > 1 { records[index].note(sourceTime: time) }
        }
    }
}

extension IntakeRecord {
    fileprivate mutating func note(sourceTime time: UnixMilliseconds) {
        var ext = fields["ext"]?.text.map { String($0.dropLast()) + "," } ?? "{"
        ext += "\"source_occurred_at\":\"\(ShanghaiTime.rfc3339(time))\"}"
        fields["ext"] = .text(ext)
    }
}
