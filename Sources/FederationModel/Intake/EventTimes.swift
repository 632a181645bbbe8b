/// The times at which something happened to a ticket or in a call.
package enum EventTimes {
    /// 1980 to 2099: to what a plain number must count before it is taken for a time.
    package static let usual: Range<UnixMilliseconds> = midnight(1980, 1, 1)..<midnight(2100, 1, 1)

    /// Whether a system writes this where it knows no time: the first and the last years that its calendar has, or the midnight, here or of
    /// UTC, from which Unix, a spreadsheet or SQL Server counts.
    package static func standsForNone(_ time: UnixMilliseconds) -> Bool {
        // Before 1901 the zone's clocks were some minutes ahead.
        time < midnight(2, 1, 1) || time >= midnight(2900, 1, 1)
            || beginnings.contains { [$0, $0 + ShanghaiTime.offset].contains { ($0 - time).magnitude <= 600_000 } }
    }

    private static let beginnings = [
        midnight(1753, 1, 1), midnight(1899, 12, 30), midnight(1900, 1, 1), midnight(1970, 1, 1),
    ]

    private static func midnight(_ year: Int, _ month: Int, _ day: Int) -> UnixMilliseconds {
        CivilDate.dayNumber(year: year, month: month, day: day) * 86_400_000 - ShanghaiTime.offset
    }

    /// Those of a resource, in the order in which they follow each other.
    package static func fields(of definition: ResourceDefinition) -> [String] {
        if definition.isThreadRecord { return ["occurred_at"] }
        switch definition.name {
        case BuiltInResources.serviceRequest.name: return ["requested_datetime", "accepted_datetime"]
        case BuiltInResources.callRecord.name: return ["arrival", "ivr_out", "queue_start", "answered", "hangup"]
        default: return []
        }
    }

    /// - Parameter name: one of `fields`.
    /// - Returns: why nothing can have happened then; nil for a time at which it can.
    package static func violation(of time: UnixMilliseconds, in name: String) -> RowRejection? {
        standsForNone(time) ? RowRejection(field: name, rule: .badTime, reason: "stands for no time") : nil
    }
}
