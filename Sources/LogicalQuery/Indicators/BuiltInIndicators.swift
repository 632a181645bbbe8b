import FederationModel

// What every node can measure (domain 3.1 to 3.3). A changed declaration has a higher version, and CHANGELOG.md says what changed.

extension Indicator {
    package static let builtIn: [Indicator] =
        tickets + funnel + stages + dispatch + callbacks + threeRates(.standard) + others + calls(.standard)

    // MARK: - 工单

    /// Merged tickets count once, with their head; what was not accepted is no ticket that anybody handles.
    private static let valid = "not merged and not acceptance = 'not_accepted'"
    private static let excluded = "并入他单的(随主单计一次)、不予受理的"
    private static let closed =
        "status in (\(TicketStatus.allCases.filter { !$0.isBeingHandled }.map { "'\($0.rawValue)'" }.joined(separator: ", ")))"
    private static let dispatched = "\(valid) and dispatched_at is not null"
    private static let due = "\(dispatched) and due_at <= now"
    /// Longest handling that is believed: a wrong clock must not spoil the mean.
    private static let spanMax = "3652d"

    private static let tickets: [Indicator] = [
        count(
            "count", version: 2, "诉求量", "tickets", .ticket, "受理的诉求(受理口径)", clause: "domain 0.4", base: valid, excluded),
        count(
            "handled_count", "承办量", "tickets by who handles them", .ticket,
            "有承办归属节点的诉求(承办口径;按 handling_owner 分组)", clause: "domain 0.4",
            base: "\(valid) and owner is not null", excluded),
        count(
            "located_count", "事发地诉求量", "tickets by place", .ticket, "有事发地区划的诉求(事发地口径;按 region 分组)",
            clause: "domain 0.4", base: "\(valid) and region_code is not null", excluded),
        indicator(
            "per_10000_residents", "万人诉求比", "tickets per 10,000 residents", .perTenThousand,
            [(.ticket, nil, "\(valid) and region_code is not null", "count", nil, 1)], clause: "domain 3.2",
            "有事发地区划的诉求", "该地区该年的常住人口(万人),取自基础数据;分组的地区和年份,无分组时本节点的地区", excluded),
        count("merged_count", "并单量", "merged tickets", .ticket, "并入他单的诉求", clause: "domain 3", base: "merged"),
        count(
            "not_accepted_count", "不予受理量", "tickets not accepted", .ticket, "不予受理的诉求", clause: "domain 3",
            base: "not merged and acceptance = 'not_accepted'"),
        count(
            "invalid_count", "无效量", "invalid or malicious contacts", .ticket, "不予受理原因为无效或恶意的诉求", clause: "domain 3",
            base: "not merged and acceptance = 'not_accepted' and non_acceptance_reason in ('无效', '恶意')"),
        count(
            "closed", version: 2, "已办结", "closed", .ticket, "办理已结束的诉求,待回访的在内", clause: "7.2.1.1", base: valid, excluded,
            numerator: "count where \(closed)"),
        count(
            "open", version: 2, "未办结", "open", .ticket, "办理未结束的诉求", clause: "7.2.1.1", base: valid, excluded,
            numerator: "count where not \(closed)"),
        count(
            "overdue", version: 2, "超期未办结", "overdue", .ticket, "办理未结束、已过办理时限且未暂停计时的诉求;挂账的在内,可按 held 区分",
            clause: "domain 3.2", base: valid, excluded,
            numerator: "count where not \(closed) and due_at < now and not suspended"),
        count(
            "due_soon", "临期未办结", "due within 24 hours", .ticket, "办理未结束、24 小时内到办理时限且未暂停计时的诉求",
            clause: "domain 3.7", base: valid, excluded,
            numerator: "count where not \(closed) and due_at >= now and due_at <= now + 24h and not suspended"),
        count("held", "挂账量", "held", .ticket, "挂账的诉求", clause: "domain 2.4", base: "\(valid) and held", excluded),
        count(
            "person_count", "诉求人数", "persons", .ticket,
            "不同的诉求人,以证件号码、无证件号码时以联系电话的带密钥摘要区分;1,000 人以内准确,更多时标准误差 1.6%",
            clause: "domain 7.2.1.2", base: valid, "\(excluded)、匿名或只有脱敏电话的", numerator: "persons"),
        rate(
            "closed_rate", "办结率", "closure rate", .ticket, period: "dispatched_at", base: dispatched, excluded,
            "办理已结束的", closed, of: "派单的诉求"),
        rate(
            "on_time_rate", version: 2, "按期办结率", "on-time closure rate", .ticket, period: "due_at", base: due, excluded,
            "在办理时限(含批准的延期)内办结的", "closed_at <= due_at", of: "派单且时限已到的诉求;归入时限所在的期间"),
        rate(
            "overdue_rate", "超期率", "overdue rate", .ticket, period: "due_at", base: due, excluded, "未办结或逾期办结的",
            "not closed_at <= due_at", of: "派单且时限已到的诉求;归入时限所在的期间"),
        rate(
            "first_contact_rate", "直办率", "closed at first contact", .ticket, base: valid, excluded, "未派单即办结的",
            "dispatched_at is null and \(closed)", of: "受理的诉求", clause: "domain 3.1"),
        rate(
            "dispatch_rate", "转办率", "dispatched", .ticket, base: valid, excluded, "派过单的", "dispatched_at is not null",
            of: "受理的诉求", clause: "domain 3.7"),
        rate(
            "timely_reply_rate", "按时反馈率", "replied to in time", .ticket, period: "due_at", base: due, excluded,
            "在办理时限(含批准的延期)内答复的", "replied_at <= due_at", of: "派单且时限已到的诉求;归入时限所在的期间",
            clause: "domain 3.7"),
        rate(
            "rework_rate", "重办率", "rework rate", .ticket,
            base: "\(valid) and (\(closed) or round >= 2)", excluded, "办理两轮以上的", "round >= 2", of: "办结过的诉求"),
        rate(
            "extension_rate", "延期率", "extension rate", .ticket, period: "dispatched_at", base: dispatched, excluded,
            "批准过延期的", "extensions >= 1", of: "派单的诉求"),
        rate(
            "repeat_rate", "重复诉求率", "repeat rate", .ticket, base: valid, excluded, "标记为重复诉求(同一诉求人、同一事项,默认 30 天内)的",
            "repeat_mark = 'mark_repeat'", of: "受理的诉求"),
        rate(
            "response_rate", "响应率", "response rate", .ticket, period: "dispatched_at", base: dispatched, excluded,
            "承办单位派单后 24 小时(突发 2 小时)内联系诉求人的,以办理记录的联系时间为准", responded, of: "派单的诉求",
            clause: "北京条例 32; domain 3.3"),
        rate(
            "callback_rate", "回访率", "callback rate", .ticket, period: "closed_at", base: calledBack, excluded,
            "回访过的", "called_back_at is not null", of: "办结且要求回访的诉求"),
        rate(
            "effective_callback_rate", "有效回访率", "effective callback rate", .ticket, period: "closed_at",
            base: calledBack, excluded, "回访接通的", "reached_at is not null", of: "办结且要求回访的诉求"),
    ]

