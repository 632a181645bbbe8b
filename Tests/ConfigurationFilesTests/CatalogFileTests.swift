import ConfigurationFiles
import FederationModel
import Foundation
import TestSupport
import Testing

private func base() throws -> Catalog {
    Catalog.builtIn(
        of: TopologyNode(
            id: try #require(NodeID("370100")), name: "济南市", parent: NodeID("370000"), region: "370100", endpoint: nil))
}

private func read(_ text: String) throws -> Catalog {
    try CatalogFile.read(text: text, file: "catalog.yaml", base: try base())
}

/// Each problem as `LINE CODE`, without the part of the code that they all have.
private func problems(_ text: String) throws -> [String] {
    do {
        _ = try read(text)
        return []
    } catch let problems as FileProblems {
        return problems.problems.map { "\($0.line) \($0.code.dropFirst("E_CATALOG_".count))" }
    }
}

@Suite struct `A catalog file` {
    @Test func `that init makes changes nothing`() throws {
        #expect(try read(CatalogFile.empty) == (try base()))
    }

    @Test func `that is shipped as an example can be used`() throws {
        let path = repositoryRoot.appending(path: "catalog/example.yaml").path
        let catalog = try CatalogFile.read(path: path, base: try base())
        #expect(catalog.entry("recording") == nil && catalog.entry("power_cut") != nil)
        #expect(catalog.entry("call_record")?.approvals.count == 1)
    }

    @Test func `changes terms, takes entries out, and adds items, approvals and external data`() throws {
        let catalog = try read(
            """
            provider: 济南市12345热线
            steward: 济南市大数据局
            entries:
              - resource: recording
                catalogued: false
              - resource: call_record
                sharing: 不予共享
                condition: 个人信息保护法第十三条
              - resource: service_request
                code: "307001/100001"
                sharing: 有条件共享
                condition: 按用途审批
                cycle: 每日
                published: "2025-09-30"
                related: ["307001/000002"]
                retention: 五年
                items:
                  - {name: ext.is_night_noise, title: 夜间噪声, type: BOOLEAN, level: 1}
                approvals:
                  - {consumer: "370000", purpose: 全省分析, approved_by: 市大数据局, until: "2026-12-31"}
              - resource: power_cut
                external: true
                title: 停电计划
                code: "207001/000001"
                format: 电子表格
                way: 邮件
                cycle: 每周
                items:
                  - {name: area, title: 停电区域, type: text, level: 1}
            """)
        #expect(catalog.entry("recording") == nil)
        #expect(catalog.entry("call_record")?.sharing == SharingType.none)
        let request = try #require(catalog.entry("service_request"))
        #expect(request.provider == "济南市12345热线" && request.steward == "济南市大数据局")
        #expect(request.code == "307001/100001" && request.cycle == .daily && request.retention == "五年")
        #expect(request.published == CivilDate.dayNumber("2025-09-30"))
        #expect(request.items.last?.name == "ext.is_night_noise" && request.items.last?.type == .boolean)
        #expect(request.approvals.map(\.consumer.code) == ["370000"])
        let external = try #require(catalog.entry("power_cut"))
        #expect(external.isExternal && external.format == .spreadsheet && external.items.map(\.name) == ["area"])
        #expect(catalog.entries.count == (try base()).entries.count)
    }

    @Test func `is refused with the line of each problem`() throws {
        let text = """
            entries:
              - resource: recordin
              - resource: reply
                sharing: 有条件分享
                cycle: 天天
              - resource: reply
              - resource: closure
                code: "3070/01"
                level: 2
              - resource: callback
                format: 纸质
              - resource: handling
                sharing: 不予共享
                openness: 无条件开放
              - resource: evaluation
                title: 答复
              - resource: supervision
                published: 昨天
                approvals:
                  - {consumer: 济南, purpose: x, approved_by: y, until: "2026-12-31"}
                items:
                  - {name: due, title: x, type: text}
                  - {name: ext.a, title: x, type: number, level: 9}
            """
        #expect(
            try problems(text) == [
                "2 UNKNOWN_RESOURCE", "4 UNKNOWN_WORD", "5 UNKNOWN_WORD", "6 DUPLICATE_ENTRY", "8 BAD_CODE",
                "9 UNKNOWN_KEY", "11 FORMAT_AND_WAY", "13 MISSING_CONDITION", "13 OPEN_BUT_NOT_SHARED",
                "15 DUPLICATE_NAME", "18 BAD_DAY", "20 BAD_CONSUMER", "22 BAD_ITEM", "23 BAD_LEVEL", "23 UNKNOWN_WORD",
            ])
    }

    @Test func `is mended by what the hints say`() throws {
        func hint(_ text: String) throws -> String {
            do {
                _ = try read(text)
                return ""
            } catch let problems as FileProblems {
                return problems.problems[0].hint
            }
        }
        #expect(try hint("entries: [{resource: recordin}]").contains("`recording`"))
        #expect(try hint("entries: [{resource: reply, sharing: 有条件分享}]").contains("`有条件共享`"))
        #expect(try hint("entries: [{resource: reply, cylce: 每日}]").contains("`cycle`"))
        #expect(try hint("entries: [{resource: reply, format: 纸质}]").contains("介质交换"))
    }

    @Test(arguments: [
        ("", "SYNTAX"), ("- a", "NOT_A_MAPPING"), ("entries: 5", "WRONG_TYPE"), ("entries: [5]", "NOT_A_MAPPING"),
        ("entries: []\nentries: []", "DUPLICATE_KEY"), ("provider: x", "MISSING_KEY"), ("entries: [{}]", "MISSING_KEY"),
        ("entries: [&a {resource: *a}]", "ALIAS"), ("entries: [{resource: [a]}]", "WRONG_TYPE"),
        ("entries: [{resource: reply, catalogued: perhaps}]", "UNKNOWN_WORD"),
        ("entries: [{resource: X-1, external: true, title: a, code: \"307001/000099\"}]", "UNKNOWN_RESOURCE"),
        ("entries: [{resource: power_cut, external: true}]", "MISSING_KEY"),
        ("entries: [{resource: reply, title: \"\"}]", "BAD_NAME"),
        ("entries: [{resource: reply, code: \"307001/000001\"}]", "DUPLICATE_CODE"),
        (
            "entries: [{resource: reply, items: [{name: ext.a, title: x, type: text}, {name: ext.a, title: x, type: text}]}]",
            "DUPLICATE_ITEM"
        ),
        (
            "entries: [{resource: reply, approvals: [{consumer: \"370000\", purpose: a, approved_by: b, until: \"2026-12-31\"}]}]",
            "NEEDLESS_APPROVAL"
        ),
        (
            "entries: [{resource: reply, sharing: 有条件共享, condition: x, approvals: [{consumer: \"370000\"}]}]",
            "MISSING_KEY"
        ),
    ])
    func `that is hostile or careless is refused, not followed`(text: String, code: String) throws {
        let found = try problems(text)
        #expect(found.contains { $0.hasSuffix(" \(code)") }, "\(found)")
    }
}
