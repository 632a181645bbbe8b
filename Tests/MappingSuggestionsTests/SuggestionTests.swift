import ConfigurationFiles
import FederationModel
import Foundation
import MappingSuggestions
import RecordIntake
import TestSupport
import Testing

@Suite struct `A suggested mapping` {
    private func suggestion(
        _ text: String, resource: ResourceName = "service_request"
    ) throws -> (text: String, mapping: Mapping, rows: [IntakeRow], decisions: [String]) {
        try withFile(text) { path in
            let suggestion = try MappingSuggestion(path: path, resource: resource)
            let mapping = try Mapping.parse(suggestion.yaml, path: "suggested.yaml")
            let origin = try #require(NodeID("370100"))
            let importer = try Importer(mapping: mapping, origin: origin, path: path)
            var rows: [IntakeRow] = []
            while let row = try importer.next() { rows.append(row) }
            return (suggestion.yaml, mapping, rows, suggestion.decisions)
        }
    }

    private static let chinese = """
        工单编号,来电时间,来电号码,诉求类型,受理渠道,一级分类,二级分类,诉求标题,诉求内容,事发地址,承办单位,派单时间,办理时限,签收时间,办理情况,答复内容,答复时间,办结时间,回访时间,满意度,是否解决,是否保密,所属片区
        202501010001,2025年1月1日 9时05分,18000001234,投诉,12345电话,城乡建设,供热,暖气不热,"只有14度",解放东路1号,市住建局,2025-01-01 09:30:00,2025-01-08,2025-01-01 10:00:00,已上门,已处理,2025-01-02 10:00:00,2025-01-02 11:00:00,2025-01-03 09:00:00,满意,已解决,否,东片
        202501010002,2025年1月1日 19时15分,18000001235,咨询,微信小程序,劳动,社保,社保,如何转移,经十路2号,市人社局,,2025-01-08,,,,,,,未评,,是,西片

        """