    private static let calledBack = "\(valid) and closed_at is not null and not callback_required = 0"
    private static let responded = """
        contacted_at - dispatched_at <= 24h and (not urgency = 'urgent' or contacted_at - dispatched_at <= 2h)
        """

    // MARK: - 环节漏斗

    /// How far the tickets of a period have come. Each counts among those that were requested in the period, so the stages of one month
    /// are about the same tickets.
    private static let funnel: [Indicator] = [
        ("dispatched", "dispatched_at", "已派单量", "派过单的"), ("acknowledged", "acknowledged_at", "已签收量", "签收过的"),
        ("replied", "replied_at", "已答复量", "答复过的"), ("finished", "closed_at", "已审结量", "有办结时间的"),
        ("called_back", "called_back_at", "已回访量", "回访过的"), ("evaluated", "evaluated_at", "已评价量", "评价过的"),
    ].map { name, column, title, said in
        count(
            "\(name)_count", title, "tickets \(name.replacing("_", with: " "))", .ticket, "受理的诉求中\(said)",
            clause: "7.1.1",
            base: valid, excluded, numerator: "count where \(column) is not null")
    }

    // MARK: - 环节时长

    /// From one event in the life of a ticket to another. A hop belongs to the period in which it ended.
    private struct Hop {
        let name: String
        let title: String
        let english: String
        let begin: String
        let end: String
        let span: String
        /// Of its mean in hours.
        var version = 1
    }

