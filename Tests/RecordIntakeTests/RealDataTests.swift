import ConfigurationFiles
import FederationModel
import Foundation
import MappingSuggestions
import RecordIntake
import TestSupport
import Testing

/// The data folder beside the repository, or where FEDERATION_DATA points; nil when it is not here.
private let dataFolder: String? = {
    let folder =
        ProcessInfo.processInfo.environment["FEDERATION_DATA"]
        ?? repositoryRoot.path + "/../shared/data"
    return FileManager.default.fileExists(atPath: folder + "/us311-boston") ? folder : nil
}()

@Suite(.enabled(if: dataFolder != nil, "the real data is not here; set FEDERATION_DATA to its folder"))
struct RealDataTests {
    private struct Outcome {
        var tally = IntakeTally()
        var records: [ResourceName: Int] = [:]
        var fields: [String: Int] = [:]
    }

    private func importAll(_ file: String, _ mapping: String) throws -> Outcome {
        let mapping = try Mapping.read(path: repositoryRoot.path + "/mappings/" + mapping)
        let origin = try #require(NodeID("370100"))
        let importer = try Importer(mapping: mapping, origin: origin, path: try #require(dataFolder) + "/" + file)
        var outcome = Outcome()
        while let row = try importer.next() {
            outcome.tally.count(row)
            guard case .success(let records) = row.result else { continue }
            for record in records.records {
                outcome.records[record.resource, default: 0] += 1
                for name in record.fields.keys { outcome.fields["\(record.resource).\(name)", default: 0] += 1 }
            }
        }
        print(file, outcome.tally, outcome.records)
        return outcome
    }

    /// The 175 rows that close before they open do so by 42 seconds at most, within the tolerance.
    @Test func `every row of Boston is taken`() throws {
        let boston = try importAll("us311-boston/boston_2015_jan_aug.csv.gz", "us311-boston.yaml")
        #expect(boston.tally.read == 81_408)
        #expect(boston.tally.rejectedByCode == [:])
        #expect(boston.records == ["service_request": 81_408, "assignment": 81_408, "closure": 69_312])
        #expect(boston.fields["assignment.due_datetime"] == 81_408 - 19_533)
        #expect(boston.fields["service_request.lat"] == 81_408 - 11_899)
    }

    @Test(arguments: [
        ("appeals_replies", 1_991, [:], 1_991), ("appeals_votes", 3_004, [:], 0), ("appeals_unlabelled", 1_982, [:], 0),
        ("appeals_labelled_train", 3_849, ["E_FIELD_MISSING": 2_811], 0),
    ])
    func `one mapping fits the four files of appeals`(file: String, read: Int, rejected: [String: Int], replies: Int)
        throws
    {
        let appeals = try importAll("cn-appeals-tipdm/\(file).csv.gz", "cn-appeals-tipdm.yaml")
        #expect(appeals.tally.read == read)
        #expect(appeals.tally.rejectedByCode == rejected)
        #expect(appeals.records["reply", default: 0] == replies)
        #expect(appeals.records["closure", default: 0] == replies)
    }

    @Test(arguments: [
        ("us311-nyc/nyc_2018-10-21.csv.gz", "us311-nyc", 6_765, [:], 2_326),
        ("us311-sf/sf_cases.csv.gz", "us311-sf", 6_964, ["E_TIME_ORDER": 85], 6_539),
        ("us311-kansascity/kc_potholes.csv.gz", "us311-kansascity", 3_002, [:], 1_946),
        ("cn-dongguan-sunshine/posts.csv", "cn-dongguan-sunshine", 651, [:], 0),
        ("cn-haikou-12345-fields/orders_fields.csv", "cn-haikou-12345-fields", 4_000, [:], 0),
    ])
    func `every other file has a mapping that takes what the manual says`(
        file: String, mapping: String, read: Int, rejected: [String: Int], closures: Int
    ) throws {
        let outcome = try importAll(file, "\(mapping).yaml")
        #expect(outcome.tally.read == read)
        #expect(outcome.tally.rejectedByCode == rejected)
        #expect(outcome.records["closure", default: 0] == closures)
    }

    /// What `docs/importing.md` says of the suggestions: rows that they take, and fields that agree with the mapping that
    /// comes with the node, of those that either of them fills from a column.
    @Test(arguments: [
        ("us311-boston/boston_2015_jan_aug.csv.gz", "us311-boston", 81_408, 11, 17),
        ("us311-nyc/nyc_2018-10-21.csv.gz", "us311-nyc", 6_765, 10, 16),
        ("us311-sf/sf_cases.csv.gz", "us311-sf", 6_879, 10, 13),
        ("us311-kansascity/kc_potholes.csv.gz", "us311-kansascity", 3_002, 10, 12),
        ("cn-appeals-tipdm/appeals_replies.csv.gz", "cn-appeals-tipdm", 1_991, 8, 8),
        ("cn-appeals-tipdm/appeals_votes.csv.gz", "cn-appeals-tipdm", 3_004, 5, 5),
        ("cn-appeals-tipdm/appeals_unlabelled.csv.gz", "cn-appeals-tipdm", 1_982, 5, 5),
        ("cn-appeals-tipdm/appeals_labelled_train.csv.gz", "cn-appeals-tipdm", 1_038, 6, 6),
        ("cn-dongguan-sunshine/posts.csv", "cn-dongguan-sunshine", 651, 7, 7),
    ])
    func `the suggestion for a file takes its rows and mostly agrees with its mapping`(
        file: String, mapping: String, accepted: Int, agreeing: Int, fields: Int
    ) throws {
        let path = try #require(dataFolder) + "/" + file
        let suggested = try Mapping.parse(try MappingSuggestion(path: path).yaml, path: "suggested.yaml")
        let importer = try Importer(mapping: suggested, origin: try #require(NodeID("370100")), path: path)
        var tally = IntakeTally()
        while let row = try importer.next() { tally.count(row) }
        #expect(tally.accepted == accepted)
        let shipped = try Mapping.read(path: repositoryRoot.path + "/mappings/\(mapping).yaml").sources
        let columns = Set(importer.columns)
        let ours = shipped.filter { $0.value.allSatisfy(columns.contains) }
        let theirs = suggested.sources.filter { $0.value.allSatisfy(columns.contains) }
        let all = Set(ours.keys).union(theirs.keys)
        let equal = all.filter { ours[$0] == theirs[$0] }
        print(file, equal.count, "of", all.count, all.subtracting(equal).sorted())
        #expect(equal.count == agreeing)
        #expect(all.count == fields)
    }

    @Test func `no mapping is proposed for a file in which only a row's number tells rows apart`() throws {
        let path = try #require(dataFolder) + "/cn-haikou-12345-fields/orders_fields.csv"
        let error = #expect(throws: FederationError.self) { try MappingSuggestion(path: path) }
        #expect(error?.code == "E_MAPPING_SUGGEST" && error?.message.contains("'row_no'") == true)
    }

    /// A whole file of people's own words, as an older system would write it.
    @Test(arguments: [[], [0x84, 0x31, 0x95, 0x33]] as [[UInt8]])
    func `a Chinese file in GB18030, with and without its mark, gives the rows that it gives in UTF-8`(mark: [UInt8])
        throws
    {
        let mapping = try Mapping.read(path: repositoryRoot.path + "/mappings/cn-dongguan-sunshine.yaml")
        let utf8 = try #require(dataFolder) + "/cn-dongguan-sunshine/posts.csv"
        let text = try String(contentsOfFile: utf8, encoding: .utf8)
        // kCFStringEncodingGB_18030_2000 as Foundation's encoding.
        let packed = Array(try #require(text.data(using: String.Encoding(rawValue: 0x8000_0632))))
        let origin = try #require(NodeID("370100"))
        func rows(_ path: String) throws -> [IntakeRow] {
            let importer = try Importer(mapping: mapping, origin: origin, path: path)
            var rows: [IntakeRow] = []
            while let row = try importer.next() { rows.append(row) }
            return rows
        }
        let expected = try rows(utf8)
        #expect(expected.count == 651)
        #expect(try withFile(mark + packed) { try rows($0) } == expected)
    }
}
