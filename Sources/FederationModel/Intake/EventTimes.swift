/// The times at which something happened to a ticket or in a call.
package enum EventTimes {
    /// 1980 to 2099. What systems write where they know no time lies outside: 0001-01-01, 1900-01-01, the zero of Unix, 9999-12-31.
    package static let range: Range<UnixMilliseconds> =
        midnight(year: 1980)..<midnight(year: 2100)

    private static func midnight(year: Int) -> UnixMilliseconds {
        CivilDate.dayNumber(year: year, month: 1, day: 1) * 86_400_000 - ShanghaiTime.offset
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
        range.contains(time)
            ? nil : RowRejection(field: name, rule: .badTime, reason: "is not in the years 1980 to 2099")
    }
}