    private static let hops = [
        Hop(
            name: "handling", title: "办理时长", english: "handling time", begin: "dispatched_at", end: "closed_at",
            span: "派单至办结", version: 2),
        Hop(
            name: "dispatch", title: "派单时长", english: "time to dispatch", begin: "requested_datetime",
            end: "dispatched_at", span: "诉求至派单"),
        Hop(
            name: "sign", title: "签收时长", english: "time to acknowledgement", begin: "dispatched_at",
            end: "acknowledged_at", span: "派单至签收"),
        Hop(
            name: "reply", title: "答复时长", english: "time to reply", begin: "acknowledged_at", end: "replied_at",
            span: "签收至答复"),
        Hop(
            name: "closing", title: "审结时长", english: "time to closure", begin: "replied_at", end: "closed_at",
            span: "答复至办结"),
        Hop(
            name: "callback", title: "回访时长", english: "time to callback", begin: "closed_at", end: "called_back_at",
            span: "办结至回访"),
    ]

    private static let stages = hops.flatMap { hop in
        let length = "\(hop.end) - \(hop.begin)"
        let base = "\(valid) and \(length) >= 0 and \(length) <= \(spanMax)"
        func figure(
            _ name: String, version: Int = 1, _ title: String, _ english: String, _ unit: Analysis.Measure.Unit,
            _ numerator: String, over denominator: String? = nil, _ said: String
        ) -> Indicator {
            indicator(
                name, version: version, title, english, unit,
                [(.ticket, hop.end, base, numerator, denominator, 1)], clause: "7.1.1", said,
                denominator.map { _ in "有这两个时间的诉求" }, "\(excluded)、时长为负或超过十年的")
        }
        func spread(_ name: String, _ title: String, _ english: String, _ function: String) -> Indicator {
            figure(
                "\(name)_\(hop.name)_minutes", "\(hop.title)\(title)", "\(english) \(hop.english)", .minutes,
                "\(function)(\(length))", "\(hop.span)的自然时间,\(title)")
        }
        return [
            figure(
                "mean_\(hop.name)_hours", version: hop.version, "平均\(hop.title)", "mean \(hop.english)", .hours,
                "sum(\(length))", over: "count", "\(hop.span)的自然小时之和"),
            figure(
                "mean_\(hop.name)_work_hours", "平均\(hop.title)(工作时间)", "mean \(hop.english) in working hours", .hours,
                "sum(working(\(hop.begin), \(hop.end)))", over: "count", "\(hop.span)的工作小时之和,按工作日历和工作时间"),
            figure(
                "\(hop.name)_hop_count", "\(hop.span)量", "tickets with a \(hop.english)", .count, "count",
                "\(hop.span)两个时间都有的诉求"),
            spread("p50", "中位数", "median", "p50"), spread("p90", "九成分位", "90th percentile of the", "p90"),
            spread("p95", "九成五分位", "95th percentile of the", "p95"), spread("max", "最大值", "longest", "greatest"),
        ]
    }

    // MARK: - 派单

    private static let main = "role = 'main' and not ticket.merged"

