extension CodeList {
    /// The floor; see ``CodeLists/builtIn``.
    package static let all: [CodeList] = [
        CodeList(
            "channel", "受理渠道",
            [
                ("01", "电话", "telephone"), ("02", "微信/小程序", "WeChat"), ("03", "网站", "web site"),
                ("04", "APP/政务平台", "app"), ("05", "短信", "text message"), ("06", "市长信箱/邮件", "e-mail"),
                ("07", "微博/短视频", "social media"), ("08", "上级派发", "assigned from above"),
                ("09", "信访/互联网+督查", "petition"), ("10", "人民网领导留言板", "message board"), ("11", "110", "110 police"),
                ("12", "其他紧急热线/公用事业", "other emergency line or utility"), ("13", "归并热线", "merged hotline"),
                ("14", "窗口(办不成事)", "counter"), ("15", "外市转入", "from another city"), ("19", "其他", "other"),
            ]),
        CodeList(
            "request_type", "诉求类型",
            [
                ("1", "咨询", "consultation"), ("2", "求助", "help"), ("3", "投诉", "complaint"), ("4", "举报", "report"),
                ("5", "建议", "suggestion"), ("6", "表扬", "praise"), ("9", "其他", "other"),
            ]),
        CodeList(
            "urgency", "紧急程度",
            [
                ("urgent", "突发", "urgent"), ("livelihood", "水电气热/极端天气", "livelihood"), ("normal", "一般", "normal"),
                ("complex", "疑难", "complex"),
            ]),
        CodeList(
            "acceptance", "受理结论",
            [
                ("accepted", "受理", "accepted"), ("not_accepted", "不予受理", "not accepted"),
                ("transferred_out", "转接", "transferred out"), ("answered", "直接答复", "answered directly"),
            ]),
        CodeList(
            "reporter_kind", "诉求人类型",
            [
                ("person", "自然人", "person"), ("company", "企业", "company"), ("sole_trader", "个体", "sole trader"),
                ("organization", "其他组织", "organization"), ("anonymous", "匿名", "anonymous"),
            ]),
        CodeList(
            "confidential", "保密标记",
            [
                ("none", "不保密", "none"), ("name_hidden", "隐名", "name hidden"),
                ("reporter_protected", "举报人保护", "reporter protected"),
            ]),
        CodeList(
            "assignment_role", "承办角色",
            [
                ("main", "主办", "main"), ("joint", "协办", "joint"), ("forward", "转办", "forward"),
                ("notice", "知会", "notice"),
            ]),
        CodeList(
            "limit_kind", "时限单位",
            [
                ("working_days", "工作日", "working days"), ("calendar_days", "自然日", "calendar days"),
                ("hours", "小时", "hours"),
            ]),
        CodeList(
            "due_at", "到期时刻", [("end_of_day", "当日24时", "end of day"), ("same_time_of_day", "同一时刻", "same time of day")]),
        CodeList(
            "day_kind", "日期类型",
            [
                ("holiday", "放假", "day off"), ("working", "上班", "worked weekend day"),
                ("special", "特殊日期", "special day that works as any"),
            ]),
        CodeList(
            "decision", "审批结论",
            [("approved", "同意", "approved"), ("rejected", "驳回", "rejected"), ("designated", "指定", "designated")]),
        CodeList(
            "return_reason", "退单原因",
            [
                ("not_our_duty", "非本单位职责", "not our duty"), ("wrong_region", "属地错误", "wrong region"),
                ("incomplete", "信息不全", "incomplete"), ("duplicate", "重复", "duplicate"),
                ("already_closed", "已办结", "already closed"), ("other", "其他", "other"),
            ]),
        CodeList(
            "reply_kind", "答复类型",
            [
                ("direct", "直接答复", "direct"), ("interim", "阶段答复", "interim"), ("final", "最终答复", "final"),
            ]),
        CodeList(
            "resolution", "解决情况",
            [
                ("resolved", "已解决", "resolved"), ("partly", "部分解决", "partly resolved"),
                ("unresolved", "未解决", "unresolved"), ("explained", "解释说明", "explained"),
            ]),
        CodeList(
            "supervision_level", "督办级别",
            [
                ("reminder", "系统提醒", "reminder"), ("yellow_card", "黄牌", "yellow card"), ("red_card", "红牌", "red card"),
                ("written", "书面", "written"), ("on_site", "现场", "on site"), ("listed", "挂牌", "listed"),
                ("interview", "约谈", "interview"), ("escalated", "提级", "escalated"),
            ]),
        CodeList(
            "supervision_trigger", "督办事由",
            [
                ("refused", "拒不接收", "refused"), ("overdue", "逾期", "overdue"),
                ("should_resolve", "应解决未解决", "should have been resolved"), ("poor", "办理不力", "poorly handled"),
                ("repeated", "多次集中反映", "reported repeatedly"), ("knowledge", "知识库不及时", "knowledge out of date"),
            ]),
        CodeList(
            "closure_kind", "办结方式",
            [
                ("closed", "办结", "closed"), ("direct", "直接办结", "closed directly"),
                ("explained", "解释办结", "closed by explanation"), ("terminated", "终止办理", "terminated"),
                ("withdrawn", "撤诉", "withdrawn"), ("merged", "并单办结", "closed by merging"),
                ("held", "挂账", "held"),
            ]),
        CodeList(
            "review", "审核结论", [("passed", "通过", "passed"), ("sent_back", "退回", "sent back")]),
        CodeList(
            "callback_method", "回访方式",
            [
                ("telephone", "电话", "telephone"), ("text_message", "短信", "text message"), ("wechat", "微信", "WeChat"),
                ("voice_robot", "智能语音", "voice robot"), ("web", "网络", "web"),
            ]),
        CodeList(
            "reached", "接通情况",
            [
                ("answered", "接通", "answered"), ("no_answer", "未接", "no answer"), ("refused", "拒访", "refused"),
                ("invalid_number", "空号", "invalid number"),
            ]),
        CodeList(
            "verdict_source", "评价来源",
            [
                ("person", "本人", "the person"), ("self_service", "自助评价", "the person, by self-service"),
                ("proxy", "代答", "somebody else"), ("default", "默认", "default"),
            ]),
        CodeList(
            "score", "满意度",
            [
                ("5", "非常满意", "very satisfied"), ("4", "满意", "satisfied"), ("3", "基本满意", "fairly satisfied"),
                ("2", "不满意", "dissatisfied"), ("1", "非常不满意", "very dissatisfied"),
            ]),
        CodeList(
            "evaluation_object", "评价对象", [("call", "话务", "the call"), ("handling", "办理", "the handling")]),
        CodeList(
            "ticket_action", "工单操作",
            [
                ("queue", "转入派单", "queue for dispatch"), ("apply_closure", "申请办结", "apply for closure"),
                ("enter_callback", "进入回访", "enter follow-up"), ("archive", "归档", "archive"),
                ("suspend", "暂停计时", "suspend"), ("resume", "恢复计时", "resume"), ("merge", "并单", "merge"),
                ("unmerge", "撤销并单", "undo the merge"), ("mark_repeat", "标记重复诉求", "mark as a repetition"),
                ("unmark_repeat", "撤销重复标记", "undo the mark"), ("set_confidential", "设置保密", "set confidentiality"),
                ("set_category", "更正问题分类", "correct the category"), ("set_phone", "更正联系电话", "correct the telephone"),
            ]),
        CodeList(
            "transfer_step", "流转步骤",
            [
                ("offer", "移交", "offer"), ("accept", "接收", "accept"), ("return", "退回", "return"),
                ("designate", "指定", "designate"),
            ]),
        CodeList(
            "transfer_kind", "流转类型",
            [
                ("province_to_city", "省转市", "province to city"), ("city_to_province", "市转省", "city to province"),
                ("city_to_city", "市转市", "city to city"), ("city_to_county", "市转县", "city to county"),
                ("county_to_city", "县转市", "county to city"), ("police_110", "110互转", "to or from 110"),
            ]),
        CodeList(
            "call_direction", "呼叫方向", [("inbound", "呼入", "inbound"), ("outbound", "呼出", "outbound")]),
        CodeList(
            "call_disposition", "话务结果",
            [
                ("connected", "接通", "connected"), ("abandoned", "放弃", "abandoned"), ("overflow", "溢出", "overflow"),
                ("transferred", "转接", "transferred"), ("called_back", "回拨", "called back"),
            ]),
        CodeList(
            "alert_level", "预警级别",
            [("blue", "蓝色", "blue"), ("yellow", "黄色", "yellow"), ("orange", "橙色", "orange"), ("red", "红色", "red")]),
        CodeList(
            "situation_kind", "应急情形",
            [
                ("emergency", "突发事件", "emergency"), ("concentrated", "集中反映", "concentrated reports"),
                ("special_date", "特殊日期", "special date"), ("trend", "舆情趋势", "trend of opinion"),
                ("sensitive", "敏感性诉求", "sensitive matter"),
            ]),
        CodeList(
            "alert_action", "预警处置",
            [
                ("acknowledge", "确认", "acknowledge"), ("open_situation", "启动情形", "open a situation"),
                ("dismiss", "解除", "dismiss"), ("close", "关闭", "close"),
            ]),
        CodeList(
            "situation_step", "情形步骤",
            [
                ("note", "记录", "note"), ("add_ticket", "纳入工单", "add a ticket"),
                ("remove_ticket", "移出工单", "remove a ticket"), ("notify", "通知", "notify"),
                ("acknowledge", "确认", "acknowledge"), ("escalate", "升级", "escalate"), ("answer", "公告或知识更新", "answer"),
                ("inform", "告知诉求人", "inform the reporter"), ("set_level", "调整级别", "set the level"),
                ("close", "关闭", "close"),
            ]),
        CodeList(
            "delivery_form", "反馈方式",
            [
                ("work_order", "工单", "work order"), ("outbound_call", "连线外呼", "outbound call"),
                ("warm_transfer", "一键转接", "warm transfer"),
            ]),
        CodeList(
            "measure_kind", "措施类型",
            [
                ("capability", "能力提升", "capability"), ("system", "系统优化", "system"),
                ("knowledge_update", "知识库完善", "knowledge update"),
            ]),
        CodeList(
            "measure_step", "措施步骤",
            [("propose", "提出", "propose"), ("complete", "完成", "complete"), ("evaluate", "效果评估", "evaluate")]),
        CodeList(
            "objection_step", "异议步骤",
            [("object", "提出异议", "object"), ("uphold", "成立", "uphold"), ("reject", "不成立", "reject")]),
        CodeList(
            "report_kind", "报告类型",
            [
                ("daily", "日报", "daily report"), ("weekly", "周报", "weekly report"),
                ("monthly", "月报", "monthly report"), ("special", "专报", "special report"),
            ]),
        CodeList(
            "report_edition", "报告版本",
            [("internal", "内部", "internal"), ("public", "向社会公开", "public")]),
        CodeList("removal_kind", "召回(删除)类型", [("delete", "删除", "delete"), ("recall", "召回", "recall")]),
        // The grounds of 个人信息保护法 article 47, and what else a provider takes back data for.
        CodeList(
            "removal_reason", "召回(删除)事由",
            [
                ("purpose_achieved", "处理目的已实现或不再必要", "purpose achieved"),
                ("retention_expired", "保存期限届满", "retention expired"),
                ("consent_withdrawn", "个人撤回同意", "consent withdrawn"),
                ("subject_request", "个人请求删除", "request of the person"), ("unlawful", "违法违规或违约处理", "unlawful"),
                ("confidential", "涉密或需保密", "confidential"), ("shared_by_mistake", "误提供", "shared by mistake"),
                ("other", "其他", "other"),
            ]),
    ]

    fileprivate init(_ name: String, _ title: String, _ entries: [(String, String, String)]) {
        self.init(name: name, title: title, entries: entries.map { Entry(code: $0.0, title: $0.1, english: $0.2) })
    }
}
