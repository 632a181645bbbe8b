import ConfigurationFiles
import FederationModel
import MappingSuggestions
import RecordIntake
import TestSupport
import Testing

@Suite struct `A suggested mapping of places and categories` {
    private static func reference() throws -> CodeLists {
        try ReferenceFile.read(text: ReferenceFile.shipped, file: "reference.yaml").lists
    }

    /// Column names and the third column's words; what is suggested for it, and what the rows become.
    private func suggestion(
        _ column: String, _ words: [String], lists: CodeLists
    ) throws -> (yaml: String, decisions: [String], records: [IntakeRecord]) {
        let rows = words.enumerated().map { "\($0.offset + 100),2025-01-01 09:30:00,\($0.element)\n" }
        return try withFile("工单编号,来电时间,\(column)\n" + rows.joined()) { path in
            let made = try MappingSuggestion(path: path, lists: lists, region: "370100")
            let mapping = try Mapping.parse(made.yaml, path: "suggested.yaml", lists: lists, region: "370100")
            let importer = try Importer(mapping: mapping, origin: try #require(NodeID("370100")), path: path)
            var records: [IntakeRecord] = []
            while let row = try importer.next() { records += try row.result.get().records.prefix(1) }
            return (made.yaml, made.decisions, records)
        }
    }

    @Test func `knows regions by their names, and tells which words it does not know`() throws {
        let words = ["历下区", "市中区", "济南市历城区", "开发区", "历下区", "13800001234"]
        let made = try suggestion("所属区县", words, lists: try Self.reference())
        #expect(
            made.records.map { $0.fields["region_code"]?.text } == ["370102", "370103", "370112", nil, "370102", nil])
        #expect(made.decisions.contains { $0.contains("2 of 5 words") && $0.contains("开发区") })
        #expect(!made.yaml.contains("13800001234"), "no word that may be somebody's data")
    }

    @Test func `knows categories by name or by code`() throws {
        let byName = try suggestion("问题分类", ["养老保险转移", "失业金申领", "养老保险转移"], lists: try Self.reference())
        #expect(byName.records.map { $0.fields["service_code"]?.text } == ["01.01.01", "01.01.02", "01.01.01"])
        let byCode = try suggestion("分类编码", ["01.01.01", "01.02"], lists: try Self.reference())
        #expect(byCode.records.map { $0.fields["service_code"]?.text } == ["01.01.01", "01.02"])
    }

    @Test(arguments: ["所属区县", "service code"])
    func `proposes no code that import would refuse`(column: String) throws {
        let foreign = try suggestion(column, ["GRAF", "SGA", "历下区"], lists: try Self.reference())
        let unlisted = try suggestion(column, ["历下区", "历下区"], lists: .builtIn)
        for made in [foreign, unlisted] {
            #expect(!made.yaml.contains("region_code") && !made.yaml.contains("service_code"))
        }
    }
}
