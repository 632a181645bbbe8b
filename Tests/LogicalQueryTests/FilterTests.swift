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
    ])
    func `what is not a filter is refused`(text: String, code: String) {
        let error = #expect(throws: FederationError.self) { try Filter.parse(text) }
        #expect(error?.code == code)
        #expect(error?.description.contains("13812345678") == false)
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
