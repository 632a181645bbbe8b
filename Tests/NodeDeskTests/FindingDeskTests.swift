import Detection
import FederationModel
import NodeDesk
import TestSupport
import Testing

@Suite struct `Findings at the desk` {
    @Test func `tell of a late dispatch and of a ticket that is passed around (7.1.1b)`() async throws {
        let node = try TestNode()
        let late = try await node.addTicket(["urgency": "urgent"])
        node.clock.pass(95 * 60_000)
        try await node.record("dispatch", of: late.id, ["assignee_unit": "市住建局", "due_datetime": "2025-10-14"])
        let passed = try await node.addTicket()
        for unit in ["住建", "城管", "街道"] {
            node.clock.pass(60_000)
            try await node.record("dispatch", of: passed.id, ["assignee_unit": unit, "due_datetime": "2025-10-14"])
            node.clock.pass(60_000)
            try await node.record("return", of: passed.id, ["unit": unit, "reason": "not_our_duty"])
            node.clock.pass(60_000)
            try await node.record("decide-return", of: passed.id, ["decision": "approved"])
        }
        let findings = try await node.desk.detectFindings(period: "2025-09").map(\.description)
        #expect(findings.contains("LATE_DISPATCH \(late.id) 35min"), "\(findings)")
        #expect(findings.contains("SHIRK \(passed.id) 3 returns, 3 units"), "\(findings)")
        let kept = try await node.desk.findings().count
        _ = try await node.desk.detectFindings(period: "2025-09")
        #expect(try await node.desk.findings().count == kept, "looking twice changes nothing")
        #expect(try await node.desk.findings(code: "SHIRK").map(\.subject) == [passed.id])
    }

    @Test func `become measures with an owner and a day, whose effect is measured in a later month (7.1.1c-1)`()
        async throws
    {
        let node = try TestNode()
        func ask(_ count: Int) async throws {
            for _ in 0..<count {
                let ticket = try await node.addTicket(["request_type": "1", "service_code": "03.01.01"])
                node.clock.pass(60_000)
                try await node.record(
                    "dispatch", of: ticket.id, ["assignee_unit": "市公积金中心", "due_datetime": "2025-10-14"])
            }
        }
        try await ask(22)
        _ = try await node.desk.detectFindings(period: "2025-09")
        let gap = try #require(try await node.desk.findings(code: "KB_GAP").first)
        #expect(gap.subject == "03.01.01" && gap.tickets == 22 && gap.state.status == .open)
        #expect(
            await code { try await node.desk.measure(finding: gap.id, MeasureDraft(.complete)) } == "E_FINDING_STATE")
        let due = node.clock.now + 7 * ShanghaiTime.day
        let measured = try await node.desk.measure(
            finding: gap.id, MeasureDraft(.propose(owner: "知识库科", due: due)))
        #expect(measured.measures.last?.kind == "knowledge_update" && measured.state.owner == "知识库科")
        #expect(!measured.isOverdue)
        node.clock.pass(8 * ShanghaiTime.day)
        #expect(try await node.desk.findings(code: "KB_GAP").first?.isOverdue == true)

