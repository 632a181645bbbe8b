import ConfigurationFiles
import FederationModel
import Foundation
import TestSupport
import Testing

private func day(_ text: String) throws -> Int64 { try #require(CivilDate.dayNumber(text)) }

private func shipped() throws -> ReferenceData { try ReferenceFile.read(text: ReferenceFile.shipped, file: "shipped") }

private let province = NodeID("370000")
private let jinan = NodeID("370100")

@Suite struct `The reference data that are shipped` {
    @Test func `have the counties of Shandong, those of today and those of then`() throws {
        let regions = try shipped().regions
        func count(_ level: Int, on date: String) throws -> Int {
            let day = try day(date)
            return regions.entries.count { $0.isValid(on: day) && regions.path(to: $0.code).count == level }
        }
        #expect(try count(2, on: "2026-06-30") == 16)
        #expect(try count(3, on: "2026-06-30") == 136)
        #expect(try count(2, on: "2018-06-30") == 17)
        #expect(regions.path(to: "370102").map(\.title) == ["山东省", "济南市", "历下区"])
    }

    @Test func `roll Laiwu up to Jinan since 2019, and not before`() throws {
        let regions = try shipped().regions
        for (old, new) in [("371202", "370116"), ("371203", "370117"), ("371200", "370100")] {
            #expect(regions.rolledUp(old, on: try day("2019-01-01")) == new)
            #expect(regions.rolledUp(old, on: try day("2018-12-31")) == old)
        }
        #expect(regions.rolledUp("370102", on: try day("2026-01-01")) == "370102")
        #expect(regions.rolledUp("110101", on: try day("2026-01-01")) == "110101")
        // The county that changed its name kept its code.
        #expect(regions.title(of: "371324", on: try day("2013-12-31")) == "苍山县")
        #expect(regions.title(of: "371324") == "兰陵县")
        #expect(regions.rolledUp("371324", on: try day("2026-01-01")) == "371324")
    }

    @Test(arguments: [(2024, 251), (2025, 248), (2026, 248)])
    func `have as many working days as the year has`(year: Int, count: Int) throws {
        let calendar = try shipped().calendar
        let (first, last) = (try day("\(year)-01-01"), try day("\(year)-12-31"))
        #expect((first...last).count { calendar.isWorkingDay($0) } == count)
        #expect(calendar.years == [2024, 2025, 2026])
    }

    @Test func `give the limits of list C, and Shandong's for ordinary requests`() throws {
        let data = try shipped()
        func limits(_ urgency: String, type: String = "2", node: String = "370100") throws -> TicketLimits {
            data.limits.limits(
                for: LimitQuestion(
                    requestType: type, urgency: urgency, category: "03.02.01", node: try #require(NodeID(node))))
        }
        #expect(try limits("urgent").dispatch == TimeLimit(1, .hours))
        #expect(try limits("urgent").handling == TimeLimit(2, .hours))
        #expect(try limits("livelihood").dispatch == TimeLimit(2, .hours))
        #expect(try limits("livelihood").handling == TimeLimit(24, .hours))
        #expect(try limits("normal", node: "110000").dispatch == TimeLimit(24, .hours))
        #expect(try limits("normal", node: "110000").handling == TimeLimit(7, .calendarDays))
        #expect(try limits("complex").handling == TimeLimit(15, .calendarDays))
        #expect(try limits("normal").handling == TimeLimit(5, .workingDays))
        #expect(try limits("normal").returning == TimeLimit(2, .workingDays))
        #expect(try limits("normal").extensionTotal == TimeLimit(10, .workingDays))
        #expect(try limits("normal", type: "3", node: "370000").handling == TimeLimit(15, .workingDays))
        #expect(try limits("normal", type: "3", node: "370000").extensionTotal == TimeLimit(7, .workingDays))
        #expect(try limits("normal", type: "3").handling == TimeLimit(5, .workingDays))
        #expect(try limits("normal").rules == ["山东省一般诉求", "一般规定"])
    }

    @Test func `make the worked example of ground rule 10 come out`() throws {
        let data = try shipped()
        let limits = data.limits.limits(
            for: LimitQuestion(requestType: "2", urgency: "normal", category: nil, node: try #require(jinan)))
        let start = try #require(ShanghaiTime.parse("2025-09-30T10:00:00+08:00"))
        let due = try #require(limits.handling).due(start: start, counting: limits.counting, calendar: data.calendar)
        #expect(ShanghaiTime.rfc3339(due) == "2025-10-14T23:59:59.999+08:00")
        let latest = try #require(limits.latestExtension(ofDue: due, calendar: data.calendar))
        #expect(ShanghaiTime.minute(latest) == "2025-10-28 23:59")
    }

    @Test func `give the rules by which tickets are folded`() throws {
        let rules = LifecycleRules(try shipped(), top: try #require(province), hierarchy: .none)
        #expect(rules.calendar == (try shipped().calendar))
        #expect(rules.returnWorkingDays == 2 && rules.extensionsMax == 2 && rules.suspensionStopsClock)
    }

    @Test func `have service codes of three levels, each below the one above`() throws {
        let services = try shipped().services
        #expect(services.path(to: "03.02.01").map(\.title) == ["城乡建设", "供热", "温度不达标"])
        for entry in services.entries {
            #expect(services.path(to: entry.code).count == entry.code.split(separator: ".").count, "\(entry.code)")
        }
    }

    @Test func `keep the codes that the program needs, and add to them`() throws {
        let lists = try shipped().lists
        for axis in [ReferenceData.functionList, ReferenceData.domainList] {
            let entries = try #require(lists.named(axis)).entries
            let categories = try entries.filter { try shipped().services.contains($0.code) }
            #expect(!categories.isEmpty && categories.allSatisfy { $0.parent != nil }, "\(axis)")
        }
        for list in CodeLists.builtIn.all {
            let codes = try #require(lists.named(list.name))
            for entry in list.entries { #expect(codes.contains(entry.code)) }
        }
        #expect(lists.named("non_acceptance_reason")?.title(of: "petition") == "信访")
    }

    @Test func `are the same after they were rows`() throws {
        let data = try shipped()
        #expect(ReferenceData(rows: data.records.reversed()) == data)
        for record in data.records {
            let resource = try #require(BuiltInResources.named(record.resource))
            #expect(resource.isReference && record.violation(in: resource) == nil, "\(record.key)")
        }
        #expect(Set(data.records.map { "\($0.resource) \($0.key)" }).count == data.records.count)
    }

    @Test func `say of a unit which node it belongs to, also after they were rows`() throws {
        let data = try ReferenceFile.read(
            text: """
                version: 1
                title: t
                lists:
                  - name: unit
                    title: 承办单位
                    codes:
                      - {code: U1, title: 市住建局, node: "370100"}
                      - {code: U1.1, title: 市热力办, parent: U1}
                """, file: "reference.yaml")
        #expect(data.lists.named("unit")?.entries.map(\.node) == ["370100", nil])
        #expect(ReferenceData(rows: data.records) == data)
    }

    @Test func `of a release of which a row is missing leave the earlier one in force`() throws {
        let first = try shipped()
        let second = try ReferenceFile.read(
            text: ReferenceFile.shipped.replacing("version: 1\n", with: "version: 2\n"), file: "second")
        #expect(ReferenceData(rows: first.records + second.records)?.version == 2)
        #expect(ReferenceData(rows: first.records + second.records.dropFirst())?.version == 1)
        #expect(ReferenceData(rows: second.records.dropFirst().map { $0 }) == nil)
    }
}

@Suite struct `A reference file` {
    private func problems(_ text: String) -> [FileProblem] {
        do {
            _ = try ReferenceFile.read(text: "version: 1\ntitle: 测试\n" + text, file: "x.yaml")
            return []
        } catch {
            return error.problems
        }
    }

    @Test func `may add a code to a list of the program and name another anew`() throws {
        let data = try ReferenceFile.read(
            text: """
                version: 3
                title: 测试
                lists:
                  - name: channel
                    title: 受理渠道
                    codes:
                      - {code: "20", title: 机器人}
                      - {code: "01", title: 热线电话, english: hotline}
                """, file: "x.yaml")
        let channel = try #require(data.lists.named("channel"))
        #expect(channel.title(of: "20") == "机器人" && channel.title(of: "01") == "热线电话")
        #expect(channel.title(of: "02") == "微信/小程序")
        let column = try #require(BuiltInResources.serviceRequest.column(named: "channel"))
        #expect(column.violation(of: .text("20"))?.code == RowRejection.Rule.notInCodeList.rawValue)
        #expect(column.violation(of: .text("20"), lists: data.lists) == nil)
        #expect(column.violation(of: .text("21"), lists: data.lists)?.code == RowRejection.Rule.notInCodeList.rawValue)
    }

    @Test(
        arguments: [
            ("holidys: []", "E_REFERENCE_UNKNOWN_KEY", 3),
            ("calendar:\n  - {year: 2025, holidays: [], working: [\"2025-09-30\"]}", "E_REFERENCE_NOT_WEEKEND", 4),
            ("calendar:\n  - {year: 2025, holidays: [], working: [\"2025-13-30\"]}", "E_REFERENCE_BAD_DAY", 4),
            ("calendar:\n  - {year: 2025, holidays: []}", "E_REFERENCE_MISSING_KEY", 4),
            (
                "calendar:\n  - {year: 2025, holidays: [], working: [], special: [{title: a, from: \"2025-06-07\"}]}",
                "E_REFERENCE_MISSING_KEY", 4
            ),
            (
                "calendar:\n  - {year: 2025, holidays: [{title: a, from: \"2025-02-01\", to: \"2025-01-01\"}], working: []}",
                "E_REFERENCE_BAD_DAY", 4
            ),
            ("limits:\n  - {title: a, handling: 5 days}", "E_REFERENCE_BAD_LIMIT", 4),
            ("limits:\n  - {title: a, urgency: urgnt}", "E_REFERENCE_UNKNOWN_CODE", 4),
            ("limits:\n  - {title: a, after_hours: \"17:30-08:30\"}", "E_REFERENCE_BAD_HOURS", 4),
            ("limits:\n  - {title: a, due_at: noon}", "E_REFERENCE_UNKNOWN_WORD", 4),
            ("limits:\n  - {title: a, extension_times: -1}", "E_REFERENCE_BAD_NUMBER", 4),
            ("regions:\n  - {code: \"37\", title: a}", "E_REFERENCE_BAD_CODE", 4),
            (
                "regions:\n  - {code: \"371202\", title: a, valid_to: \"2018-12-31\", successor: \"370116\"}",
                "E_REFERENCE_UNKNOWN_CODE", 4
            ),
            (
                "regions:\n  - {code: \"370000\", title: a}\n  - {code: \"370000\", title: b}",
                "E_REFERENCE_DUPLICATE_CODE", 5
            ),
            (
                "lists:\n  - name: x\n    title: x\n    codes:\n      - {code: a, title: a, parent: b}\n      - {code: b, title: b, parent: a}",
                "E_REFERENCE_CYCLE", 7
            ),
            ("lists:\n  - {name: region, title: x, codes: []}", "E_REFERENCE_BAD_LIST_NAME", 4),
            (
                "lists:\n  - name: unit\n    title: x\n    codes:\n      - {code: a, title: a, node: 济南}",
                "E_REFERENCE_BAD_CODE", 7
            ),
            // Units alone belong to nodes.
            (
                "lists:\n  - name: x\n    title: x\n    codes:\n      - {code: a, title: a, node: \"370100\"}",
                "E_REFERENCE_UNKNOWN_KEY", 7
            ),
        ])
    func `is refused with code and line`(text: String, code: String, line: Int) {
        let found = problems(text)
        #expect(found.contains { $0.code == code && $0.line == line }, "\(found)")
        #expect(found.allSatisfy { !$0.hint.isEmpty })
    }

    @Test func `proposes the key that was meant`() {
        #expect(problems("limts: []").first?.hint.contains("`limits`") == true)
    }

    @Test func `that is damaged is refused or read, never more`() {
        var random = SplitMix64(seed: 7)
        let bytes = Array(ReferenceFile.shipped.utf8)
        for _ in 0..<60 {
            var damaged = bytes
            for _ in 0..<Int.random(in: 1...20, using: &random) {
                damaged[Int.random(in: bytes.indices, using: &random)] = UInt8.random(in: 0...127, using: &random)
            }
            _ = try? ReferenceFile.read(text: String(decoding: damaged, as: UTF8.self), file: "x.yaml")
        }
        #expect(problems("a: [").first?.code == "E_REFERENCE_SYNTAX")
    }

    @Test func `that is missing, too large or no text says so`() throws {
        func code(_ path: String) -> String? {
            do {
                _ = try ReferenceFile.read(path: path)
                return nil
            } catch {
                return error.problems.first?.code
            }
        }
        #expect(code("/nowhere/x.yaml") == "E_REFERENCE_UNREADABLE")
        let folder = try TemporaryFolder("reference")
        let path = folder.url.appending(path: "x.yaml")
        try Data([0xff, 0xfe, 0x00]).write(to: path)
        #expect(code(path.path) == "E_REFERENCE_NOT_UTF8")
        try Data(repeating: 0x23, count: ReferenceFile.bytesMax + 1).write(to: path)
        #expect(code(path.path) == "E_REFERENCE_TOO_LARGE")
    }
}

@Suite struct `The rules of time limits` {
    private func question(_ category: String?, node: String = "370102") throws -> LimitQuestion {
        LimitQuestion(requestType: "3", urgency: "normal", category: category, node: try #require(NodeID(node)))
    }

    private func rule(_ title: String, _ set: (inout LimitRule) -> Void) -> LimitRule {
        var rule = LimitRule()
        rule.title = title
        set(&rule)
        return rule
    }

    @Test func `take each value from the most specific rule that states it`() throws {
        let rules = [
            rule("all") { ($0.handling, $0.accept) = (TimeLimit(5, .workingDays), TimeLimit(1, .workingDays)) },
            rule("province") { ($0.region, $0.handling) = ("370000", TimeLimit(6, .workingDays)) },
            rule("city") { ($0.region, $0.handling) = ("370100", TimeLimit(7, .workingDays)) },
            rule("heating") { ($0.region, $0.category, $0.handling) = ("370100", "03.02", TimeLimit(8, .hours)) },
            rule("radiators") { ($0.region, $0.category, $0.handling) = ("370100", "03.02.01", TimeLimit(9, .hours)) },
            rule("twin") { ($0.region, $0.category, $0.handling) = ("370100", "03.02.01", TimeLimit(10, .hours)) },
        ]
        for table in [LimitRules(rules), LimitRules(Array(rules.prefix(5)) + [rules[5]])] {
            let limits = table.limits(for: try question("03.02.01"))
            #expect(limits.handling == TimeLimit(9, .hours) && limits.accept == TimeLimit(1, .workingDays))
            #expect(limits.rules == ["radiators", "twin", "heating", "city", "province", "all"])
            #expect(table.limits(for: try question("03.02.02")).rules.first == "heating")
            #expect(table.limits(for: try question("03.021")).rules.first == "city")
            #expect(table.limits(for: try question(nil, node: "370200")).rules == ["province", "all"])
            #expect(table.limits(for: try question(nil, node: "110000")).rules == ["all"])
        }
        #expect(LimitRules([]).limits(for: try question(nil)).handling == nil)
    }
}
