/// A ticket with the records of its thread, as this node holds them.
package struct TicketThread: Sendable {
    package struct Record: Sendable {
        package let resource: ResourceDefinition
        package let origin: String
        package let key: String
        package let occurredAt: UnixMilliseconds
        package let round: Int64?
        package let fields: [String: FieldValue]

        package init(
            resource: ResourceDefinition, origin: String, key: String, occurredAt: UnixMilliseconds, round: Int64?,
            fields: [String: FieldValue]
        ) {
            self.resource = resource
            self.origin = origin
            self.key = key
            self.occurredAt = occurredAt
            self.round = round
            self.fields = fields
        }
    }

    package let globalID: String
    package let state: TicketState?
    /// In the order of time.
    package let records: [Record]
    /// Call records that name the ticket, or that the ticket names.
    package let calls: [Record]
    /// Recordings of those calls.
    package let recordings: [Record]

    package init(globalID: String, state: TicketState?, records: [Record], calls: [Record], recordings: [Record]) {
        self.globalID = globalID
        self.state = state
        self.records = records
        self.calls = calls
        self.recordings = recordings
    }

    /// The service request itself.
    package var request: Record? { records.first { $0.resource.stage == .acceptance } }

    /// How many records of each stage there are: the eight stages, those without any included (5.1-1).
    package func count(of stage: Stage) -> Int { records.count { $0.resource.stage == stage } }
}

/// A ticket as a line of a list.
package struct TicketSummary: Sendable {
    package let globalID: String
    /// 工单编号; a label, need not be unique.
    package let number: String?
    package let origin: String
    package let title: String?
    package let requestedAt: UnixMilliseconds
    /// As far as it is folded; nil before its first fold.
    package let status: TicketStatus?

    package init(
        globalID: String, number: String?, origin: String, title: String?, requestedAt: UnixMilliseconds,
        status: TicketStatus?
    ) {
        self.globalID = globalID
        self.number = number
        self.origin = origin
        self.title = title
        self.requestedAt = requestedAt
        self.status = status
    }
}

/// Which tickets a list names: those for which everything that is given is so.
package struct TicketFilter: Sendable {
    package var origin: NodeID?
    package var status: TicketStatus?
    /// 工单编号 or 来源工单编号.
    package var number: String?
    /// The unit that handles it.
    package var unit: String?
    /// Requested then or later.
    package var since: UnixMilliseconds?
    /// Not yet closed though its time limit is over.
    package var isOverdue = false

    package init() {}
}

/// A conflict record (冲突, domain model 6.4): what is contradictory in a ticket's thread, and in which record.
package struct TicketConflict: Hashable, Sendable {
    package let globalID: String
    package let finding: TicketFinding
    /// When the record says that it happened; nil when the finding is about no single record.
    package let occurredAt: UnixMilliseconds?

    package init(globalID: String, finding: TicketFinding, occurredAt: UnixMilliseconds?) {
        self.globalID = globalID
        self.finding = finding
        self.occurredAt = occurredAt
    }
}

/// A transfer with the ticket that it is of.
package struct HeldTransfer: Hashable, Sendable {
    package let globalID: String
    /// The ticket's number; nil when its request is not here.
    package let number: String?
    package let transfer: TicketTransfer

    package init(globalID: String, number: String?, transfer: TicketTransfer) {
        self.globalID = globalID
        self.number = number
        self.transfer = transfer
    }
}
