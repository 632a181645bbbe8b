import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

struct AnalysisTests {
    private let now: UnixMilliseconds = 1_760_000_000_000

    @Test func `a measure is written with underscores or dashes`() throws {
        #expect(try Measure("on_time_rate") == .onTimeRate)
        #expect(try Measure("on-time-rate") == .onTimeRate)
        #expect(try Measure("mean-handling-hours") == .meanHandlingHours)
    }

    @Test func `every dimension and measure is read back from its name`() throws {
        for dimension in Dimension.allCases { #expect(try Dimension(dimension.name) == dimension) }
        for measure in Measure.allCases { #expect(try Measure(measure.name) == measure) }
        #expect(try Dimension("region:city") == .region(.city))
        #expect(try Dimension("service:2") == .service(levels: 2))
    }

    @Test func `a slip names the nearest word and all known ones`() throws {
        let error = #expect(throws: FederationError.self) { try Dimension("chanel") }
        #expect(error?.code == "E_ANALYSIS_UNKNOWN")
        #expect(error?.message == "unknown dimension chanel")
        #expect(error?.hint?.hasPrefix("did you mean channel? known: origin, region, region:province") == true)
    }

    @Test(arguments: [
        "", " ", "13812345678", "region:galaxy", "service:0", "service:5", "service:99999999999999999999", "张三",
        "origin'; DROP TABLE service_request; --",
    ])
    func `a hostile name is refused and not repeated`(name: String) {
        let error = #expect(throws: FederationError.self) { try Dimension(name) }
        #expect(error?.code == "E_ANALYSIS_UNKNOWN")
        #expect((error?.description.utf8.count ?? .max) < 500)
        for value in ["13812345678", "张三", "DROP"] { #expect(error?.description.contains(value) == false) }
    }

    @Test func `a name of a million letters is refused at once`() {
        let error = #expect(throws: FederationError.self) { try Measure(String(repeating: "a", count: 1_000_000)) }
        #expect((error?.description.utf8.count ?? .max) < 500)
    }

    @Test func `an analysis survives the way between nodes`() throws {
        let analysis = try Analysis(
            measures: Measure.allCases, dimensions: [.region(.city), .week, .service(levels: 2)],
            filters: [Filter(.channel, .equals, ["01", "a,b"]), Filter(.region(nil), .hasPrefix, ["3701"])],
            from: 1, to: 2, top: 10, asOf: now)
        #expect(try overTheWire(analysis) == analysis)
        let bare = try Analysis(asOf: now)
        #expect(try overTheWire(bare) == bare)
        let json = String(decoding: try JSONEncoder().encode(analysis), as: UTF8.self)
        #expect(json.contains(#""region:city""#) && json.contains(#""service:2""#) && json.contains(#""on_time_rate""#))
    }

    @Test(arguments: [
        #"{"measures":["median_hours"],"dimensions":[],"filters":[],"asOf":1}"#,
        #"{"measures":["count"],"dimensions":["planet"],"filters":[],"asOf":1}"#,
        #"{"measures":["count"],"dimensions":[],"filters":[{"field":"unit","op":"~","values":["a"]}],"asOf":1}"#,
        #"{"measures":["count"],"dimensions":[],"filters":[{"field":"moon","op":"=","values":["a"]}],"asOf":1}"#,
        #"{"measures":["count"],"dimensions":[],"filters":[],"asOf":1,"compareWith":"last_year"}"#,
    ])
    func `what a newer peer asks for is a clear error`(json: String) {
        #expect(
            errorCode { _ = try JSONDecoder().decode(Analysis.self, from: Data(json.utf8)) } == "E_ANALYSIS_UNKNOWN")
    }

    @Test func `the limits hold for people and for peers`() throws {
        let dimensions = Array(Dimension.allCases.prefix(9))
        #expect(try Analysis(dimensions: Array(dimensions.dropLast()), asOf: now).dimensions.count == 8)
        #expect(errorCode { _ = try Analysis(dimensions: dimensions, asOf: now) } == "E_ANALYSIS_INVALID")
        #expect(errorCode { _ = try Analysis(measures: [], asOf: now) } == "E_ANALYSIS_INVALID")
        #expect(errorCode { _ = try Analysis(measures: [.count, .count], asOf: now) } == "E_ANALYSIS_INVALID")
        let filter = try Filter(.unit, .equals, ["公安局"])
        let filters = Array(repeating: filter, count: 33)
        #expect(try Analysis(filters: Array(filters.dropLast()), asOf: now).filters.count == 32)
        #expect(errorCode { _ = try Analysis(filters: filters, asOf: now) } == "E_ANALYSIS_INVALID")
        let wide = try Filter(.unit, .equals, (0..<1_000).map { "\($0)" })
        #expect(try Analysis(filters: Array(repeating: wide, count: 10), asOf: now).filters.count == 10)
        #expect(
            errorCode { _ = try Analysis(filters: Array(repeating: wide, count: 11), asOf: now) }
                == "E_ANALYSIS_INVALID")
        #expect(errorCode { _ = try Analysis(from: 5, to: 5, asOf: now) } == "E_ANALYSIS_INVALID")
        #expect(errorCode { _ = try Analysis(top: 0, asOf: now) } == "E_ANALYSIS_INVALID")
        let sent = #"{"measures":["count"],"dimensions":["day","day"],"filters":[],"asOf":1}"#
        #expect(
            errorCode { _ = try JSONDecoder().decode(Analysis.self, from: Data(sent.utf8)) } == "E_ANALYSIS_INVALID")
    }

    @Test func `only what needs the state of tickets needs their threads`() throws {
        #expect(try Analysis(dimensions: [.channel], asOf: now).resourcesNeeded == ["service_request"])
        for analysis in [
            try Analysis(measures: [.open], asOf: now), try Analysis(dimensions: [.unit], asOf: now),
            try Analysis(filters: [Filter(.status, .equals, ["closed"])], asOf: now),
        ] {
            #expect(analysis.resourcesNeeded.contains("assignment") && analysis.resourcesNeeded.contains("evaluation"))
            #expect(!analysis.resourcesNeeded.contains("call_record"))
        }
    }

    @Test func `a filter on the origin leaves nodes out that cannot have a ticket`() throws {
        let origins = ["370100", "370102", "370300"].map(node)
        func asked(_ filter: String) throws -> [String] {
            try Analysis(filters: [Filter.parse(filter)], asOf: now).originsAsked(among: origins).map(\.code)
        }
        #expect(try asked("origin=370300") == ["370300"])
        #expect(try asked("origin^=3701") == ["370100", "370102"])
        #expect(try asked("origin!=370100") == ["370102", "370300"])
        #expect(try asked("channel=01") == ["370100", "370102", "370300"])
    }
}