    private static let dispatch: [Indicator] = [
        count(
            "dispatch_count", "派单量", "dispatches", .assignment, "主办派单", clause: "5.1", base: main, "并入他单的"),
        rate(
            "timely_sign_rate", "及时签收率", "acknowledged in time", .assignment,
            base: "\(main) and accept_deadline <= now", "并入他单的、无签收时限的", "承办单位在签收时限内签收的",
            "signed_at <= accept_deadline", of: "签收时限已到的主办派单"),
        rate(
            "return_rate", "退单率", "return rate", .assignment, base: main, "并入他单的", "承办单位申请过退单的",
            "returned_at is not null", of: "主办派单"),
        rate(
            "approved_return_rate", "退单率(同意的)", "approved return rate", .assignment, base: main, "并入他单的",
            "申请退单并获同意的", "returned_at is not null and return_approved_at is not null", of: "主办派单"),
        count(
            "return_count", "退单量", "returns", .assignment, "承办单位申请过退单的主办派单;可按 return_reason 分组", clause: "5.1",
            base: "\(main) and returned_at is not null", "并入他单的"),
    ]

    // MARK: - 回访, 评价

    private static let reached = "reached = 'answered' and not verdict_source = 'default' and not ticket.merged"
    private static let effective = "\(reached) and resolved is not null"
    private static let notEffective = "未接通、默认评价、并入他单的"
    private static let rated =
        "object = 'handling' and not counted = 0 and not verdict_source = 'default' and replaced_at is null and not ticket.merged"
    private static let notRated = "不计入考核、默认评价、被同轮次后一次评价替代、并入他单的"
    private static let satisfied = "score5 in ('3', '4', '5')"

    private static let callbacks: [Indicator] = [
        count(
            "callback_count", "回访量", "callbacks", .callback, "回访(每次计一次)", clause: "5.1",
            base: "not ticket.merged", "并入他单的"),
        rate(
            "resolution_rate", "解决率", "resolution rate", .callback, base: effective, notEffective, "已解决的",
            "resolved = 'resolved'", of: "有效回访", clause: "北京条例 32; domain 3.3"),
        partialResolution,
        rate(
            "first_time_resolution_rate", version: 2, "一次解决率", "resolved in the first round, and not asked again",
            .callback,
            base: effective, notEffective, "第一轮即已解决,且办结后 30 天内同一来源节点无标记为其重复的诉求的",
            """
            resolved = 'resolved' and not round > 1 \
            and not ticket.repeated_at - coalesce(ticket.closed_at, occurred_at) <= 30d
            """, of: "有效回访"),
        rate(
            "contact_rate", "联系率", "contacted by the unit, as citizens say", .callback,
            base: "\(reached) and contacted_by_unit is not null", notEffective, "诉求人称承办单位已联系的",
            "contacted_by_unit", of: "对此有回答的接通回访"),
        rate(
            "evaluation_rate", "参评率", "evaluation rate", .callback, base: reached, notEffective, "同轮次有评价的",
            "rated_at is not null", of: "接通的回访"),
        count(
            "evaluation_count", "评价量", "evaluations", .evaluation, "计入考核的办理评价", clause: "5.1", base: rated, notRated),
        rate(
            "satisfaction_rate", version: 2, "满意率", "satisfaction rate", .evaluation, base: rated, notRated,
            "非常满意、满意、基本满意", satisfied, of: "计入考核的办理评价,每轮次一次", clause: "北京条例 32; domain 3.3"),
        rate(
            "dissatisfaction_rate", "不满意率", "dissatisfaction rate", .evaluation, base: rated, notRated,
            "不满意、非常不满意", "score5 in ('1', '2')", of: "计入考核的办理评价,每轮次一次", clause: "domain 3.7"),
        rate(
            "strict_satisfaction_rate", "满意率(从严)", "strict satisfaction rate", .evaluation, base: rated, notRated,
            "非常满意、满意", "score5 in ('4', '5')", of: "计入考核的办理评价,每轮次一次"),
    ]

    private static let partialResolution = indicator(
        "partial_resolution_rate", "解决率(部分解决计半)", "resolution rate, partly resolved by half", .percent,
        [
            (.callback, nil, effective, "count where resolved = 'resolved'", "count", 1),
            (.callback, nil, effective, "count where resolved = 'partly'", "count", 0.5),
        ], clause: "domain 3.2", "已解决的,部分解决的计半", "有效回访", notEffective)

