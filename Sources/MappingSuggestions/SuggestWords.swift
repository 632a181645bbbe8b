import FederationModel

/// What other systems call the fields of the catalog. Data, not rules: a word that is missing is added here.
///
/// Lower case; the most telling first. Whatever stands here, a field's name and Chinese title in the catalog count as well.
/// English words match a column's whole name or its end ("case opened date"), Chinese ones too (诉求登记时间): the end says
/// what a compound is.
enum SuggestWords {
    /// Fields of a ticket and of its thread, by `RESOURCE.FIELD`.
    static let fields: [String: [String]] = [
        "service_request.service_request_id": [
            "case enquiry id", "unique key", "case id", "caseid", "service request number", "sr number", "request id",
            "ticket id", "ticket number", "case number", "message id", "issue id", "incident number",
            "reference number",
            "reference id", "request number", "srnumber", "sr id", "number", "no", "id", "key",
            "工单编号", "工单号", "受理编号", "诉求编号", "案件编号", "事件编号", "信件编号", "任务号", "受理单号", "业务编号",
            "流水号", "单号", "编号",
        ],
        "service_request.requested_datetime": [
            "requested datetime", "opened", "open dt", "open date", "date opened", "opened date", "created date",
            "creation date", "date created", "created at", "created on", "created", "create date", "request date",
            "requested date", "requested", "date requested", "submitted", "submitted date", "submit date",
            "received date", "date received", "received", "reported date", "report date", "call date", "timestamp",
            "诉求时间", "来电时间", "登记时间", "创建时间", "提交时间", "来信时间", "留言时间", "反映时间", "投诉时间", "上报时间",
            "发布时间", "接收时间", "来电日期", "创建日期", "登记日期", "受理时间", "受理日期", "month", "月份", "date",
            "datetime", "时间", "日期",
        ],
        "service_request.accepted_datetime": ["accepted date", "accepted", "受理时间", "受理日期"],
        "service_request.occurred_datetime": ["incident date", "occurrence date", "发生时间", "事发日期"],
        "service_request.channel": [
            "channel", "open data channel type", "channel type", "source", "method received", "method", "via",
            "contact method", "request source", "submitted via", "origin", "received via", "how received", "渠道", "受理方式",
            "来电方式", "诉求渠道", "诉求来源", "工单来源", "反映方式", "信息来源", "来源渠道", "接入方式", "来源",
        ],
        "service_request.request_type": [
            "request kind", "kind", "诉求类型", "工单类型", "诉求性质", "反映类型", "信件类型", "业务类型", "诉求类别", "事项性质",
        ],
        "service_request.service_code": [
            "service code", "type code", "category code", "sr type code", "分类编码", "问题分类编码", "事项编码", "问题分类", "诉求分类",
        ],
        "service_request.title": [
            "title", "case title", "subject", "summary", "headline", "标题", "主题", "诉求标题", "工单标题", "信件标题",
        ],
        "service_request.description": [
            "description", "text", "content", "request details", "details", "body", "message", "comments", "notes",
            "诉求内容", "内容", "问题描述", "事件描述", "描述", "正文", "留言内容", "反映内容", "工单内容", "诉求描述", "主要内容", "详情",
        ],
        "service_request.request_demand": ["demand", "诉求目的", "希望", "诉求请求", "期望"],
        "service_request.address_string": [
            "address string", "incident address", "street address", "address", "full address", "location address",
            "location", "location details", "place", "block address", "地址", "事发地址", "事发地点", "发生地址", "发生地点", "详细地址",
            "诉求地址", "地点", "位置", "town", "street", "乡镇", "街道", "镇街",
        ],
        "service_request.lat": ["lat", "latitude", "纬度"],
        "service_request.long": ["long", "lng", "lon", "longitude", "经度"],
        "service_request.region_code": [
            "region code", "区划代码", "行政区划代码", "区域编码", "地区编码", "region", "district", "county", "区县", "所属区县", "事发区县",
            "行政区划",
            "所属区划", "所属区域", "区域", "属地", "辖区",
        ],
        "service_request.urgency": ["urgency", "priority", "severity", "紧急程度", "紧急级别", "优先级"],
        "service_request.reporter_name": [
            "reporter name", "caller name", "requester name", "customer name", "诉求人姓名", "来电人姓名", "来电人", "诉求人", "反映人",
            "投诉人", "联系人", "市民姓名", "姓名",
        ],
        "service_request.reporter_kind": ["诉求人类别", "诉求主体", "主体类型"],
        "service_request.reporter_phone": [
            "phone", "phone number", "caller number", "mobile", "联系方式", "来电号码", "手机号", "手机号码", "电话号码", "联系号码", "电话",
        ],
        "service_request.reporter_id_type": ["证件类别"],
        "service_request.reporter_id_number": ["身份证号", "身份证号码", "证件号"],
        "service_request.organization_name": ["company name", "单位名称", "企业", "公司名称"],
        "service_request.organization_uscc": ["社会信用代码", "信用代码"],
        "service_request.respondent_name": ["respondent", "被投诉主体", "被投诉单位", "被反映单位", "被诉对象"],
        "service_request.confidential": ["是否保密", "保密"],
        "service_request.reply_required": ["是否回复", "是否需要回复", "要求回复"],
        "service_request.callback_required": ["是否回访", "是否需要回访", "要求回访"],
        "service_request.acceptance": ["受理结果", "受理情况", "是否受理"],
        "service_request.seat_id": ["agent id", "operator", "话务员", "坐席", "坐席工号", "受理人", "接线员", "工号"],
        "service_request.source_system": ["system", "系统来源"],
        "service_request.source_request_id": ["external id", "source id", "上级工单编号", "外部编号", "原工单编号"],

        "assignment.assignee_unit": [
            "agency responsible", "responsible agency", "agency name", "work group", "department", "department name",
            "owner department", "responsible department", "assigned department", "assigned to", "assigned team", "team",
            "agency", "owner", "division", "unit", "queue", "dept", "承办单位", "处置单位", "主办单位", "责任单位", "办理单位", "承办部门",
            "责任部门", "处理单位", "办理部门", "转办单位", "派发单位", "处置部门", "主管部门", "部门", "单位",
        ],
        "assignment.occurred_at": [
            "assigned date", "date assigned", "assigned at", "dispatch date", "dispatched", "派单时间", "派发时间", "交办时间",
            "转办时间", "分派时间", "下派时间", "派单日期",
        ],
        "assignment.due_datetime": [
            "target dt", "due date", "due", "expected datetime", "target date", "sla date", "sla target", "deadline",
            "estimated completion date", "expected completion date", "due datetime", "办理时限", "截止时间", "应办结时间", "限办时间",
            "到期时间", "办理期限", "处置时限", "办结时限", "截止日期", "限办日期", "应办时间",
        ],
        "assignment.basis": ["派发依据"],

        "acknowledgement.occurred_at": ["acknowledged date", "acknowledged", "签收时间", "接单时间", "签收日期"],

        "handling.occurred_at": ["办理时间", "处理时间", "处置时间", "办理日期"],
        "handling.measures": ["actions taken", "action taken", "办理情况", "处理情况", "处置情况", "办理过程", "处理过程"],

        "reply.occurred_at": [
            "replied at", "reply date", "response date", "responded at", "answered at", "replied", "答复时间", "回复时间",
            "回复日期",
            "答复日期", "反馈时间",
        ],
        "reply.content_public": [
            "reply", "response", "answer", "public response", "答复内容", "回复内容", "答复意见", "回复意见", "答复", "回复", "反馈内容",
            "公开答复",
        ],

        "closure.occurred_at": [
            "closed", "closed dt", "closed date", "date closed", "close date", "closed at", "closed on",
            "resolved date", "resolution date", "date resolved", "completed date", "completion date", "date completed",
            "completed", "closing date", "办结时间", "结案时间", "办结日期", "完成时间", "结案日期", "结束时间", "完结时间", "关闭时间",
        ],
        "closure.result": [
            "closure reason", "resolution description", "status notes", "resolution", "closing comments",
            "closure comments", "resolution notes", "outcome", "办理结果", "处理结果", "办结意见", "结案意见", "处置结果", "结果",
        ],
        "closure.closure_kind": ["办结类型", "办结方式", "结案方式", "办结类别"],

        "callback.occurred_at": ["callback date", "follow up date", "回访时间", "回访日期"],
        "callback.method": ["回访类型", "回访渠道"],
        "callback.reached": ["回访结果", "是否接通", "回访情况"],
        "callback.resolved": ["是否解决", "解决程度", "回访解决情况"],

        "evaluation.occurred_at": ["评价时间", "评价日期", "rated at"],
        "evaluation.score5": [
            "satisfaction", "rating", "satisfied", "满意度", "满意情况", "评价结果", "满意程度", "是否满意", "评价",
        ],
        "evaluation.comment": ["评价内容", "评价意见", "feedback"],
    ]

