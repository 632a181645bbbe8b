/// The type of a column, as SQLite stores it and a change-set carries it.
package enum ColumnType: String, Sendable {
    case text
    case integer
    case real
    /// 0 or 1, stored as an integer.
    case boolean
    /// Milliseconds since 1970 UTC, stored as an integer.
    case timestamp
    /// A JSON object, stored as text: fields that the catalog does not know (`ext.*`).
    case json

    /// How the column is stored: the three shapes that a value can have.
    package enum Storage: UInt8, Sendable {
        case text = 1
        case integer = 2
        case real = 3
    }

    package var storage: Storage {
        switch self {
        case .text, .json: .text
        case .real: .real
        case .integer, .boolean, .timestamp: .integer
        }
    }
}

/// The classification level (分类分级, GB/T 43697) of a field: 1 may be public as statistics, 4 is sensitive personal.
package enum ClassificationLevel: Int, Sendable, Comparable {
    case open = 1
    case inner = 2
    case personal = 3
    case sensitive = 4

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// One column of a resource (信息项).
///
/// A class, because each value on its way in meets its column, and a copy of a value would count what its texts refer to.
package final class ColumnDefinition: Hashable, Sendable {
    package let name: String
    /// The Chinese name, as people read it.
    package let title: String
    package let type: ColumnType
    package let level: ClassificationLevel
    package let codeList: String?
    package let isRequired: Bool
    /// Longest text in bytes of UTF-8; a longer one is put aside.
    package let bytesMax: Int
    /// What its values must be.
    package let rule: ColumnRule

    package init(
        _ name: String, _ title: String, _ type: ColumnType = .text, level: ClassificationLevel,
        codeList: String? = nil, required: Bool = false, bytesMax: Int = 1_000
    ) {
        self.name = name
        self.title = title
        self.type = type
        self.level = level
        self.codeList = codeList
        self.isRequired = required
        self.bytesMax = bytesMax
        rule = ColumnRule(type: type, isRequired: required, bytesMax: bytesMax, isCode: codeList != nil)
    }

    package static func == (a: ColumnDefinition, b: ColumnDefinition) -> Bool {
        a === b
            || a.name == b.name && a.title == b.title && a.level == b.level && a.codeList == b.codeList
                && a.type == b.type && a.rule == b.rule
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension ColumnDefinition {
    /// Whether it says until when something lasts: a day without a time means the end of that day.
    package var isLimit: Bool {
        ["due_datetime", "accept_deadline", "requested_until", "retention_until", "valid_until"].contains(name)
    }
}

/// A stage (环节) of a ticket's life, in the order in which a ticket goes through them.
package enum Stage: Int, CaseIterable, Sendable, Comparable {
    case acceptance = 1
    case dispatch
    case handling
    case reply
    case supervision
    case closure
    case followUp
    case evaluation

    package var title: String {
        switch self {
        case .acceptance: "受理"
        case .dispatch: "派单"
        case .handling: "办理"
        case .reply: "答复"
        case .supervision: "督办"
        case .closure: "办结"
        case .followUp: "回访"
        case .evaluation: "评价"
        }
    }

    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Over which links the rows of a resource are copied.
package enum ResourceFlow: Sendable {
    /// Up and to peers by the topology's modes, and nowhere else as a whole.
    case byMode
    /// The same, and to every child.
    case byModeAndDown
    /// To every child, and nowhere else: what anybody but the top node says of it counts for nothing.
    case down
    /// Everywhere, whatever the modes.
    case everywhere
    /// Where records of tickets are copied.
    case withTickets
    /// Nowhere as a whole: each row goes to whom its thread concerns.
    case byAudience
}

/// A resource, declared once. Its table, its place in the feed, its change-set SELECT and its apply statement all come
/// from this value; no resource has code of its own in the store or in the protocol.
package struct ResourceDefinition: Hashable, Sendable {
    package let name: ResourceName
    package let title: String
    /// The stage that a record of this resource stands for; nil for helper records, calls and recordings.
    package let stage: Stage?
    package let columns: [ColumnDefinition]
    /// Column lists of the secondary indexes. Indexes are two thirds of what applying a row costs, so a resource has the
    /// ones that its questions need, no more.
    package let indexes: [[String]]
    package let flow: ResourceFlow
    /// The schema revision (`BuiltInResources.schemaRevision`) from which on nodes know it. A node of an earlier one is not sent it.
    package let since: Int
    /// Whether its records belong to the thread of a ticket.
    package let isThreadRecord: Bool
    /// Whether its records belong to a ticket: the request itself, or its thread. Such a record has the ticket's audience.
    package let isTicketRecord: Bool
    /// The thread whose audience a record has; nil for a resource whose rows concern nobody in particular.
    package let thread: ThreadLink?
    /// How many columns are required.
    let requiredColumns: Int
    private let positions: [String: Int]

    package init(
        _ name: ResourceName, _ title: String, stage: Stage? = nil, columns: [ColumnDefinition],
        indexes: [[String]] = [], flow: ResourceFlow = .byMode, since: Int = 1, thread: ThreadLink? = nil
    ) {
        self.since = since
        self.name = name
        self.title = title
        self.stage = stage
        self.columns = columns
        self.indexes = indexes
        self.flow = flow
        positions = Dictionary(uniqueKeysWithValues: columns.enumerated().map { ($0.element.name, $0.offset) })
        isThreadRecord = positions["ticket_origin"] != nil
        isTicketRecord = positions["global_id"] != nil
        self.thread = isTicketRecord ? ThreadLink(kind: TicketKind.title, column: "global_id") : thread
        requiredColumns = columns.count { $0.isRequired }
    }

    /// Whether it is reference data: owned by the top node alone, and never sent upwards.
    package var isReference: Bool { flow == .down }

    package func column(named name: String) -> ColumnDefinition? { positions[name].map { columns[$0] } }

    /// The column that says when the thing happened that a row tells of; nil when none does.
    package var timeColumn: String? {
        ["occurred_at", "requested_datetime", "arrival"].first { positions[$0] != nil }
    }
}
