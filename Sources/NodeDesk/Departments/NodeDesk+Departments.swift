import FederationModel
import LocalStore
import NodeIdentity

/// A page of what is new for a department, as JSON for the command line and for systems (7.2.2).
package struct DepartmentPage: Encodable, Sendable {
    package struct Item: Encodable, Sendable {
        package let cursor: Int64
        package let ticket: String
        package let number: String?
        package let origin: String
        package let status: String
        package let unit: String?
        package let due: String?
        package let round: Int64
        /// 受理, 派单 … with the number of records of each.
        package let stages: [String: Int]
        package let records: [Record]
    }

    package struct Record: Encodable, Sendable {
        package let resource: String
        package let node: String
        package let at: String
        package let round: Int64?
        package let fields: [String: FieldValue]
    }

    package let items: [Item]
    /// What evaluations of this node found of the unit (7.2.4): its own detail, and quartiles of the others without a name.
    package let evaluations: [EvaluationLine]
    /// The cursor to go on from.
    package let next: Int64
    /// The nodes whose tickets are not here, so that this feed has none of them: see `logicalDepartmentTickets`.
    package let logical: [String]
}

/// The tickets of a department whose handling was found wanting, as JSON for the command line and for systems.
package struct UnsatisfiedPage: Encodable, Sendable {
    package struct Item: Encodable, Sendable {
        let ticket: String
        let number: String?
        let status: String?
        let unit: String?
        let score: Int
        let reasons: String?
        let evaluatedAt: String
        let round: Int64
        let evaluatedRound: Int64
        let due: String?
        let overdue: Bool
    }

    package let items: [Item]

    package init(_ tickets: [UnsatisfiedTicket]) {
        items = tickets.map {
            Item(
                ticket: $0.ticket, number: $0.number, status: $0.status?.rawValue, unit: $0.unit, score: $0.score,
                reasons: $0.reasons, evaluatedAt: ShanghaiTime.rfc3339($0.evaluatedAt), round: $0.round,
                evaluatedRound: $0.evaluatedRound, due: $0.due.map { ShanghaiTime.rfc3339($0) }, overdue: $0.isOverdue)
        }
    }
}

/// A ticket whose handling was found wanting, and that counts for assessment.
package struct UnsatisfiedTicket: Sendable {
    package let ticket: String
    package let number: String?
    package let status: TicketStatus?
    package let unit: String?
    /// 5 is best.
    package let score: Int
    package let reasons: String?
    package let evaluatedAt: UnixMilliseconds
    /// In which round it is handled now; above that of the evaluation it is being handled anew (重办).
    package let round: Int64
    package let evaluatedRound: Int64
    /// Until when.
    package let due: UnixMilliseconds?
    package let isOverdue: Bool
}

extension NodeDesk {
    /// Tickets of a department of which anything has changed, with all stages, callbacks and evaluations. Personal fields are masked, and a
    /// unit sees no ticket that accuses it. It has the results of its evaluations too.
    ///
    /// - Parameters:
    ///   - cursor: the last item that is known; 0 for all.
    ///   - limit: at most so many tickets, 1 to 500.
    /// - Throws: `E_INBOX_LIMIT`.
    package func departmentFeed(
        _ department: Department, after cursor: Int64, limit: Int
    ) async throws -> DepartmentPage {
        try await perform(.readDepartment) { now in
            guard (1...500).contains(limit), cursor >= 0 else {
                throw FederationError(
                    "E_INBOX_LIMIT", "a page of a department has 1 to 500 tickets, from a cursor of 0 or more")
            }
            return try await page(of: department, after: cursor, limit: limit, now: now)
        }
    }

    /// Sends each department that has a webhook the next page of its feed, signed by what is kept of its token. A page that does not get
    /// through is tried again, before any later one.
    package func pushToDepartments() async throws -> DeliveryTurn {
        try await perform(.pushToDepartments) { now in
            var turn = DeliveryTurn()
            for (token, cursor) in try await store.duePushes(now: now) {
                guard let department = token.department, let webhook = token.webhook else { continue }
                // What comes after this belongs to a later page.
                let head = try await store.head()
                let page = try await page(of: department, after: cursor, limit: Self.pushedAtOnce, now: now)
                if !page.items.isEmpty || !page.evaluations.isEmpty {
                    let body = try WireJSON.encode(page)
                    let failure = await onOwnThread { () throws(FederationError) in
                        try Self.post(
                            body, named: "Feed", to: webhook, signedBy: WebhookKey(digest: token.digest), now: now)
                    }
                    if let failure {
                        try await store.noteFailedPush(by: token.name, now: now)
                        turn.failures.append(failure)
                        continue
                    }
                    turn.delivered += 1
                }
                try await store.notePush(by: token.name, upTo: page.next == cursor ? head : page.next)
            }
            return turn
        }
    }

    private static let pushedAtOnce = 100

    private func page(
        of department: Department, after cursor: Int64, limit: Int, now: UnixMilliseconds
    ) async throws -> DepartmentPage {
        try await catchUp(now: now)
        let head = try await store.head()
        let changes = try await changes(department, after: cursor, limit: limit)
        // Tickets are here up to then; what comes later belongs to a later page.
        let last = changes.last?.seq ?? 0
        let end = changes.count == limit ? last : max(head, last)
        var results: [(report: EvaluationReport, seq: Seq)] = []
        if case .unit(let unit) = department {
            results = try await self.results(ofUnits: names(of: unit), after: cursor, upTo: end)
        }
        var items: [DepartmentPage.Item] = []
        for (ticket, seq) in changes {
            guard let thread = try await thread(ticket, for: department) else { continue }
            items.append(DepartmentPage.Item(thread, cursor: seq))
        }
        return DepartmentPage(
            items: items, evaluations: results.map { EvaluationLine($0.report) },
            next: [changes.last?.seq, results.last?.seq].compactMap(\.self).max() ?? cursor,
            logical: try logicalOrigins().map(\.code))
    }