    /// Columns that name what a ticket is about, from general to particular where they stand in that order.
    static let categories: Set<String> = [
        "service name", "service type", "category", "subcategory", "sub category", "type", "subtype", "sub type",
        "request type", "request category", "complaint type", "case type", "issue type", "sr type", "problem type",
        "issue category", "issue", "problem", "reason", "descriptor", "detail", "topic", "level1", "level2", "level3",
        "level4", "level 1", "level 2", "level 3", "level 4", "service request type", "category name",
        "type description",
    ]
    /// Ends of Chinese names of such columns.
    static let categoryEndings = [
        "分类", "类别", "大类", "小类", "子类", "细类", "领域", "事项", "问题类型", "事件类型", "一级", "二级", "三级", "四级",
    ]

    /// Other systems' words for codes, by code list: a value that holds one of these words has that code. Tried in order,
    /// after the codes and titles of the list itself.
    static let codes: [String: [(word: String, code: String)]] = [
        "channel": [
            ("110", "11"), ("外市", "15"), ("省", "08"), ("上级", "08"), ("国务院", "08"), ("信访", "09"), ("督查", "09"),
            ("人民网", "10"), ("微信", "02"), ("小程序", "02"), ("公众号", "02"), ("wechat", "02"), ("twitter", "07"),
            ("facebook", "07"), ("social", "07"), ("twir", "07"), ("微博", "07"), ("抖音", "07"), ("e-mail", "06"),
            ("email", "06"), ("mail", "06"), ("邮件", "06"), ("信箱", "06"), ("text", "05"), ("sms", "05"), ("短信", "05"),
            ("app", "04"), ("mobile", "04"), ("open311", "04"), ("bot", "04"), ("客户端", "04"), ("walk", "14"),
            ("in person", "14"), ("counter", "14"), ("窗口", "14"), ("来访", "14"), ("走访", "14"), ("web", "03"),
            ("online", "03"), ("internet", "03"), ("self service", "03"), ("网站", "03"), ("网页", "03"), ("网络", "03"),
            ("互联网", "03"), ("门户", "03"), ("phone", "01"), ("call", "01"), ("voice", "01"), ("来电", "01"), ("电话", "01"),
            ("热线", "01"), ("integrated agency", "13"), ("12315", "13"), ("12328", "13"),
        ],
        "request_type": [
            ("咨询", "1"), ("提问", "1"), ("询问", "1"), ("inquiry", "1"), ("question", "1"), ("information", "1"),
            ("投诉", "3"), ("complaint", "3"), ("举报", "4"), ("建议", "5"), ("suggestion", "5"), ("表扬", "6"), ("感谢", "6"),
            ("compliment", "6"), ("praise", "6"), ("求助", "2"), ("反映", "2"), ("诉求", "2"), ("request", "2"),
        ],
        "urgency": [
            ("突发", "urgent"), ("特急", "urgent"), ("紧急", "urgent"), ("emergency", "urgent"), ("high", "urgent"),
            ("urgent", "urgent"), ("疑难", "complex"),
        ],
        "acceptance": [
            ("不予受理", "not_accepted"), ("不受理", "not_accepted"), ("未受理", "not_accepted"), ("否", "not_accepted"),
            ("转接", "transferred_out"),
            ("直接答复", "answered"), ("受理", "accepted"), ("是", "accepted"),
        ],
        "score": [
            ("非常不满意", "1"), ("很不满意", "1"), ("不满意", "2"), ("基本满意", "3"), ("一般", "3"), ("非常满意", "5"), ("很满意", "5"),
            ("满意", "4"),
        ],
        "reached": [("空号", "invalid_number"), ("拒", "refused"), ("未", "no_answer"), ("无人", "no_answer")],
        "resolution": [("未解决", "unresolved"), ("部分", "partly"), ("解释", "explained"), ("解决", "resolved")],
        "callback_method": [("电话", "telephone"), ("短信", "text_message"), ("微信", "wechat"), ("智能", "voice_robot")],
        "closure_kind": [
            ("重复", "merged"), ("并单", "merged"), ("duplicate", "merged"), ("撤", "withdrawn"), ("终止", "terminated"),
            ("解释", "explained"), ("直接", "direct"), ("挂账", "held"),
        ],
        "reporter_kind": [
            ("企业", "company"), ("公司", "company"), ("个体", "sole_trader"), ("匿名", "anonymous"), ("个人", "person"),
            ("群众", "person"), ("市民", "person"),
        ],
        "confidential": [
            ("不保密", "none"), ("否", "none"), ("举报", "reporter_protected"), ("是", "name_hidden"), ("保密", "name_hidden"),
        ],
    ]

