import FederationModel
import LogicalQuery
import TestSupport
import Testing

struct FilterTests {
    @Test func `the three comparisons are read, with one value or several`() throws {
        #expect(try Filter.parse("channel=01") == Filter(.channel, .equals, ["01"]))
        #expect(try Filter.parse(" channel = 01 , 02 ") == Filter(.channel, .equals, ["01", "02"]))
        #expect(try Filter.parse("request_type!=4") == Filter(.requestType, .notEquals, ["4"]))
        #expect(try Filter.parse("request-type!=4") == Filter(.requestType, .notEquals, ["4"]))
        #expect(try Filter.parse("region^=3701") == Filter(.region(nil), .hasPrefix, ["3701"]))
        #expect(try Filter.parse("region:city=370100") == Filter(.region(.city), .equals, ["370100"]))
        #expect(try Filter.parse("month=2025-09") == Filter(.month, .equals, ["2025-09"]))
        #expect(try Filter.parse("week=2025-W40") == Filter(.week, .equals, ["2025-W40"]))
        #expect(try Filter.parse("unit=市公安局=东区") == Filter(.unit, .equals, ["市公安局=东区"]))
    }

    @Test(arguments: [
        ("", "E_FILTER_SYNTAX"), ("channel", "E_FILTER_SYNTAX"), ("=", "E_FILTER_FIELD"), ("=01", "E_FILTER_FIELD"),
        ("!=01", "E_FILTER_FIELD"), ("^=", "E_FILTER_FIELD"), ("chanel=01", "E_FILTER_FIELD"),
        ("reporter_phone=13812345678", "E_FILTER_FIELD"), ("13812345678=1", "E_FILTER_FIELD"),
        ("t.origin) OR 1=1 --", "E_FILTER_FIELD"), ("channel<=01", "E_FILTER_FIELD"),
        ("channel=", "E_FILTER_VALUE"), ("channel=01,", "E_FILTER_VALUE"), ("channel=,", "E_FILTER_VALUE"),
        ("unit^=", "E_FILTER_VALUE"), ("channel==01", "E_FILTER_VALUE"), ("channel=1", "E_FILTER_VALUE"),
        ("status=close", "E_FILTER_VALUE"), ("day=2025/09/30", "E_FILTER_VALUE"), ("day=2025-9-30", "E_FILTER_VALUE"),
        ("month=２０２５-09", "E_FILTER_VALUE"), ("week=2025-40", "E_FILTER_VALUE"),
        // What the calendar does not have.
        ("week=2021-W53", "E_FILTER_VALUE"), ("week=2021-W00", "E_FILTER_VALUE"), ("month=2021-13", "E_FILTER_VALUE"),
        ("day=2021-02-30", "E_FILTER_VALUE"), ("quarter=2025-Q5", "E_FILTER_VALUE"), ("hour=24", "E_FILTER_VALUE"),
        ("hour_of_week=8-00", "E_FILTER_VALUE"), ("weekday=0", "E_FILTER_VALUE"), ("weekday=周八", "E_FILTER_VALUE"),
        ("渠道=电报", "E_FILTER_VALUE"), ("region=历下区", "E_FILTER_VALUE"),
        // Nor what begins so.
        ("day^=2025-13", "E_FILTER_VALUE"), ("day^=2025-02-3", "E_FILTER_VALUE"), ("month^=20x", "E_FILTER_VALUE"),
        ("week^=2025-W6", "E_FILTER_VALUE"), ("hour^=3", "E_FILTER_VALUE"), ("quarter^=2025-Q5", "E_FILTER_VALUE"),
        ("month^=2025-09-01", "E_FILTER_VALUE"),
        // A number is one.
        ("round=x", "E_FILTER_VALUE"), ("round=第一轮", "E_FILTER_VALUE"),
    ])
    func `what is not a filter is refused`(text: String, code: String) {
        let error = #expect(throws: FederationError.self) { try Filter.parse(text) }
        #expect(error?.code == code)
        #expect(error?.description.contains("13812345678") == false)
    }

    private static let reference = ReferenceData(
        version: 1, title: "测试",
        additions: [
            CodeList(
                name: ReferenceData.regionList, title: "行政区划",
                entries: [
                    .init(code: "370000", title: "山东省"), .init(code: "370100", title: "济南市", parent: "370000"),
                    .init(code: "370102", title: "历下区", parent: "370100"),
                    .init(code: "370203", title: "市北区"), .init(code: "370502", title: "市北区"),
                ]),
            CodeList(
                name: ReferenceData.serviceList, title: "问题分类",
                entries: [.init(code: "01", title: "城乡建设"), .init(code: "01.02", title: "供热", parent: "01")]),
        ], notices: [], limits: LimitRules([]))

