import FederationModel

/// 2025-09-30 10:00 in Shanghai, a Tuesday before the national holidays.
let threadStart: UnixMilliseconds = 1_759_197_600_000

/// One record, so many minutes after the request.
func happened(
    _ resource: ResourceName, _ minutes: Int64, _ texts: [String: String] = [:], _ integers: [String: Int64] = [:],
    by origin: String = "370100", key: String? = nil
) -> TicketEvent {
    var fields = texts.mapValues { FieldValue.text($0) }.merging(integers.mapValues { .integer($0) }) { $1 }
    let time = threadStart + minutes * 60_000
    if resource == "service_request" {
        fields["requested_datetime"] = .integer(time)
        fields["acceptance"] = fields["acceptance"] ?? .text("accepted")
    } else {
        fields["occurred_at"] = .integer(time)
        fields["ticket_origin"] = .text("370100")
    }
    return TicketEvent(
        form(resource), origin: origin, key: key ?? "370100-1.\(resource).\(origin).\(minutes)", version: time << 16,
        fields: fields)
}