    /// The code that stands in when a column is empty or a word is in no list, by `RESOURCE.FIELD`; a required field without
    /// a column has it throughout.
    static let constants: [String: String] = [
        "service_request.channel": "19", "service_request.request_type": "9", "service_request.urgency": "normal",
        "service_request.acceptance": "accepted", "assignment.role": "main", "reply.reply_kind": "final",
        "closure.closure_kind": "closed", "callback.method": "telephone", "callback.reached": "answered",
        "evaluation.object": "handling",
    ]

    /// Names of the number of a row in its file.
    static let rowNumbers: Set<String> = [
        "row no", "row number", "row", "rownum", "rowid", "index", "line", "line no", "seq", "sequence", "序号", "行号",
        "顺序号", "xh",
    ]

    /// Lists of which a word is a judgement, so that a wrong one is worse than none.
    static let verdicts: Set<String> = [
        "acceptance", "score", "reached", "resolution", "closure_kind", "confidential", "urgency",
    ]

    /// Whether what stands at a place of a value is said, and not its opposite: 无法解决 does not say 解决.
    static func isAffirmed(_ place: String.Index, in value: String) -> Bool {
        let before = value[..<place].suffix(4)
        return !["不", "未", "无", "没", "非", "难", "not ", "no ", "un", "dis", "non"].contains { before.contains($0) }
    }

