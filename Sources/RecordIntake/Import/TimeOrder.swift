import FederationModel

/// Events that can't have happened in the order of their times (domain model 2.4, `E_TIME_ORDER`).
enum TimeOrder {
    /// Two clocks of one office may differ by this much.
    private static let tolerance: Int64 = 5 * 60_000

    /// Refuses times at which nothing can have happened, and the first that lies before its predecessor by more than the tolerance.
    ///
    /// - Parameters:
    ///   - fields: those of its times that follow each other (`EventTimes.fields`).
    ///   - prefix: goes before the name of the field in what is said of it.
    ///   - latest: the latest time so far, `.min` when there is none; moved on.
    static func check(
        _ record: IntakeRecord, fields: [String], prefix: String = "", latest: inout Int64
    ) throws(RowRejection) {
        for field in fields {
            guard let time = record.fields[field]?.integer else { continue }
            if let violation = EventTimes.violation(of: time, in: prefix + field) { throw violation }
            if latest != .min, time < latest - tolerance {
                throw RowRejection(
                    field: prefix + field, rule: .timeOrder,
                    reason: "lies more than 5 minutes before the event that precedes it")
            }
            latest = max(latest, time)
        }
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
