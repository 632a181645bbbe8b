/// The columns of a thread's records that its fold and its guard read.
package enum TicketColumn: String, Sendable, CaseIterable {
    case globalID = "global_id"
    case requestedDatetime = "requested_datetime"
    case acceptance
    case serviceCode = "service_code"
    case confidential
    case reporterKind = "reporter_kind"
    case replyRequired = "reply_required"
    case callbackRequired = "callback_required"
    case migrated
    case assigneeUnit = "assignee_unit"
    case role
    case dueDatetime = "due_datetime"
    case designated
    case unit
    case decision
    case contacted
    case replyKind = "reply_kind"
    case closedDatetime = "closed_datetime"
    case level
    case trigger
    case closureKind = "closure_kind"
    case review
    case resolved
    case reached
    case object
    case score5
    case counted
    case verdictSource = "verdict_source"
    case action
    case target
    case transferId = "transfer_id"
    case step
    case toNode = "to_node"
    case ordinal
    case occurredAt = "occurred_at"
    case round
    case ticketOrigin = "ticket_origin"
    case requestType = "request_type"
    case respondentName = "respondent_name"
    case respondentUscc = "respondent_uscc"
    case result
}