    /// Whether a column's name is about a party that is not the reporter.
    static func nameOthers(_ name: ColumnName) -> Bool {
        [
            "school", "office", "agency", "department", "dept", "staff", "agent", "vendor", "taxi", "company",
            "business",
            "bridge", "park", "facility", "garage", "hospital", "officer", "handler", "assigned", "operator",
            "contractor",
            "单位", "部门", "承办", "经办", "处理", "办理", "坐席", "话务", "受理", "学校", "企业", "机构", "科室", "负责", "审核", "回访", "派单",
            "录入", "被",
        ].contains { name.text.contains($0) }
    }

    /// Whether a column's name is that of a number which people have, such as a user's: it says who somebody is.
    static func namesPerson(_ name: ColumnName) -> Bool {
        let text = name.text
        return [
            "openid", "unionid", "passport", "plate", "email", "用户", "会员", "微信", "车牌", "护照", "邮箱", "学号", "卡号", "账号",
            "账户", "户号",
            "证号", "证件", "驾照",
        ].contains { text.contains($0) }
            || [
                "user", "user id", "user number", "customer id", "customer number", "member id", "account",
                "account id",
                "account number", "citizen id", "caller id", "vin", "人编号", "人id", "人标识", "市民编号", "市民id",
            ].contains { text == $0 || text.hasSuffix(name.isChinese ? $0 : " " + $0) }
    }

    /// Whether a column's name is about the reporter.
    static func nameReporter(_ name: ColumnName) -> Bool {
        [
            "reporter", "caller", "contact", "complainant", "citizen", "customer", "requester", "resident", "mobile",
            "cell",
            "home", "来电", "联系", "诉求", "市民", "反映", "投诉", "举报", "手机", "群众", "咨询", "用户", "本人", "来信",
        ].contains { name.text.contains($0) }
    }
}
