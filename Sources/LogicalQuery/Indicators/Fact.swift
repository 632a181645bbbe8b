import FederationModel

/// What can be counted: the rows of one resource, each with the ticket that it belongs to, if it does.
///
/// Each fact has the columns of its resource that are not personal; a record of a thread has those of its ticket besides, with `ticket.`
/// in front. Nobody counts by what is hidden from him.
package struct Fact: Hashable, Sendable, Codable {
    package enum Kind: Sendable {
        case text
        /// Also times, lengths of time and yes (1) or no (0).
        case number
    }

    /// Where the value of a column comes from.
    package enum Source: Sendable {
        /// The row itself.
        case row(String)
        /// The request of its ticket.
        case request(String)
        /// The folded state of its ticket.
        case state(String)
        /// The category as the owner corrected it last.
        case category
        /// Whether its ticket was merged into another.
        case merged
        /// When the first ticket came in, at the same node, whose last mark says that it repeats this one.
        case repeated
        case lookup(Lookup)
        /// A column of an external data set.
        case field(String)
    }

    package struct Column: Sendable {
        package let name: String
        package let kind: Kind
        package let source: Source
    }

    /// A value among records of another resource of the same ticket: the first contact after a dispatch.
    package struct Lookup: Sendable {
        package enum Pick: Sendable {
            /// The least value.
            case least
            /// That of the record that happened last; of several at one time, of the one with the greatest origin, then key.
            case latest
        }

        package let resource: ResourceName
        package let pick: Pick
        package let value: Operand
        /// Of the row's columns, and of those of the other record with `other.` in front.
        package let condition: Condition
    }

    package let name: String
    package let title: String
    package let resource: ResourceName
    /// The time that decides the period of a row, unless an indicator names another one.
    package let period: String
    package let columns: [String: Column]
    /// What says who the person of a row is, the best first. No declaration reads it; persons are only ever counted, by keyed digests.
    package let person: [Source]
    /// The external data set whose rows it is; nil for the hotline's own records.
    package let dataset: String?

    package func kind(of column: String) -> Kind? { columns[column]?.kind }

    /// Its column for a dimension, which may be that of its ticket.
    package func column(for dimension: String) -> Column? { columns[dimension] ?? columns["ticket.\(dimension)"] }

    /// Whether its rows are records of a ticket's thread.
    package var isThreadRecord: Bool { BuiltInResources.named(resource)?.isThreadRecord == true }

    /// The resources that a node must hold to know the value of `column`.
    func resources(for column: Column) -> [ResourceName] {
        switch column.source {
        case .row: [resource]
        case .request: [BuiltInResources.serviceRequest.name]
        // Who may correct or merge is the owner, and transfers say who that is.
        case .category, .merged: [BuiltInResources.ticketAction.name, BuiltInResources.transfer.name]
        case .repeated: [BuiltInResources.serviceRequest.name, BuiltInResources.ticketAction.name]
        case .state: BuiltInResources.ticketResources.map(\.name)
        case .lookup(let lookup): [lookup.resource]
        case .field: [resource]
        }
    }

    /// Whether its rows belong to tickets, or are those.
    package var isOfTickets: Bool { BuiltInResources.named(resource)?.isTicketRecord == true }

    /// The fields, by resource, that the value of `column` is made of. Not those that every row has.
    func fields(of column: Column) -> [Field] {
        switch column.source {
        case .row(let name): [Field(resource: resource, column: name)]
        case .request(let name): [Field(resource: BuiltInResources.serviceRequest.name, column: name)]
        case .category:
            [
                Field(resource: BuiltInResources.serviceRequest.name, column: "service_code"),
                Field(resource: BuiltInResources.ticketAction.name, column: "target"),
            ]
        case .merged: [Field(resource: BuiltInResources.ticketAction.name, column: "target")]
        case .repeated:
            [
                Field(resource: BuiltInResources.serviceRequest.name, column: "requested_datetime"),
                Field(resource: BuiltInResources.ticketAction.name, column: "target"),
            ]
        case .state(let name): Self.stateFields[name] ?? []
        case .field: [Field(resource: resource, column: "fields")]
        case .lookup(let lookup):
            (lookup.value.columns + lookup.condition.criterion.columns).flatMap { name -> [Field] in
                if name.hasPrefix("other.") {
                    return [Field(resource: lookup.resource, column: String(name.dropFirst(6)))]
                }
                return columns[name].map(fields) ?? []
            }
        }
    }

    /// What a folded state tells of fields that a link may hide; the others come from codes and times that every record has.
    private static let stateFields: [String: [Field]] = [
        "unit": [Field(resource: BuiltInResources.assignment.name, column: "assignee_unit")],
        "due_at": [
            Field(resource: BuiltInResources.assignment.name, column: "due_datetime"),
            Field(resource: BuiltInResources.extensionDecision.name, column: "due_datetime"),
        ],
        "resolved": [Field(resource: BuiltInResources.callback.name, column: "resolved")],
    ]

    /// A column of a resource, as policies name it.
    package struct Field: Hashable, Sendable, CustomStringConvertible {
        package let resource: ResourceName
        package let column: String

        package var description: String { "\(resource).\(column)" }
    }

    /// Data sets of one name may have other columns at other nodes.
    package static func == (a: Fact, b: Fact) -> Bool {
        a.name == b.name && (a.dataset == nil || a.columns.keys == b.columns.keys)
    }
    package func hash(into hasher: inout Hasher) { hasher.combine(name) }

    /// - Throws: `E_ANALYSIS_UNKNOWN`.
    package init(named name: String) throws(FederationError) {
        guard let fact = Self.all.first(where: { $0.name == name }) else {
            throw .unknownWord(name, kind: "fact", known: Self.all.map(\.name), code: "E_ANALYSIS_UNKNOWN")
        }
        self = fact
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case dataset, numbers, texts, roles
    }

    /// One of the program is its name; that of a data set says its columns, so that a node answers which has not heard of it.
    ///
    /// - Throws: `E_ANALYSIS_UNKNOWN`, `E_ANALYSIS_INVALID` for a data set that is none.
    package init(from decoder: any Decoder) throws {
        if let name = try? decoder.singleValueContainer().decode(String.self) {
            try self.init(named: name)
            return
        }
        try decoder.refuseUnknownKeys(CodingKeys.self, kind: "part of a fact")
        let container = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(
            dataset: container.decode(String.self, forKey: .dataset), title: nil,
            numbers: container.decode([String].self, forKey: .numbers),
            texts: container.decode([String].self, forKey: .texts),
            roles: container.decode([String].self, forKey: .roles))
    }

    package func encode(to encoder: any Encoder) throws {
        guard let dataset else {
            var container = encoder.singleValueContainer()
            return try container.encode(name)
        }
        func names(_ kind: Kind?, isField: Bool) -> [String] {
            columns.values.filter { column in
                guard case .field = column.source else { return !isField && Self.roles.contains(column.name) }
                return isField && column.kind == kind
            }.map(\.name).sorted()
        }
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(dataset, forKey: .dataset)
        try container.encode(names(.number, isField: true), forKey: .numbers)
        try container.encode(names(.text, isField: true), forKey: .texts)
        try container.encode(names(nil, isField: false), forKey: .roles)
    }

    // MARK: - External data sets

    /// Columns that data sets have in common with tickets, where their registration says which of theirs it is.
    private static let roles: Set<String> = ["ended_at", "region_code", "unit", "service_code"]

    package init(_ dataset: ExternalDataset) {
        let own = dataset.columns.filter { $0.type != .real }
        self.init(
            checked: dataset.name, title: dataset.title,
            numbers: own.filter { $0.type.storage == .integer }.map(\.name),
            texts: own.filter { $0.type.storage == .text }.map(\.name), roles: Array(dataset.roles.keys))
    }

    private init(
        dataset: String, title: String?, numbers: [String], texts: [String], roles: [String]
    ) throws(FederationError) {
        let names = numbers + texts
        guard (names + [dataset]).allSatisfy(ExternalDataset.isName), names.count <= ExternalDataset.columnsMax,
            Set(names).count == names.count, Self.roles.isSuperset(of: roles)
        else { throw FederationError("E_ANALYSIS_INVALID", "a question counts a data set that is none") }
        self.init(checked: dataset, title: title ?? dataset, numbers: numbers, texts: texts, roles: roles)
    }

    /// - Precondition: names are such.
    private init(checked dataset: String, title: String, numbers: [String], texts: [String], roles: [String]) {
        let resource = ExternalResources.record
        (name, self.title, self.resource, period) = ("dataset.\(dataset)", title, resource.name, "occurred_at")
        self.dataset = dataset
        person = []
        var columns =
            numbers.map { Column(name: $0, kind: .number, source: .field($0)) }
            + texts.map { Column(name: $0, kind: .text, source: .field($0)) }
        // What all have in common goes before a column of the same name, which says the same.
        columns += (["key", "origin", "occurred_at"] + roles).map { name in
            Column(name: name, kind: name.hasSuffix("_at") ? .number : .text, source: .row(name))
        }
        self.columns = Dictionary(columns.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
    }

    // MARK: - The facts

    package static let all = [ticket, assignment, callback, evaluation, supervision, transfer, call]

    package static let ticket = Fact(
        "ticket", "工单", BuiltInResources.serviceRequest, period: "requested_datetime",
        lookups: [
            (
                "contacted_at", "handling", .least, "coalesce(other.contact_datetime, other.occurred_at)",
                "other.contacted"
            ),
            ("reached_at", "callback", .least, "other.occurred_at", "other.reached = 'answered'"),
            ("closure_kind", "closure", .latest, "other.closure_kind", "not other.review = 'sent_back'"),
            (
                "repeat_mark", "ticket_action", .latest, "other.action",
                "other.action in ('mark_repeat', 'unmark_repeat')"
            ),
        ])

    package static let assignment = Fact(
        "assignment", "派单", BuiltInResources.assignment, unit: "assignee_unit",
        lookups: [
            ("signed_at", "acknowledgement", .least, "other.occurred_at", ofThisUnit),
            ("returned_at", "return_request", .least, "other.occurred_at", ofThisUnit),
            ("return_reason", "return_request", .latest, "other.reason", ofThisUnit),
            (
                "return_approved_at", "return_decision", .least, "other.occurred_at",
                "other.decision = 'approved' and coalesce(other.round, 1) = coalesce(round, 1) and other.occurred_at >= occurred_at"
            ),
        ])

    /// Of the unit that the ticket was given to, in that round, since then.
    private static let ofThisUnit =
        "other.unit = unit and coalesce(other.round, 1) = coalesce(round, 1) and other.occurred_at >= occurred_at"

    package static let callback = Fact(
        "callback", "回访", BuiltInResources.callback,
        lookups: [
            (
                "rated_at", "evaluation", .least, "other.occurred_at",
                """
                other.object = 'handling' and not other.verdict_source = 'default' \
                and coalesce(other.round, 1) = coalesce(round, 1) and other.occurred_at >= occurred_at
                """
            )
        ])

    /// `replaced_at` is when the verdict stopped to be the one of its round: by a later one, but one of the person only by another one of
    /// the person (domain 6.4).
    package static let evaluation = Fact(
        "evaluation", "评价", BuiltInResources.evaluation,
        lookups: [
            (
                "replaced_at", "evaluation", .least, "other.occurred_at",
                """
                other.object = object and coalesce(other.round, 1) = coalesce(round, 1) \
                and not other.verdict_source = 'default' \
                and (verdict_source = 'proxy' and not other.verdict_source = 'proxy' \
                or (verdict_source = 'proxy' or not other.verdict_source = 'proxy') \
                and (other.occurred_at > occurred_at or other.occurred_at = occurred_at and other.key > key))
                """
            )
        ])

    package static let supervision = Fact(
        "supervision", "督办", BuiltInResources.supervision, unit: "target_unit")
    package static let transfer = Fact("transfer", "跨节点流转", BuiltInResources.transfer)
    package static let call = Fact("call", "话务", BuiltInResources.callRecord, period: "arrival")

    /// - Parameter unit: the column that is the unit of the row.
    private init(
        _ name: String, _ title: String, _ definition: ResourceDefinition, period: String = "occurred_at",
        unit: String? = nil, lookups: [LookupText] = []
    ) {
        (self.name, self.title, resource, self.period) = (name, title, definition.name, period)
        dataset = nil
        var columns = Self.columns(of: definition)
        if name == "ticket" {
            columns += Self.ticketColumns
            columns.append(Column(name: "origin", kind: .text, source: .row("origin")))
        } else if definition.isThreadRecord {
            columns += Self.columns(of: BuiltInResources.serviceRequest).compactMap {
                guard case .row(let column) = $0.source else { return nil }
                return Column(name: "ticket.\($0.name)", kind: $0.kind, source: .request(column))
            }
            columns += Self.ticketColumns.map { Column(name: "ticket.\($0.name)", kind: $0.kind, source: $0.source) }
            columns.append(Column(name: "ticket.origin", kind: .text, source: .request("origin")))
        } else {
            columns.append(Column(name: "origin", kind: .text, source: .row("origin")))
        }
        if let unit { columns.append(Column(name: "unit", kind: .text, source: .row(unit))) }
        // What comes later takes the place of the request's column of that name.
        var byName = Dictionary(columns.map { ($0.name, $0) }, uniquingKeysWith: { $1 })
        for lookup in lookups {
            byName[lookup.name] = Self.lookup(lookup, over: byName)
        }
        self.columns = byName
        let columnsOfPerson = ["reporter_id_number", "reporter_phone"]
        person =
            if definition.isThreadRecord {
                columnsOfPerson.map { .request($0) }
            } else {
                (columnsOfPerson + ["caller"]).filter { definition.column(named: $0) != nil }.map { .row($0) }
            }
    }

    private typealias LookupText = (
        name: String, of: ResourceName, pick: Lookup.Pick, value: String, where: String
    )

    private static func lookup(_ lookup: LookupText, over columns: [String: Column]) -> Column {
        guard let definition = BuiltInResources.named(lookup.of) else { preconditionFailure("no \(lookup.of)") }
        let others = Dictionary(
            uniqueKeysWithValues: Self.columns(of: definition).map { ("other.\($0.name)", $0.kind) })
        do throws(FederationError) {
            var parser = try DeclarationParser(lookup.value)
            let (value, kind) = try parser.operand { others[$0] }
            return Column(
                name: lookup.name, kind: kind,
                source: .lookup(
                    Lookup(
                        resource: lookup.of, pick: lookup.pick, value: value,
                        condition: try Condition(lookup.where) { others[$0] ?? columns[$0]?.kind })))
        } catch {
            preconditionFailure("\(lookup.name): \(error)")
        }
    }

    /// The columns of a resource that declarations may read.
    private static func columns(of definition: ResourceDefinition) -> [Column] {
        [Column(name: "key", kind: .text, source: .row("key"))]
            + definition.columns.compactMap { column in
                guard column.level <= .inner, column.type != .real, column.type != .json else { return nil }
                return Column(
                    name: column.name, kind: column.type.storage == .text ? .text : .number,
                    source: .row(column.name))
            }
    }

    /// What follows from a ticket's thread.
    private static let ticketColumns: [Column] =
        ["status", "unit", "owner", "resolved", "supervision"].map {
            Column(name: $0, kind: .text, source: .state($0))
        }
        + [
            "round", "dispatched_at", "due_at", "acknowledged_at", "replied_at", "closed_at", "called_back_at",
            "evaluated_at", "score", "returns", "extensions", "held", "suspended",
        ].map { Column(name: $0, kind: .number, source: .state($0)) }
        + [
            Column(name: "service_code", kind: .text, source: .category),
            // As it was taken in.
            Column(name: "accepted_service_code", kind: .text, source: .request("service_code")),
            Column(name: "merged", kind: .number, source: .merged),
            Column(name: "repeated_at", kind: .number, source: .repeated),
        ]
}
