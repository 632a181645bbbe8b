import FederationModel
import Foundation
import LogicalQuery
import TestSupport
import Testing

struct AnalysisTests {
    private let now: UnixMilliseconds = 1_760_000_000_000

    @Test func `an indicator is written with underscores or dashes, or by its title`() throws {
        let library = IndicatorLibrary.builtIn
        #expect(try library.named("on_time_rate").title == "按期办结率")
        #expect(try library.named("on-time-rate") == library.named("按期办结率"))
    }

    @Test func `every dimension and indicator is read back from its name`() throws {
        for dimension in Dimension.allCases {
            #expect(try Dimension(dimension.name) == dimension)
            #expect(try Dimension(dimension.title) == dimension)
        }
        for indicator in IndicatorLibrary.builtIn.all {
            #expect(try IndicatorLibrary.builtIn.named(indicator.name) == indicator)
            #expect(try overTheWire(indicator.measure) == indicator.measure)
        }
        #expect(Set(IndicatorLibrary.builtIn.all.map(\.name)).count == IndicatorLibrary.builtIn.all.count)
        #expect(try Dimension("region:city") == .region(.city))
        #expect(try Dimension("service:2") == .service(levels: 2))
        #expect(try Dimension("渠道") == .channel)
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
        #expect((error?.description.utf8.count ?? .max) < 4_000)
        for value in ["13812345678", "张三", "DROP"] { #expect(error?.description.contains(value) == false) }
    }

    @Test func `a name of a million letters is refused at once`() {
        let error = #expect(throws: FederationError.self) {
            try IndicatorLibrary.builtIn.named(String(repeating: "a", count: 1_000_000))
        }
        #expect((error?.description.utf8.count ?? .max) < 4_000)
    }

    @Test func `an analysis survives the way between nodes`() throws {
        let analysis = try Analysis(
            measures: ["count", "on_time_rate", "mean_handling_hours"].map { try .named($0) },
            dimensions: [.region(.city), .week, .service(levels: 2)],
            filters: [Filter(.channel, .equals, ["01", "a,b"]), Filter(.region(nil), .hasPrefix, ["3701"])],
            from: 1, to: 2, top: 10, asOf: now)
        #expect(try overTheWire(analysis) == analysis)
        let bare = try Analysis(asOf: now)
        #expect(try overTheWire(bare) == bare)
        let json = String(decoding: try JSONEncoder().encode(analysis), as: UTF8.self)
        #expect(json.contains(#""region:city""#) && json.contains(#""service:2""#) && json.contains(#""on_time_rate""#))
        #expect(
            !json.contains(#""measures""#),
            "a release before the indicators refuses it for a part that it does not know")
    }

    private static let count =
        #"{"name":"a","version":1,"unit":"count","terms":[{"fact":"ticket","period":"requested_datetime","base":"","numerator":"count","weight":1}]}"#

    @Test(arguments: [
        // As releases before the indicators ask.
        #"{"measures":["count"],"dimensions":[],"filters":[],"asOf":1}"#,
        #"{"indicators":[],"dimensions":[],"filters":[],"asOf":1,"compareWith":"last_year"}"#,
        #"{"indicators":[\#(count)],"dimensions":["planet"],"filters":[],"asOf":1}"#,
        #"{"indicators":[\#(count)],"dimensions":[],"filters":[{"field":"unit","op":"~","values":["a"]}],"asOf":1}"#,
        #"{"indicators":[\#(count)],"dimensions":[],"filters":[{"field":"moon","op":"=","values":["a"]}],"asOf":1}"#,
        #"{"indicators":[\#(count.replacing("ticket", with: "weather"))],"dimensions":[],"filters":[],"asOf":1}"#,
        #"{"indicators":[\#(count.replacing("requested_datetime", with: "title"))],"dimensions":[],"filters":[],"asOf":1}"#,
        #"{"indicators":[\#(count.replacing(":\"\"", with: ":\"reporter_name = 'x'\""))],"dimensions":[],"filters":[],"asOf":1}"#,
        #"{"indicators":[\#(count.replacing("weight", with: "median"))],"dimensions":[],"filters":[],"asOf":1}"#,
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
        let sent = #"{"indicators":[\#(Self.count)],"dimensions":["day","day"],"filters":[],"asOf":1}"#
        #expect(
            errorCode { _ = try JSONDecoder().decode(Analysis.self, from: Data(sent.utf8)) } == "E_ANALYSIS_INVALID")
    }

    @Test func `a question needs the resources that its declarations read, and no other`() throws {
        func needed(
            _ measure: String, by dimensions: [Dimension] = [], _ filters: [Filter] = []
        ) throws -> [ResourceName] {
            try Analysis(measures: [.named(measure)], dimensions: dimensions, filters: filters, asOf: now)
                .resourcesNeeded
        }
        // Merged tickets count once: the owner merges, and transfers say who that is.
        #expect(try needed("count", by: [.channel]) == ["service_request", "ticket_action", "transfer"])
        for resources in [
            try needed("open"), try needed("count", by: [.unit]),
            try needed("count", [Filter(.status, .equals, ["closed"])]),
        ] {
            #expect(resources.contains("assignment") && resources.contains("evaluation"))
            #expect(!resources.contains("call_record"))
        }
        #expect(try needed("connect_rate", by: [.origin]) == ["call_record"])
        #expect(try needed("supervision_count") == ["service_request", "supervision"])
    }

    @Test func `a dimension that the rows of a measure do not have is refused, and the others are named`() throws {
        let error = #expect(throws: FederationError.self) {
            try Analysis(measures: [.count, .named("connect_rate")], dimensions: [.channel], asOf: now)
        }
        #expect(error?.code == "E_ANALYSIS_DIMENSION")
        #expect(error?.hint?.contains("disposition") == true)
        #expect(
            errorCode {
                _ = try Analysis(
                    measures: [.named("call_count")], filters: [Filter(.status, .equals, ["closed"])], asOf: now)
            } == "E_ANALYSIS_DIMENSION")
        // A record of a thread has what its ticket has.
        #expect(
            try Analysis(measures: [.named("satisfaction_rate")], dimensions: [.channel], asOf: now).facts == [
                .evaluation
            ])
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