    @Test func `of a Chinese export has all its stages, times and codes`() throws {
        let made = try suggestion(Self.chinese)
        let first = try made.rows[0].result.get().records
        #expect(
            first.map(\.resource) == [
                "service_request", "assignment", "acknowledgement", "handling", "reply", "closure", "callback",
                "evaluation",
            ])
        #expect(first[0].key == "370100-202501010001")
        let ticket = first[0].fields
        #expect(ticket["requested_datetime"] == .integer(1_735_693_500_000))
        #expect(ticket["channel"] == .text("01"))
        #expect(ticket["request_type"] == .text("3"))
        #expect(ticket["service_name"] == .text("城乡建设/供热"))
        #expect(ticket["reporter_phone"] == .text("18000001234"))
        #expect(ticket["confidential"] == .text("none"))
        #expect(ticket["ext"]?.text?.contains("东片") == true)
        #expect(first[1].fields["assignee_unit"] == .text("市住建局"))
        #expect(first[7].fields["score5"] == .text("4"))
        // A ticket under way: nothing of it is refused, and what has not happened makes no record.
        let second = try made.rows[1].result.get().records
        #expect(second.map(\.resource) == ["service_request", "assignment"])
        #expect(second[0].fields["channel"] == .text("02"))
        #expect(second[0].fields["confidential"] == .text("name_hidden"))
        #expect(second[1].fields["occurred_at"] == second[0].fields["requested_datetime"])
    }

    @Test func `asks a person where day and month could be either`() throws {
        let unsure = try suggestion("id,opened\n1,4/5/2025 7:33\n2,4/6/2025 8:00\n")
        #expect(unsure.decisions.contains { $0.contains("in another order") })
        // 24 January 2005, or 5 January 2024.
        let short = try suggestion("id,opened\n1,24/01/05 7:33\n2,24/01/06 8:00\n")
        #expect(short.decisions.contains { $0.contains("in another order") })
        #expect(try suggestion("id,opened\n1,24/1/5 7:33\n2,24/1/16 8:00\n").text.contains("yy/M/d H:mm"))
        #expect(try suggestion("id,opened\n1,2024-1-5 7:3:9\n2,2024-1-16 18:10:10\n").text.contains("yyyy-M-d H:m:s"))
        #expect(try suggestion("id,opened\n1,\"Jan 5, 2024 7:33 AM\"\n").text.contains("MMM d, yyyy h:mm a"))
        let american = try suggestion("id,opened\n1,4/5/2025 7:33\n2,4/16/2025 8:00\n")
        #expect(!american.decisions.contains { $0.contains("in another order") })
        let european = try suggestion("id,opened\n1,4/5/2025 7:33\n2,16/4/2025 8:00\n")
        #expect(european.text.contains("d/M/yyyy H:mm"))
    }

    @Test func `takes whole columns for what their values are, whatever their names`() throws {
        let made = try suggestion(
            """
            a,b,c,d
            x1,2025-03-01T10:00:00Z,13900001234,投诉
            x2,2025-03-02T10:00:00Z,13900001234,咨询
            """)
        #expect(
            made.mapping.sources.filter { $0.value.count == 1 && "abcd".contains($0.value[0]) } == [
                "service_request.service_request_id": ["a"], "service_request.source_request_id": ["a"],
                "service_request.requested_datetime": ["b"], "service_request.reporter_phone": ["c"],
                "service_request.request_type": ["d"],
            ])
        #expect(made.rows.allSatisfy { (try? $0.result.get()) != nil })
    }

    @Test func `joins columns for the key when no column tells rows apart`() throws {
        let made = try suggestion("created,counter,what\n2025-01-01 10:00:00,A1,x\n2025-01-01 10:00:00,B2,x\n")
        #expect(made.mapping.key.map(\.name) == ["counter"] || made.mapping.key.count > 1)
        let keys = try made.rows.map { try $0.result.get().records[0].key }
        #expect(Set(keys).count == 2)
    }

    @Test func `fits JSON Lines as well`() throws {
        let made = try suggestion(
            """
            {"case_id": 1, "opened_at": "2025-01-01 10:00:00", "created_at": "2025-01-01 10:00:00", "title": "路灯不亮"}
            {"case_id": 2, "created_at": "2025-01-01 11:00:00", "closed_at": "2025-01-02 11:00:00"}
            """)
        #expect(try made.rows.map { try $0.result.get().records.count } == [1, 2])
    }

    @Test func `can be of calls`() throws {
        let made = try suggestion(
            "id,呼叫方向,呼入时间,挂机时间,话务结果,坐席,排队时长\n1,呼入,2025-01-01 10:00:00,2025-01-01 10:05:00,接通,8001,12\n",
            resource: "call_record")
        let call = try #require(try made.rows[0].result.get().records.first)
        #expect(call.resource == "call_record")
        #expect(call.fields["disposition"] == .text("connected"))
        #expect(call.fields["queue_seconds"] == .integer(12))
    }

    /// Names and words that are YAML of their own, or would end a comment.
    @Test func `survives hostile names and words`() throws {
        let made = try suggestion(
            #"""
            id,created,"a: b # c","- x","""quoted""","{y}","line
            break",source,source ,,yes,"\\u0041 \\ '"
            1,2025-01-01 10:00:00,1,2,3,4,5,"web: # {x}
            key: evil",*,,n,7
            2,2025-01-01 10:00:00,1,2,3,4,5,*phone*,&a,,y,8
            """#)
        #expect(made.mapping.key.map(\.name) == ["id"])
        let records = try made.rows.map { try $0.result.get().records }
        #expect(records.count == 2)
        let ext = try #require(records[0][0].fields["ext"]?.text)
        for value in ["\"a: b # c\":\"1\"", "\"- x\":\"2\"", "\"{y}\":\"4\"", "line\\nbreak"] {
            #expect(ext.contains(value), "\(ext)")
        }
    }

    @Test(arguments: [
        ("a,b\nx,y\n", "service_request", "E_MAPPING_SUGGEST"), ("", "service_request", "E_CSV_HEADER"),
        ("id,时间\n", "service_request", "E_MAPPING_SUGGEST"), ("id\n1\n", "nonsense", "E_RESOURCE_UNKNOWN"),
        ("id,created\n1,2025-01-01\n", "recording", "E_MAPPING_SUGGEST"),
    ])
    func `is refused where a file says too little`(text: String, resource: String, code: String) {
        let error = #expect(throws: FederationError.self) { try suggestion(text, resource: ResourceName(resource)) }
        #expect(error?.code == code)
    }

    /// A key stands in global ids, which every node sees.
    @Test func `has no key about a person, and none that only counts rows`() throws {
        let rows = (1...30).map { "2025-01-\($0 % 9 + 10) 10:00:00,张\($0),1390000\(1000 + $0),\($0)号楼漏水\n" }.joined()
        let error = #expect(throws: FederationError.self) { try suggestion("来电时间,诉求人,联系电话,诉求标题\n" + rows) }
        #expect(error?.code == "E_MAPPING_SUGGEST")
        for name in ["用户ID", "微信openid", "车牌号", "户号", "联系人编号", "user id", "License Plate", "Customer Number"] {
            let rows = (1...30).map { "U\($0 * 7),2025-01-01 10:00:00,t\n" }.joined()
            let error = #expect(throws: FederationError.self, "\(name)") { try suggestion("\(name),来电时间,标题\n" + rows) }
            #expect(error?.code == "E_MAPPING_SUGGEST")
        }
        let counted = (1...30).map { "\($0),2025-01-\($0 % 9 + 10) 10:00:00,W\(500 - $0)\n" }.joined()
        #expect(try suggestion("序号,来电时间,窗口单据\n" + counted).mapping.key.map(\.name) == ["窗口单据"])
        // It may be the number of the ticket: that is asked.
        let numbers = try suggestion("编号,来电时间\n1,2025-01-01 10:00:00\n2,2025-01-02 10:00:00\n3,2025-01-03 10:00:00\n")
        #expect(numbers.decisions.contains { $0.contains("1, 2, 3") })
    }

    @Test func `is none of a file without names of columns, whose first row is somebody's data`() {
        for text in [
            "1,2024-01-05 09:00:00,张三家漏水\n2,2024-01-05 10:00:00,停电\n", "A1,张三,13900001234\nA2,李四,13900001235\n",
        ] {
            let error = #expect(throws: FederationError.self) { try suggestion(text) }
            #expect(error?.code == "E_CSV_HEADER" && error?.description.contains("张三") == false)
        }
    }

    @Test func `has no key that is too long for a number`() {
        let long = String(repeating: "A7", count: 40)
        let rows = (1...9).map { "2025-01-01 10:00:00,\(long)\($0)\n" }.joined()
        #expect(throws: FederationError.self) { try suggestion("created,case id\n" + rows) }
    }

    @Test func `takes no school's phone for the reporter's, and asks where it is not said whose it is`() throws {
        let rows = (1...20).map {
            "C\(100 + $0),2025-01-01 10:00:00,053188\(100_000 + $0 % 7),1390000\(1000 + $0 % 7)\n"
        }.joined()
        let made = try suggestion("case id,created,School Phone Number,Alternate Phone\n" + rows)
        #expect(made.mapping.sources["service_request.reporter_phone"] == ["Alternate Phone"])
        #expect(made.decisions.contains { $0.contains("nobody else") })
        let units = try suggestion("工单编号,来电时间,承办单位电话,来电号码\n" + rows)
        #expect(units.mapping.sources["service_request.reporter_phone"] == ["来电号码"])
    }

    @Test func `takes words for nothing as nothing`() throws {
        let made = try suggestion(
            """
            工单编号,来电时间,标题,联系电话,办结时间
            A1,2025-01-01 10:00:00,路灯,NULL,NULL
            A2,2025-01-01 10:00:00,停水,13900001234,2025-01-02 10:00:00
            A3,2025-01-01 10:00:00,噪声,n/a,NULL
            A4,2025-01-01 10:00:00,噪声,13900001234,未办结
            A5,2025-01-01 10:00:00,噪声,13900001235,2025-01-02 10:00:00
            A6,2025-01-01 10:00:00,噪声,13900001236,2025-01-02 10:00:00
            A7,2025-01-01 10:00:00,噪声,13900001237,2025-01-02 10:00:00
            A8,2025-01-01 10:00:00,噪声,13900001238,2025-01-02 10:00:00
            """)
        let records = try made.rows.map { try $0.result.get().records }
        #expect(records.map(\.count) == [1, 2, 1, 1, 2, 2, 2, 2])
        #expect(records[0][0].fields["reporter_phone"] == nil && records[2][0].fields["reporter_phone"] == nil)
    }

    @Test func `takes a time that stands for none for none`() throws {
        let rows = (1...20).map {
            "A\($0),2025-01-01 10:00:00,t\($0),\($0 % 2 == 0 ? "9999-12-31" : "2025-01-02") 00:00:00\n"
        }
        let made = try suggestion("工单编号,来电时间,标题,办结时间\n" + rows.joined())
        #expect(try made.rows.map { try $0.result.get().records.count } == (1...20).map { $0 % 2 == 0 ? 1 : 2 })
    }

    @Test func `takes a place that many tickets share for none`() throws {
        let rows = (1...40).map { row in
            "A\(row),2025-01-01 10:00:00,\(row % 3 == 0 ? "36.651234,117.120098" : "36.\(600_000 + row * 37),117.\(100_000 + row * 53)")\n"
        }
        let made = try suggestion("case id,created,lat,long\n" + rows.joined())
        let places = try made.rows.compactMap { try $0.result.get().records[0].fields["lat"] }
        #expect(places.count == 27)
        #expect(made.decisions.contains { $0.contains("13 rows have a place") })
    }

    @Test func `takes no word for its opposite`() throws {
        let rows = ["满意", "不太满意", "无法解决", "解决", "不满意", "已解决"].enumerated().map {
            "A\($0.offset),2025-01-01 10:00:00,2025-01-02 10:00:00,\($0.element),\($0.element)\n"
        }
        let made = try suggestion("工单编号,来电时间,回访时间,满意度,是否解决\n" + rows.joined())
        #expect(!made.text.contains("不太满意: ") && !made.text.contains("无法解决: "))
        // Two verdicts are none, in whatever order, and no degree of urgency is its opposite.
        let both = ["对结果满意，对态度不满意", "不满意态度，结果满意", "非紧急", "紧急"].enumerated().map {
            "A\($0.offset),2025-01-01 10:00:00,2025-01-02 10:00:00,\($0.element),\($0.element)\n"
        }
        let mixed = try suggestion("工单编号,来电时间,回访时间,满意度,紧急程度\n" + both.joined())
        #expect(!mixed.text.contains("满意: \"") && !mixed.text.contains("非紧急: ") && mixed.text.contains("紧急: "))
        let scores = try made.rows.map {
            try $0.result.get().records.last { $0.resource == "evaluation" }?.fields["score5"]?.text
        }
        #expect(scores == ["4", nil, nil, nil, "2", nil])
    }

    @Test(arguments: [
        "2024/1/5 下午2:30:00", "2024-1-5 晚上8:30", "2024年1月5日下午2时30分15秒", "2024年1月5日 14点30分15秒", "2024年1月5日 9:05",
        "2024年01月05日09:05:00", "06-JAN-19", "2024-01-05 09:05:00.123456",
        "2024-01-05T09:05:00.1234567Z", "２０２４/１/５ ９：０５：００", "2024/1/5 星期五 14:30", "2024-01-05 2:30 p.m.", "1704436200",
        "1704436200123", "45296.378472", "20240105 090500", "2024-01-05 09:05:00 +0800",
    ])
    func `finds how times are written`(time: String) throws {
        let made = try suggestion("工单编号,创建时间,标题\nA1,\(time),a\nA2,\(time),b\n")
        #expect(made.rows.allSatisfy { (try? $0.result.get()) != nil })
        #expect(made.mapping.sources["service_request.requested_datetime"] == ["创建时间"])
    }

    @Test func `says where the header is, and that rows lack columns`() throws {
        let made = try suggestion(
            "工单明细表,,,\n打印时间：2025-01-02,,,\n工单编号,来电时间,标题,备用\nA1,2025-01-01 10:00:00,a,\nA2,2025-01-01 10:00:00,b\n合计,2,,\n"
        )
        #expect(made.text.contains("header_row: 3\n") && made.text.contains("short_rows: fill\n"))
        #expect(made.rows.count == 2)
        #expect(made.decisions.contains { $0.contains("fewer columns") })
    }
}