    @Test func `the words that tables print are taken`() throws {
        func parse(_ text: String) throws -> Filter { try Filter.parse(text, reference: Self.reference) }
        #expect(try parse("渠道=电话") == Filter(.channel, .equals, ["01"]))
        #expect(try parse("channel=电话,web site") == Filter(.channel, .equals, ["01", "03"]))
        #expect(try parse("status=已办结") == Filter(.status, .equals, ["closed"]))
        #expect(try parse("诉求类型!=投诉") == Filter(.requestType, .notEquals, ["3"]))
        #expect(try parse("挂账=是") == Filter(.held, .equals, ["1"]))
        #expect(try parse("weekday=周一") == Filter(Dimension("weekday"), .equals, ["1"]))
        // A name means all that lies in it; a code what is stored so.
        #expect(try parse("region=历下区") == Filter(.region(.county), .equals, ["370102"]))
        #expect(try parse("region=济南市历下区") == Filter(.region(.county), .equals, ["370102"]))
        #expect(try parse("region=济南市") == Filter(.region(.city), .equals, ["370100"]))
        #expect(try parse("region=370102") == Filter(.region(nil), .equals, ["370102"]))
        #expect(try parse("region:county=370102 历下区") == Filter(.region(.county), .equals, ["370102"]))
        #expect(try parse("service=供热") == Filter(.service(levels: 2), .equals, ["01.02"]))
        #expect(try parse("service^=供热") == Filter(.service(levels: nil), .hasPrefix, ["01.02"]))
        for text in ["region=市北区", "region=历城区", "service^=供暖", "region=济南市,历下区", "service=取暖"] {
            #expect(errorCode { _ = try parse(text) } == "E_FILTER_VALUE", "\(text)")
        }
        let error = #expect(throws: FederationError.self) { try parse("status=结了") }
        #expect(error?.hint?.contains("closed 已办结") == true)
    }

    @Test(arguments: [
        "day^=2025", "day^=2025-0", "day^=2024-02-29", "week^=2020-W5", "week^=2020-W53", "month^=2025-1",
        "quarter^=2025-Q",
        "year^=20", "hour^=2", "hour_of_week^=7-", "round=2",
    ])
    func `a time may be filtered by its beginning`(text: String) {
        #expect(throws: Never.self) { try Filter.parse(text) }
    }

    @Test func `a filter on rows takes the words that their table prints`() throws {
        func parse(_ text: String) throws -> RowQuery.Filter {
            try RowQuery.Filter.parse(text, of: BuiltInResources.serviceRequest, reference: Self.reference)
        }
        #expect(try parse("channel=电话,03") == RowQuery.Filter("channel", .equals, ["01", "03"]))
        #expect(try parse("request_type!=投诉") == RowQuery.Filter("request_type", .notEquals, ["3"]))
        #expect(try parse("callback_required=是") == RowQuery.Filter("callback_required", .equals, ["1"]))
        #expect(try parse("region_code=历下区") == RowQuery.Filter("region_code", .hasPrefix, ["370102"]))
        #expect(try parse("region_code=济南市") == RowQuery.Filter("region_code", .hasPrefix, ["3701"]))
        #expect(try parse("region_code=370199") == RowQuery.Filter("region_code", .equals, ["370199"]))
        #expect(try parse("service_code=供热") == RowQuery.Filter("service_code", .hasPrefix, ["01.02"]))
        for text in [
            "channel=电报", "channel=99", "region_code=无", "region_code=市北区", "region_code!=济南市",
            "region_code=济南市,370203",
        ] {
            #expect(errorCode { _ = try parse(text) } == "E_FILTER_VALUE", "\(text)")
        }
    }

    @Test func `an unknown field names the nearest one`() {
        let error = #expect(throws: FederationError.self) { try Filter.parse("chanel=01") }
        #expect(error?.message == "unknown filter field chanel")
        #expect(error?.hint?.hasPrefix("did you mean channel? known: ") == true)
    }

    @Test func `values are bounded in number and length`() throws {
        let thousand = (0..<1_000).map { "\($0)" }
        #expect(try Filter.parse("unit=" + thousand.joined(separator: ",")).values.count == 1_000)
        #expect(
            errorCode { _ = try Filter.parse("unit=" + (thousand + ["x"]).joined(separator: ",")) } == "E_FILTER_VALUE")
        let longest = String(repeating: "局", count: 133) + "x"
        #expect(try Filter.parse("unit=\(longest)").values == [longest])
        #expect(errorCode { _ = try Filter.parse("unit=\(longest)x") } == "E_FILTER_VALUE")
        #expect(errorCode { _ = try Filter.parse(String(repeating: "=", count: 1_000_000)) } == "E_FILTER_FIELD")
        #expect(
            errorCode { _ = try Filter.parse("unit=" + String(repeating: ",", count: 1_000_000)) } == "E_FILTER_VALUE")
    }
}