    /// 三率, with the weights that are in force.
    package static func threeRates(_ weights: ThreeRateWeights) -> [Indicator] {
        func score(
            _ name: String, _ title: String, _ english: String, satisfied: String, _ satisfaction: String
        ) -> Indicator {
            indicator(
                name, version: weights.version, title, english, .percent,
                [
                    (.ticket, "dispatched_at", dispatched, "count where \(responded)", "count", weights.response),
                    (.callback, nil, effective, "count where resolved = 'resolved'", "count", weights.resolution),
                    (.evaluation, nil, rated, "count where \(satisfied)", "count", weights.satisfaction),
                ], clause: "北京条例 32; domain 3.3",
                "响应率 ×\(weights.response) + 解决率 ×\(weights.resolution) + \(satisfaction) ×\(weights.satisfaction)",
                "各率的分母", "同各率")
        }
        return [
            score("three_rates", "三率综合得分", "score of the three rates", satisfied: satisfied, "满意率"),
            score(
                "strict_three_rates", "三率综合得分(从严)", "strict score of the three rates",
                satisfied: "score5 in ('4', '5')", "满意率(从严)"),
        ]
    }

    // MARK: - 督办, 流转

    private static let others: [Indicator] = [
        count("supervision_count", "督办量", "supervisions", .supervision, "发出的督办", clause: "5.1", base: ""),
        rate(
            "supervision_closed_rate", "督办办结率", "supervisions closed in time", .supervision, base: "", nil,
            "已办结且未超过督办时限的", "closed_datetime is not null and not closed_datetime > due_datetime", of: "发出的督办"),
        count(
            "transfer_count", "移交量", "transfers offered", .transfer, "移交", clause: "domain 6.3",
            base: "step = 'offer'"),
        rate(
            "transfer_acceptance_rate", "移交接收率", "transfers accepted", .transfer,
            base: "step in ('offer', 'accept')", nil, "接收", "step = 'accept'", of: "移交", "step = 'offer'"),
        rate(
            "transfer_return_rate", "移交退回率", "transfers returned", .transfer,
            base: "step in ('offer', 'return')", nil, "退回", "step = 'return'", of: "移交", "step = 'offer'"),
    ]

    // MARK: - 话务

    private static let connected = "(answered is not null or disposition = 'connected')"
    /// 国家标准 GB/T 33358.
    private static let standard = "GB/T 33358; 7.1.1"

    private static func calls(_ rule: HumanCallRule) -> [Indicator] {
        [
            count(
                "call_count", "呼入量", "inbound calls", .call, "呼入", clause: "7.1.1", base: "direction = 'inbound'",
                "呼出的")
        ] + humanCalls(rule) + [
            rate(
                "call_return_rate", "回拨率", "missed calls called back", .call,
                base: "direction = 'inbound' and disposition in ('abandoned', 'overflow', 'called_back')", "呼出、接通的",
                "已回拨的", "disposition = 'called_back'", of: "漏接的呼入", clause: "国办函〔2025〕66号")
        ]
    }

