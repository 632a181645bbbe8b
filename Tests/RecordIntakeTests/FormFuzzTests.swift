import ConfigurationFiles
import FederationModel
import Foundation
import MappingSuggestions
import RecordIntake
import TestSupport
import Testing

/// Files of all forms and mappings, taken apart and put together wrongly. `scripts/fuzz-intake.sh` goes on with it for as long as one likes.
@Suite struct `Files of wrong structure` {
    /// `FUZZ_FIRST` and `FUZZ_SEEDS` of a campaign, else a slice.
    private static let seeds: Range<UInt64> = {
        func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap { UInt64($0) } }
        let first = number("FUZZ_FIRST") ?? 0
        return first..<first + (number("FUZZ_SEEDS") ?? 12)
    }()

    /// What stands in cells, and in no message.
    private static let secrets = ["张秘密", "18812340000", "幸福路77号", "2031-07-08"]

    private static let mapping = """
        key: 编号
        time_formats: ["yyyy-MM-dd HH:mm:ss"]
        empty_words: [无]
        records:
          - resource: service_request
            fields:
              service_request_id: 编号
              requested_datetime: 时间
              channel: {value: "01"}
              request_type: {column: 类型, titles_of: request_type, otherwise: "9"}
              urgency: {value: normal}
              acceptance: {value: accepted}
              title: 姓名
              reporter_phone: 电话
              address_string: {join: [地址, 姓名], separator: "/"}
          - resource: closure
            when: 办结
            fields: {occurred_at: 办结, closure_kind: {value: closed}}

        """

    private static let table: [[String]] =
        [["编号", "时间", "姓名", "电话", "地址", "类型", "办结"]]
        + (1...12).map {
            [
                "A\(1_000 + $0)", "2031-07-08 09:00:\(10 + $0)", "张秘密", "18812340000", "幸福路77号",
                $0 % 2 == 0 ? "投诉" : "无",
                $0 % 3 == 0 ? "2031-07-08 10:00:00" : "",
            ]
        }

    private static let csv = table.map { $0.joined(separator: ",") }.joined(separator: "\n") + "\n"
    private static let json =
        "{\"data\":{\"list\":["
        + table.dropFirst().map { row in
            "{" + zip(table[0], row).map { "\"\($0)\":\"\($1)\"" }.joined(separator: ",") + "}"
        }
        .joined(separator: ",\n") + "]}}\n"
    private static let html =
        "<html><body><table>"
        + table.map { row in "<tr>" + row.map { "<td>\($0)</td>" }.joined() + "</tr>" }.joined()
        + "</table></body></html>"
    private static let rows = table.enumerated().map { index, row in
        "<row r=\"\(index + 1)\">"
            + row.map { "<c t=\"inlineStr\"><is><t>\($0)</t></is></c>" }.joined() + "<c s=\"1\"><v>49498.375</v></c>"
            + "<c t=\"s\"><v>\(index % 2)</v></c></row>"
    }.joined()
    private static let shared = "<si><t>张秘密</t></si><si><r><t>幸福路</t></r><r><t>77号</t></r></si>"
    private static let styles =
        "<numFmts><numFmt numFmtId=\"164\" formatCode=\"yyyy-mm-dd h:mm\"/></numFmts><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"164\"/></cellXfs>"

    private static let foreign: [[UInt8]] =
        [
            "\"", ",", ";", "\t", "|", "\r", "\n", "\r\n", "sep=|\n", "合计,", "{", "}", "[", "]", ":", "\\", "\\u",
            "\\ud800",
            "null", "1e999", "-", "<table>", "</table>", "<td colspan=\"99999999\">", "<row r=\"1048577\">", "<row>",
            "<c r=\"XFE1\">", "<c t=\"s\"><v>-1</v></c>", "<c s=\"99999\"><v>1e308</v></c>", "<v>", "</v>", "<f>",
            "<!--",
            "<![CDATA[", "]]>", "&", "&#0;", "&#x110000;", "&lt;", "<!DOCTYPE a>", "<?x ?>", "=\"A1\"", "3.70102E+22",
            "- ", "*", "&a", "!!binary", "%", "|\n", "header_row: 99999\n", "encoding: UTF-16LE\n",
            "delimiter: \"\\\"\"\n",
            "short_rows: fill\n", "sheet: 无\n", "time_formats: [serial]\n", "time_formats: [ah]\n", "key: []\n",
            "    when: 类型\n", "{column: 姓名, titles_of: channel}",
        ].map { Array($0.utf8) }
        + [
            [0], [0xFF], [0xFE, 0xFF], [0xFF, 0xFE], [0xEF, 0xBB, 0xBF], [0xC0, 0x80], [0x81], [0xD6, 0xD0],
            [0xED, 0xA0, 0x80],
        ]

    private static func file(_ mutation: inout Mutation) throws -> [UInt8] {
        switch mutation.below(9) {
        case 0, 1: return mutation.apply(to: Mutation.words(Array(csv.utf8)), foreign: foreign)
        case 2: return mutation.apply(to: Mutation.lines(Array(csv.utf8)), foreign: foreign)
        case 3: return mutation.apply(to: Mutation.words(Array(json.utf8)), foreign: foreign)
        case 4: return mutation.apply(to: Mutation.tags(Array(html.utf8)), foreign: foreign)
        case 5, 6:
            var parts = workbookParts(rows: rows, shared: shared, styles: styles)
            let chosen = mutation.below(parts.count)
            switch mutation.below(8) {
            case 0: parts.remove(at: chosen)
            case 1: parts.append(parts[chosen])
            case 2: parts[chosen].name = parts[mutation.below(parts.count)].name
            default: parts[chosen].bytes = mutation.apply(to: Mutation.tags(parts[chosen].bytes), foreign: foreign)
            }
            let packed = zip(parts, packed: mutation.below(2) == 0)
            return mutation.below(4) == 0 ? mutation.overwrite(packed) : packed
        case 7:
            let text = mutation.apply(to: Mutation.lines(Array(csv.utf8)), foreign: foreign)
            let wide = String(decoding: text, as: UTF8.self).data(using: .utf16LittleEndian) ?? Data()
            return mutation.overwrite([0xFF, 0xFE] + wide)
        default:
            let fixture = "Tests/RecordIntakeTests/Fixtures/tickets.xls"
            let bytes = try Array(Data(contentsOf: repositoryRoot.appending(path: fixture)))
            let records = Mutation.records(ofWorkbook: bytes)
            let record = try #require(records.isEmpty ? nil : records[mutation.below(records.count)])
            return mutation.overwrite(bytes, in: record.lowerBound..<min(record.upperBound, record.lowerBound + 32))
        }
    }

    @Test(arguments: seeds)
    func `give rows, or a message that holds no value, in good time`(seed: UInt64) throws {
        var mutation = Mutation(seed: seed)
        for _ in 0..<25 {
            let bytes = try Self.file(&mutation)
            let mapping =
                mutation.below(3) == 0
                ? mutation.apply(to: Mutation.lines(Array(Self.mapping.utf8)), foreign: Self.foreign)
                : Array(Self.mapping.utf8)
            let started = ContinuousClock.now
            try withFile(bytes) { path in
                do {
                    let mapping = try Mapping.parse(String(decoding: mapping, as: UTF8.self), path: "m.yaml")
                    let importer = try Importer(mapping: mapping, origin: node("370100"), path: path)
                    while let row = try importer.next() {
                        if case .failure(let rejection) = row.result { check(rejection.reason, rejection.field ?? "") }
                    }
                } catch let error as FederationError {
                    #expect(error.code.hasPrefix("E_IMPORT_") || ["E_CSV_HEADER", "E_MAPPING"].contains(error.code))
                    check(error.message, error.hint ?? "")
                }
                do {
                    _ = try MappingSuggestion(path: path)
                } catch let error as FederationError {
                    check(error.message, error.hint ?? "")
                }
            }
            #expect(ContinuousClock.now - started < .seconds(60))
        }
    }

    private func check(_ texts: String...) {
        for secret in Self.secrets { #expect(!texts.joined(separator: " ").contains(secret)) }
    }
}
