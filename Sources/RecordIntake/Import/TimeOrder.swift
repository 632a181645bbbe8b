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
}