    /// Tickets of a department whose last evaluation is unsatisfied and counts (回访不满意、计入考核的工单). One leaves the list when a later
    /// evaluation is better; its rounds stay.
    package func unsatisfied(_ department: Department) async throws -> [UnsatisfiedTicket] {
        try await perform(.readDepartment) { now in
            try await catchUp(now: now)
            var tickets: [UnsatisfiedTicket] = []
            let rated = try await changes(
                department, after: 0, limit: .max, ratedBelow: UnsatisfiedTicket.satisfied)
            for (ticket, _) in rated {
                guard let thread = try await thread(ticket, for: department),
                    let unsatisfied = UnsatisfiedTicket(thread, now: now)
                else { continue }
                tickets.append(unsatisfied)
            }
            return tickets.sorted { ($0.due ?? .max, $0.evaluatedAt) < ($1.due ?? .max, $1.evaluatedAt) }
        }
    }

    private func changes(
        _ department: Department, after cursor: Int64, limit: Int, ratedBelow score: Int? = nil
    ) async throws -> [(ticket: String, seq: Int64)] {
        switch department {
        case .unit(let unit):
            return try await store.tickets(
                ofUnits: names(of: unit), category: nil, after: cursor, limit: limit, ratedBelow: score)
        case .category(let category):
            return try await store.tickets(
                ofUnits: [], category: category, after: cursor, limit: limit, ratedBelow: score)
        }
    }

    /// A unit by its name and its code in the register.
    func names(of unit: String) -> [String] {
        guard let list = reference.lists.named(ReferenceData.unitList) else { return [unit] }
        let same = list.entries.filter { $0.code.isSame(as: unit) || $0.title.isSame(as: unit) }
        return same.isEmpty ? [unit] : same.flatMap { [$0.code, $0.title] }
    }

    /// - Returns: nil for a ticket that is gone, and for one that accuses the unit.
    private func thread(_ ticket: String, for department: Department) async throws -> TicketThread? {
        guard let thread = try? await store.ticket(ticket), let request = thread.request else { return nil }
        if case .unit(let unit) = department, let accused = request.fields["respondent_name"]?.text,
            names(of: unit).contains(where: { $0.isSame(as: accused) })
        {
            return nil
        }
        return thread
    }
}

extension DepartmentPage.Item {
    fileprivate init(_ thread: TicketThread, cursor: Int64) {
        let request = thread.request
        let isConfidential = ![nil, "none"].contains(request?.fields["confidential"]?.text)
        self.init(
            cursor: cursor, ticket: thread.globalID, number: request?.fields["service_request_id"]?.text,
            origin: request?.origin ?? "", status: thread.state?.status.rawValue ?? "", unit: thread.state?.unit,
            due: thread.state?.dueAt.map { ShanghaiTime.rfc3339($0) }, round: thread.state?.round ?? 1,
            stages: Dictionary(uniqueKeysWithValues: Stage.allCases.map { ($0.title, thread.count(of: $0)) }),
            records: thread.records.map { DepartmentPage.Record($0, isConfidential: isConfidential) })
    }
}

extension DepartmentPage.Record {
    /// Sensitive fields are left out and personal ones masked; of a confidential ticket nothing tells who reported it.
    fileprivate init(_ record: TicketThread.Record, isConfidential: Bool) {
        var fields: [String: FieldValue] = [:]
        for column in record.resource.columns {
            guard let value = record.fields[column.name], column.level < .sensitive else { continue }
            if isConfidential, column.name.hasPrefix("reporter_") { continue }
            if column.level == .personal {
                // A number that is personal, such as a place on the map, can't be masked.
                guard let text = value.text else { continue }
                fields[column.name] = .text(Masking.of(column: column.name).mask(text))
            } else {
                fields[column.name] = value
            }
        }
        self.init(
            resource: record.resource.name.text, node: record.origin, at: ShanghaiTime.rfc3339(record.occurredAt),
            round: record.round, fields: fields)
    }
}

extension UnsatisfiedTicket {
    /// The lowest score that is satisfied.
    fileprivate static let satisfied = 3

    /// Nil where the last evaluation that counts is satisfied, or there is none.
    fileprivate init?(_ thread: TicketThread, now: UnixMilliseconds) {
        let counted = thread.records.filter { record in
            record.resource.name == BuiltInResources.evaluation.name
                && record.fields["object"]?.text == "handling" && record.fields["counted"]?.integer != 0
                && record.fields["verdict_source"]?.text != "default"
        }
        guard let last = counted.last, let score = last.fields["score5"]?.text.flatMap({ Int($0) }),
            score < Self.satisfied
        else { return nil }
        let state = thread.state
        let due = state?.status.isOpen == true ? state?.dueAt : nil
        self.init(
            ticket: thread.globalID, number: thread.request?.fields["service_request_id"]?.text, status: state?.status,
            unit: state?.unit, score: score, reasons: last.fields["reason_codes"]?.text, evaluatedAt: last.occurredAt,
            round: state?.round ?? 1, evaluatedRound: last.round ?? 1, due: due,
            isOverdue: due.map { $0 < now } ?? false)
    }
}