    /// 人工请求, with the rule that is in force. Where a telephone system says nothing of its menu, an answered call asked for a human.
    package static func humanCalls(_ rule: HumanCallRule) -> [Indicator] {
        var asked = """
            direction = 'inbound' and (ivr_out is not null or queue_start is not null or queue_seconds is not null \
            or \(connected))
            """
        var notAsked = "呼出、未转人工的"
        let (seconds, version) = (rule.shortAbandonSeconds, rule.version)
        if seconds > 0 {
            asked += """
                 and not (disposition = 'abandoned' and (queue_seconds < \(seconds) \
                or queue_seconds is null and hangup - queue_start < \(seconds)s))
                """
            notAsked += "、不足 \(seconds) 秒即放弃的"
        }
        func share(
            _ name: String, _ title: String, _ english: String, _ numerator: String, _ counted: String
        ) -> Indicator {
            rate(
                name, version: version, title, english, .call, base: asked, notAsked, numerator, counted, of: "人工请求",
                clause: standard)
        }
        func serviceLevel(_ seconds: Int) -> Indicator {
            share(
                "service_level_\(seconds)", "\(seconds)秒接通率", "answered within \(seconds) seconds",
                "排队 \(seconds) 秒内人工接通的",
                """
                \(connected) and (queue_seconds <= \(seconds) \
                or queue_seconds is null and answered - queue_start <= \(seconds)s)
                """)
        }
        func length(
            _ name: String, _ title: String, _ english: String, _ function: String, over denominator: String? = nil,
            of column: String, _ what: String, _ said: String, _ whole: String? = nil
        ) -> Indicator {
            indicator(
                name, version: version, title, english, .seconds,
                [
                    (
                        .call, nil, "\(asked) and \(column) >= 0 and \(column) <= 86400", "\(function)(\(column))",
                        denominator, 1
                    )
                ], clause: standard, said, whole, "\(notAsked)、无\(what)时长或超过一天的")
        }
        return [
            count(
                "human_call_count", version: version, "人工请求量", "calls that asked for a human", .call, "请求人工的呼入",
                clause: "7.1.1", base: asked, notAsked),
            share("connect_rate", "接通率", "connect rate", "人工接通的", connected), serviceLevel(15), serviceLevel(30),
            share("abandon_rate", "放弃率", "abandon rate", "放弃的", "disposition = 'abandoned'"),
            length(
                "mean_wait_seconds", "平均等待", "mean wait", "sum", over: "count", of: "queue_seconds", "排队", "排队秒数之和",
                "有排队时长的人工请求"),
            length(
                "mean_talk_seconds", "平均通话", "mean talk time", "sum", over: "count", of: "talk_seconds", "通话", "通话秒数之和",
                "有通话时长的人工请求"),
            length(
                "p90_wait_seconds", "等待九成分位", "90th percentile of the wait", "p90", of: "queue_seconds", "排队", "排队秒数"),
            length("max_wait_seconds", "最大等待", "longest wait", "greatest", of: "queue_seconds", "排队", "排队秒数"),
            length("max_talk_seconds", "最大通话", "longest talk time", "greatest", of: "talk_seconds", "通话", "通话秒数"),
        ]
    }

    // MARK: - Making them

    private typealias TermText = (
        fact: Fact, period: String?, base: String, numerator: String, denominator: String?, weight: Double
    )

    private static func indicator(
        _ name: String, version: Int = 1, _ title: String, _ english: String, _ unit: Analysis.Measure.Unit,
        _ terms: [TermText], clause: String, _ numerator: String, _ denominator: String?, _ exclusions: String?
    ) -> Indicator {
        do throws(FederationError) {
            let terms = try terms.map { term throws(FederationError) in
                try Analysis.Measure.Term(
                    term.fact, period: term.period, base: term.base, numerator: term.numerator,
                    denominator: term.denominator, weight: term.weight)
            }
            return Indicator(
                try Analysis.Measure(name, version: version, unit: unit, terms: terms), title: title, english: english,
                clause: clause, numerator: numerator, denominator: denominator, exclusions: exclusions)
        } catch {
            preconditionFailure("\(name): \(error)")
        }
    }

    private static func count(
        _ name: String, version: Int = 1, _ title: String, _ english: String, _ fact: Fact, _ counted: String,
        clause: String, base: String, _ exclusions: String? = nil, numerator: String = "count"
    ) -> Indicator {
        indicator(
            name, version: version, title, english, .count, [(fact, nil, base, numerator, nil, 1)], clause: clause,
            counted, nil,
            exclusions)
    }

    /// - Parameters:
    ///   - counted: which rows of the base are in the numerator.
    ///   - whole: which are in the denominator; all, if it is empty.
    private static func rate(
        _ name: String, version: Int = 1, _ title: String, _ english: String, _ fact: Fact, period: String? = nil,
        base: String, _ exclusions: String?, _ numerator: String, _ counted: String, of denominator: String,
        _ whole: String = "", clause: String = "domain 3.2"
    ) -> Indicator {
        indicator(
            name, version: version, title, english, .percent,
            [(fact, period, base, "count where \(counted)", whole.isEmpty ? "count" : "count where \(whole)", 1)],
            clause: clause, numerator, denominator, exclusions)
    }

}
