/// One line of the table of time limits (时限规则). It holds for what meets all its conditions and states only what it
/// changes; nil leaves the word to a less specific rule.
package struct LimitRule: Hashable, Sendable {
    package var title = ""

    // Conditions; nil is met by everything.
    /// A code of list `request_type`.
    package var requestType: String?
    /// A code of list `urgency`.
    package var urgency: String?
    /// The beginning of a service code: `03.02` is met by `03.02.01`.
    package var category: String?
    /// The node that dispatches, and no other.
    package var node: String?
    /// A region (GB/T 2260) that the dispatching node lies in.
    package var region: String?

    // Limits.
    /// 派单, from the acceptance.
    package var dispatch: TimeLimit?
    /// 签收, from the dispatch.
    package var accept: TimeLimit?
    /// 办理, from the dispatch.
    package var handling: TimeLimit?
    /// 退单, from the dispatch.
    package var returning: TimeLimit?
    /// 延期: all extensions of one ticket together, from the first due date.
    package var extensionTotal: TimeLimit?
    package var extensionTimes: Int?
    /// Working days before the due date from which the card is yellow.
    package var yellowDays: Int?

    // How they are counted.
    package var startDayCounts: Bool?
    package var dueAt: LimitCounting.DueAt?
    package var afterHours: LimitCounting.AfterHours?
    package var suspensionStopsClock: Bool?

    package init() {}

    private var conditionCount: Int { [requestType, urgency, category, node, region].count { $0 != nil } }

    fileprivate func applies(to ticket: LimitQuestion) -> Bool {
        (requestType == nil || requestType == ticket.requestType) && (urgency == nil || urgency == ticket.urgency)
            && (category == nil || isPrefix(category, of: ticket.category)) && (node == nil || node == ticket.node.code)
            && (region.map { RegionRange($0).contains(ticket.node.code) } ?? true)
    }

    /// `03.0` is no beginning of `03.02`: levels count whole.
    private func isPrefix(_ category: String?, of code: String?) -> Bool {
        guard let category, let code else { return false }
        return code == category || code.hasPrefix(category + ".")
    }

    /// More conditions win; then the node itself, the smaller region, the deeper category.
    fileprivate var specificity: [Int] {
        [
            conditionCount, node == nil ? 0 : 1, region.map { RegionRange($0).prefixLength } ?? 0,
            category?.utf8.count ?? 0,
        ]
    }
}

/// What decides the limits of a ticket.
package struct LimitQuestion: Hashable, Sendable {
    package let requestType: String?
    package let urgency: String?
    package let category: String?
    /// The node that dispatches.
    package let node: NodeID

    package init(requestType: String?, urgency: String?, category: String?, node: NodeID) {
        self.requestType = requestType
        self.urgency = urgency
        self.category = category
        self.node = node
    }
}

/// The limits of one ticket, as the rules have them. A limit that no rule states is nil.
package struct TicketLimits: Hashable, Sendable {
    package let dispatch: TimeLimit?
    package let accept: TimeLimit?
    package let handling: TimeLimit?
    package let returning: TimeLimit?
    package let extensionTotal: TimeLimit?
    package let extensionTimes: Int?
    package let yellowDays: Int
    package let counting: LimitCounting
    /// The titles of the rules that took part, the most specific first.
    package let rules: [String]

    /// The latest due date that extensions may reach; nil when no rule limits them.
    package func latestExtension(ofDue firstDue: UnixMilliseconds, calendar: WorkCalendar) -> UnixMilliseconds? {
        extensionTotal?.extending(due: firstDue, counting: counting, calendar: calendar)
    }
}

/// The table of time limits: type × urgency × category × node. It is data (`reference/`), never part of the program.
package struct LimitRules: Hashable, Sendable {
    package let rules: [LimitRule]

    package init(_ rules: [LimitRule]) { self.rules = rules }

    /// Each value from the most specific rule that applies and states it; of rules that are equally specific, from the one
    /// that stands first. What no rule states is counted as domain model 3.4 does: from the next day, to the end of the
    /// day, at once, through suspensions.
    package func limits(for ticket: LimitQuestion) -> TicketLimits {
        let applying = rules.enumerated().filter { $0.element.applies(to: ticket) }.sorted { a, b in
            let (first, second) = (a.element.specificity, b.element.specificity)
            return first == second ? a.offset < b.offset : second.lexicographicallyPrecedes(first)
        }.map(\.element)
        func stated<T>(_ value: (LimitRule) -> T?) -> T? { applying.lazy.compactMap(value).first }
        return TicketLimits(
            dispatch: stated(\.dispatch), accept: stated(\.accept), handling: stated(\.handling),
            returning: stated(\.returning), extensionTotal: stated(\.extensionTotal),
            extensionTimes: stated(\.extensionTimes), yellowDays: stated(\.yellowDays) ?? 1,
            counting: LimitCounting(
                startDayCounts: stated(\.startDayCounts) ?? false, dueAt: stated(\.dueAt) ?? .endOfDay,
                afterHours: stated(\.afterHours) ?? .startsAtOnce,
                suspensionStopsClock: stated(\.suspensionStopsClock) ?? false),
            rules: applying.map(\.title))
    }
}
