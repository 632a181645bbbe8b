import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing

struct MappingTests {
    private func refusal(_ line: String, _ replacement: String) throws -> FederationError {
        #expect(smallMapping.contains(line))
        let text = smallMapping.replacing(line, with: replacement)
        return try #require(throws: FederationError.self) { try Mapping.parse(text, path: "m.yaml") }
    }

    @Test func `a mapping tells what it makes`() throws {
        let mapping = try Mapping.parse(smallMapping, path: "m.yaml")
        #expect(mapping.resources == ["service_request", "assignment", "closure"])
    }

    @Test(arguments: [
        (
            "title: {first_of", "titel: {first_of", "m.yaml:11: unknown field 'titel' of service_request",
            "did you mean `title`?"
        ),
        ("resource: closure", "resource: closur", "m.yaml:25: unknown resource 'closur'", "did you mean `closure`?"),
        ("titles_of: channel", "titles_of: chanel", "m.yaml:9: unknown code list 'chanel'", "did you mean `channel`?"),
        (
            "titles_of: channel", "titles_of: score", "m.yaml:9: field 'channel' takes no codes of list 'score'",
            "channel"
        ),
        ("{value: \"2\"}", "{value: \"7\"}", "m.yaml:10: '7' is not in code list request_type", "2 求助"),
        ("\"tele*\": \"01\"", "\"tele*\": \"99\"", "m.yaml:9: '99' is not in code list channel", "01 电话"),
        ("default: \"19\"", "default: \"20\"", "m.yaml:9: '20' is not in code list channel", "19 其他"),
        ("otherwise: terminated", "otherwise: ended", "m.yaml:29: 'ended' is not in code list closure_kind", "终止办理"),
        ("separator:", "seperator:", "m.yaml:12: unknown key 'seperator' in a field", "did you mean `separator`?"),
        ("key: id", "kye: id", "m.yaml:1: unknown key 'kye' in a mapping", "did you mean `key`?"),
        ("zone: UTC", "zone: Mars/Olympus", "m.yaml:28: unknown time zone 'Mars/Olympus'", "Asia/Shanghai"),
        ("[yyyy-MM-dd HH:mm:ss]", "[yyyy-MM-dd QQ]", "m.yaml:2: 'yyyy-MM-dd QQ' is not a time format", "yyyy"),
        (
            "      role: {value: main}\n", "", "m.yaml:21: assignment lacks the required field 'role'",
            "role: {value: …}"
        ),
        ("ext: [ward, id]", "ordinal: id", "m.yaml:17: 'ordinal' is only for records", nil),
        ("service_request_id: id", "global_id: id", "m.yaml:7: 'global_id' is not mapped", "origin"),
        ("service_request_id: id", "ext: id", "m.yaml:7: 'ext' is not mapped", "under 'ext'"),
        ("{column: lat, when", "{column: lat, value: 3, when", "m.yaml:16: a field has exactly one of", nil),
        (", not_in: [\"\", none]}", "}", "m.yaml:19: 'when' takes", nil),
    ])
    func `what the catalog does not know is refused with its line and a suggestion`(
        line: String, replacement: String, message: String, hint: String?
    ) throws {
        let error = try refusal(line, replacement)
        #expect(error.code == "E_MAPPING")
        #expect(error.message.hasPrefix(message))
        if let hint { #expect(error.hint?.contains(hint) == true) }
    }

    @Test(arguments: [("duplicate of 7", "merged"), ("closed, a duplicate", "merged"), ("is no more", "closed")])
    func `a word between stars stands for all that hold it`(word: String, code: String) throws {
        let text = smallMapping.replacing("done: closed", with: "\"*duplicate*\": merged, \"is*\": closed")
        let mapping = try Mapping.parse(text, path: "m.yaml")
        try withFile(
            """
            id,opened,via,title,text,wants_reply,lat,located,ward,unit,days,closed,how
            1,2025-01-01 10:00:00,telephone,t,,,,,,,,2025-01-02 10:00:00,"\(word)"
            """
        ) { path in
            let importer = try Importer(mapping: mapping, origin: try #require(NodeID("370100")), path: path)
            let records = try #require(try importer.next()).result.get().records
            #expect(records.last?.fields["closure_kind"] == .text(code))
        }
    }

    @Test func `YAML that is broken, empty or of another shape is refused`() {
        for text in [
            "", "a: [", "- 1", "key: id", "key: id\nrecords: 3", "key: id\nrecords: []", "key: [[1]]\nrecords: [1]",
        ] {
            #expect(throws: FederationError.self) { try Mapping.parse(text, path: "m.yaml") }
        }
        let error = #expect(throws: FederationError.self) { try Mapping.read(path: "/nowhere/m.yaml") }
        #expect(error?.code == "E_MAPPING_READ")
    }

    @Test(.timeLimit(.minutes(15))) func `a mapping can't blow up by aliases`() {
        var bomb = "key: &a0 [x, x]\nrecords:\n"
        for level in 1...40 { bomb += "  - &a\(level) [*a\(level - 1), *a\(level - 1)]\n" }
        let error = #expect(throws: FederationError.self) { try Mapping.parse(bomb + "? *a40\n: 1\n", path: "m.yaml") }
        #expect(error?.code == "E_MAPPING" && error?.message.hasPrefix("m.yaml:3: anchors and aliases") == true)
    }

    @Test func `a word that is written twice is refused with its line`() throws {
        let error = try refusal("done: closed", "done: closed, done: merged")
        #expect(error.message == "m.yaml:29: 'done' was given already")
    }

    @Test func `words with stars and ampersands are no aliases`() throws {
        let text = smallMapping.replacing("done: closed", with: "\"*R&D*\": merged, '*tele*': closed, a&b: merged")
        _ = try Mapping.parse(text, path: "m.yaml")
    }

    @Test(arguments: ["us311-boston.yaml", "cn-appeals-tipdm.yaml"])
    func `the mappings that come with the node are right`(name: String) throws {
        let mapping = try Mapping.read(path: repositoryRoot.appending(path: "mappings/" + name).path)
        #expect(mapping.resources.first == "service_request")
    }

    @Test(arguments: [
        ("*(Duplicate)", "case closed (Duplicate)", "(Duplicate) case"), ("Web*", "Web form", "the Web"),
        ("*Web*", "the Web form", "form"), ("Case*Closed*dup*", "Case 7 Closed as dup", "Case dup Closed"),
        ("a*a", "aba", "a"), ("投诉*理", "投诉办理", "投诉办"),
    ])
    func `a wildcard stands for any text wherever it is`(pattern: String, word: String, other: String) throws {
        let text = smallMapping.replacing("\"tele*\": \"01\"", with: "\"\(pattern)\": \"03\"")
        let mapping = try Mapping.parse(text, path: "m.yaml")
        let channel = try #require(mapping.records[0].fields.first { $0.field.name == "channel" })
        #expect(channel.translation?.code(for: word) == "03" && channel.translation?.code(for: other) == nil)
    }

    @Test(arguments: [("已办结(重复)", true), ("已办结", true), ("办结", false), ("待办结", true), ("待办", false)])
    func `a wildcard in a condition stands for any text too`(word: String, holds: Bool) throws {
        let text = smallMapping.replacing("when: closed", with: "when: {column: how, in: [\"已办结*\", 待*结]}")
        let mapping = try Mapping.parse(text, path: "m.yaml")
        try withFile(
            """
            id,opened,via,title,text,wants_reply,lat,located,ward,unit,days,closed,how
            1,2025-01-01 10:00:00,telephone,t,,,,,,,,2025-01-02 10:00:00,"\(word)"
            """
        ) { path in
            let importer = try Importer(mapping: mapping, origin: try #require(NodeID("370100")), path: path)
            guard case .success(let row) = try #require(try importer.next()).result else {
                // It holds, and the word has no code.
                return #expect(holds)
            }
            #expect((row.records.last?.resource == "closure") == holds)
        }
        let alone = smallMapping.replacing("when: closed", with: "when: {column: how, not_in: [\"*\"]}")
        #expect(throws: FederationError.self) { try Mapping.parse(alone, path: "m.yaml") }
    }

    @Test func `a wildcard alone is refused`() throws {
        for pattern in ["*", "**"] {
            #expect(try refusal("\"tele*\": \"01\"", "\"\(pattern)\": \"01\"").code == "E_MAPPING")
        }
    }
}