        var article = KnowledgeText(question: "公积金怎么提取", answer: "登录网厅办理")
        article.category = "03.01.01"
        let published = try await node.desk.publish(article)
        #expect(try await node.desk.articles(matching: "公积金", includesPast: false).map(\.key) == [published.key])
        #expect(
            await code { try await node.desk.measure(finding: gap.id, MeasureDraft(.complete, article: "none")) }
                == "E_KNOWLEDGE_UNKNOWN")
        _ = try await node.desk.measure(finding: gap.id, MeasureDraft(.complete, article: published.key))
        #expect(try await node.desk.uses(ofArticle: published.key).findings == [gap.id])
        try await ask(3)
        try node.clock.set("2025-11-03T09:00:00+08:00")
        let effect = try await node.desk.measure(finding: gap.id, MeasureDraft(.evaluate(period: "2025-10")))
        #expect(effect.state.status == .evaluated && effect.measures.last?.note == "22 → 3 (2025-10)")
        #expect(
            await code { try await node.desk.measure(finding: "x", MeasureDraft(.complete)) } == "E_FINDING_UNKNOWN")
    }

    @Test func `of single tickets are measured by all tickets of the same kind and unit`() async throws {
        let node = try TestNode()
        func lateTickets(_ count: Int, of unit: String) async throws {
            for _ in 0..<count {
                let ticket = try await node.addTicket()
                try await node.record(
                    "dispatch", of: ticket.id,
                    ["assignee_unit": unit, "due_datetime": ShanghaiTime.rfc3339(node.clock.now + 3_600_000)])
            }
        }
        try node.clock.set("2025-09-02T09:00:00+08:00")
        try await lateTickets(3, of: "市城管局")
        try await lateTickets(2, of: "市住建局")
        try node.clock.set("2025-10-02T09:00:00+08:00")
        try await lateTickets(1, of: "市城管局")
        try node.clock.set("2025-11-03T09:00:00+08:00")
        _ = try await node.desk.detectFindings(period: "2025-09")
        let late = try #require(try await node.desk.findings(code: "OVERDUE").first { $0.unit == "市城管局" })
        #expect(late.tickets == 1)
        _ = try await node.desk.measure(
            finding: late.id, MeasureDraft(.propose(owner: "督查科", due: node.clock.now)))
        node.clock.pass(60_000)
        _ = try await node.desk.measure(finding: late.id, MeasureDraft(.complete))
        node.clock.pass(60_000)
        let effect = try await node.desk.measure(finding: late.id, MeasureDraft(.evaluate(period: "2025-10")))
        #expect(effect.measures.last?.note == "3 → 1 (2025-10)")
    }

    @Test func `name a topic that several units handle together: roads, areas, effects, causes and the task (7.2.3-3)`()
        async throws
    {
        let node = try TestNode()
        for index in 0..<30 {
            let road = index < 12 ? "解放东路" : "泉城路"
            let text = "\(road)违停" + (index < 9 ? ",占用消防通道" : "") + (index < 7 ? ",小区停车位不足" : "")
            _ = try await node.addTicket([
                "service_code": "05.02.01", "title": text, "region_code": index < 18 ? "370102" : "370103",
            ])
        }
        let report = try await node.desk.jointTopic(.parking, period: "2025-09", roads: ["解放东路", "泉城路"])
        func words(_ counts: [TopicTable.Count]) -> [String] { counts.map { "\($0.value)(\($0.tickets))" } }
        #expect(words(report.table.roads) == ["泉城路(18)", "解放东路(12)"])
        #expect(words(report.table.regions) == ["370102(18)", "370103(12)"])
        #expect(words(report.table.effects) == ["占用消防通道(9)"] && words(report.table.causes) == ["停车位不足(7)"])
        let task = try await node.desk.openJointTask(.parking, period: "2025-09", due: node.clock.now + 1)
        #expect(task.state.owner == "交警(主办)、城管、街道(协办)" && task.tickets == 30 && task.code == "JOINT_TOPIC")
    }

    @Test func `hold tickets about water against planned outages: 80 of 100 are explained (7.2.3-2)`() async throws {
        let node = try TestNode()
        #expect(
            await code { try await node.desk.theme(UtilityTheme.all[0], period: "2025-09", dataset: "planned_outage") }
                == "E_TOPIC_DATASET")
        try node.write(
            """
            dataset: planned_outage
            version: 1
            title: 停水停电计划
            provider: 供水集团
            key: plan_id
            time: begins_at
            until: ends_at
            region: region_code
            columns:
              - {name: plan_id, title: 计划编号, heading: 计划编号}
              - {name: kind, title: 停供类型, heading: 停供类型, required: true, codes: {water: 停水, power: 停电}}
              - {name: begins_at, title: 开始时间, type: time, heading: 开始时间}
              - {name: ends_at, title: 恢复时间, type: time, heading: 恢复时间}
              - {name: region_code, title: 地区, heading: 地区}
              - {name: area, title: 影响范围, heading: 影响范围}

            """, to: "outage.yaml")
        _ = try await node.desk.registerDataset(path: node.path("outage.yaml"))
        try node.write(
            "计划编号,停供类型,开始时间,恢复时间,地区,影响范围\nP1,停水,2025-09-30 08:00:00,2025-09-30 12:00:00,370102,\n", to: "outages.csv")
        let imported = try await node.desk.importFile(
            ImportRequest(path: node.path("outages.csv"), mappingPath: nil, resource: "planned_outage")
        ).report
        #expect(imported.counts.accepted == 1)
        for index in 0..<100 {
            _ = try await node.addTicket([
                "service_code": "03.03.01", "title": "停水", "region_code": index < 80 ? "370102" : "370103",
            ])
        }
        let report = try await node.desk.theme(UtilityTheme.all[0], period: "2025-09", dataset: "planned_outage")
        #expect(report.tickets == 100 && report.explainedPercent == 80 && report.unexplained.count == 20)
        #expect(report.theme.supplier == "供水集团" && report.explained.values.map { $0 } == [80])
    }
}
