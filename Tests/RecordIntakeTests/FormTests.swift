import ConfigurationFiles
import FederationModel
import Foundation
import MappingSuggestions
import RecordIntake
import TestSupport
import Testing
import Zstandard

/// A hundred invented tickets in every form in which hotlines' systems write such tables. `Fixtures/make-workbooks.py` made them.
@Suite struct `A hundred tickets` {
    private static let mapping = """
        key: 工单编号
        time_formats: ["yyyy-MM-dd HH:mm:ss"]
        records:
          - resource: service_request
            fields:
              service_request_id: 工单编号
              requested_datetime: 来电时间
              channel: {value: "01"}
              request_type: {column: 诉求类型, titles_of: request_type}
              urgency: {value: normal}
              acceptance: {value: accepted}
              title: 诉求标题
              description: 诉求内容
              long: 经度
            ext: [序数]
          - resource: assignment
            when: 承办单位
            fields: {occurred_at: 来电时间, assignee_unit: 承办单位, role: {value: main}}
          - resource: closure
            when: 办结时间
            fields: {occurred_at: 办结时间, closure_kind: {value: closed}}

        """

    private static let fixtures = repositoryRoot.appending(path: "Tests/RecordIntakeTests/Fixtures")

    private static func fixture(_ name: String) throws -> [UInt8] {
        try Array(Data(contentsOf: fixtures.appending(path: name)))
    }

    private func take(_ bytes: [UInt8], mapping: String = mapping) throws -> (rows: [SourceRow], form: SourceForm) {
        try withFile(bytes) { path in
            let mapping = try Mapping.parse(mapping, path: "m.yaml")
            let importer = try Importer(mapping: mapping, origin: node("370100"), path: path)
            var rows: [SourceRow] = []
            while let row = try importer.next() { rows.append(try row.result.get()) }
            return (rows, importer.form)
        }
    }

    /// The cells of the table, header first.
    private static let table: [[String]] = {
        guard let text = try? fixture("tickets.csv"), let reader = try? SourceFile(text).rows() else { return [] }
        var rows = [reader.header]
        while (try? reader.next()) == .row { rows.append(reader.header.indices.map(reader.text)) }
        return rows
    }()

    private static func csv(_ delimiter: String, lineEnd: String = "\n") -> String {
        table.map { row in
            row.map { $0.contains { "\"\n,;|\t".contains($0) } ? "\"\($0.replacing("\"", with: "\"\""))\"" : $0 }
                .joined(separator: delimiter)
        }
        .joined(separator: lineEnd) + lineEnd
    }

    private static func json(_ separator: String) -> String {
        table.dropFirst().map { row in
            "{"
                + zip(table[0], row).map { name, value in
                    let literal =
                        name == "序数"
                        ? value
                        : "\""
                            + value.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
                            .replacing("\n", with: "\\n").replacing("\t", with: "\\t") + "\""
                    return "\"\(name)\":\(literal)"
                }
                .joined(separator: ",") + "}"
        }
        .joined(separator: separator)
    }

    private static var html: String {
        let rows = table.map { row in
            "<tr>"
                + row.map { value in
                    "<td>"
                        + value.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing("\n", with: "<br>")
                        + "</td>"
                }
                .joined() + "</tr>"
        }
        return """
            <html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset="gb2312"><style>td {color: red}</style></head>
            <body><table border=1><tr><td colspan=9>12345热线工单明细表</td></tr>
            \(rows.joined(separator: "\n"))
            <tr><td>合计</td><td colspan=8>100</td></tr></table></body></html>
            """
    }

    private static func encoded(_ text: String, _ encoding: UInt) throws -> [UInt8] {
        Array(try #require(text.data(using: String.Encoding(rawValue: encoding))))
    }

    private static let gb18030: UInt = 0x8000_0632
    private static let utf16LittleEndian = String.Encoding.utf16LittleEndian.rawValue
    private static let utf16BigEndian = String.Encoding.utf16BigEndian.rawValue

    private static func forms() throws -> [(name: String, bytes: [UInt8], form: String)] {
        let plain = Array(csv(",").utf8)
        let report = "12345热线工单明细表,,,,,,,,\n打印时间：2024-09-01,,,,,,,,\n\n" + csv(",") + "合计,100,,,,,,,\n,,,,,,,,\n"
        return [
            ("comma", plain, "CSV, UTF-8, separated by comma, header in line 1"),
            ("semicolon", Array(csv(";").utf8), "CSV, UTF-8, separated by semicolon, header in line 1"),
            ("tab", Array(csv("\t").utf8), "CSV, UTF-8, separated by tab, header in line 1"),
            ("pipe", Array(csv("|").utf8), "CSV, UTF-8, separated by pipe, header in line 1"),
            (
                "sep line", Array(("sep=;\r\n" + csv(";", lineEnd: "\r\n")).utf8),
                "CSV, UTF-8, separated by semicolon, header in line 2"
            ),
            (
                "sep line with the tab's name", Array(("Sep=\\t\n" + csv("\t")).utf8),
                "CSV, UTF-8, separated by tab, header in line 2"
            ),
            ("report", Array(report.utf8), "CSV, UTF-8, separated by comma, header in line 4"),
            ("mark", [0xEF, 0xBB, 0xBF] + plain, "CSV, UTF-8, separated by comma, header in line 1"),
            ("GB18030", try encoded(csv(","), gb18030), "CSV, GB18030, separated by comma, header in line 1"),
            (
                "UTF-16LE with mark", [0xFF, 0xFE] + (try encoded(csv("\t"), utf16LittleEndian)),
                "CSV, UTF-16LE, separated by tab, header in line 1"
            ),
            (
                "UTF-16LE", try encoded(csv("\t"), utf16LittleEndian),
                "CSV, UTF-16LE, separated by tab, header in line 1"
            ),
            (
                "UTF-16BE with mark", [0xFE, 0xFF] + (try encoded(csv(","), utf16BigEndian)),
                "CSV, UTF-16BE, separated by comma, header in line 1"
            ),
            ("UTF-16BE", try encoded(csv(","), utf16BigEndian), "CSV, UTF-16BE, separated by comma, header in line 1"),
            ("gzip", gzip(plain), "CSV, UTF-8, separated by comma, header in line 1"),
            ("zstd", try ZstandardCompressor().compress(plain), "CSV, UTF-8, separated by comma, header in line 1"),
            ("JSON array", Array("[\(json(","))]".utf8), "JSON, UTF-8"),
            ("JSON array over lines", Array("\n[\n\(json(",\n"))\n]\n".utf8), "JSON, UTF-8"),
            (
                "JSON in an object",
                Array(
                    "{\"code\":0,\"tags\":[{\"a\":1}],\"data\":{\"total\":100,\"list\":[\(json(","))]},\"ok\":true}"
                        .utf8), "JSON, UTF-8"
            ),
            ("JSON in GB18030", try encoded("[\(json(","))]", gb18030), "JSON, GB18030"),
            ("JSON Lines", Array(json("\n").utf8), "JSON Lines, UTF-8"),
            ("objects with commas", Array(json(",\n").utf8), "JSON, UTF-8"),
            ("HTML", Array(html.utf8), "HTML, UTF-8, header in row 2"),
            ("HTML in GB18030", try encoded(html, gb18030), "HTML, GB18030, header in row 2"),
            ("xlsx", try fixture("tickets.xlsx"), "xlsx, sheet 工单, header in row 1"),
            ("xlsx of a report", try fixture("report.xlsx"), "xlsx, sheet 1月 & 2月, header in row 4"),
            ("xlsx in gzip", gzip(try fixture("tickets.xlsx")), "xlsx, sheet 工单, header in row 1"),
            ("xls", try fixture("tickets.xls"), "xls, sheet 工单, header in row 1"),
        ]
    }

    @Test func `are the same rows in every form, and the form is told`() throws {
        let expected = try take(try Self.fixture("tickets.csv")).rows
        #expect(expected.count == 100)
        #expect(expected.contains { $0.records[0].fields["title"]?.text == "㐀街与𠮷路口积水" })
        for form in try Self.forms() {
            let taken = try take(form.bytes)
            #expect(taken.form.text == form.form)
            #expect(taken.rows.count == 100, "\(form.name)")
            for (row, same) in zip(taken.rows, expected) where row != same {
                Issue.record("\(form.name): \(row) is not \(same)")
                break
            }
        }
    }

    @Test func `come through a pipe too`() throws {
        let expected = try take(try Self.fixture("tickets.csv")).rows
        for bytes in [
            try Self.fixture("tickets.csv"), try Self.fixture("tickets.xlsx"), gzip(try Self.fixture("tickets.csv")),
        ] {
            let pipe = Pipe()
            let thread = Thread {
                try? pipe.fileHandleForWriting.write(contentsOf: bytes); try? pipe.fileHandleForWriting.close()
            }
            thread.start()
            let mapping = try Mapping.parse(Self.mapping, path: "m.yaml")
            let path = "/proc/self/fd/\(pipe.fileHandleForReading.fileDescriptor)"
            let importer = try Importer(mapping: mapping, origin: node("370100"), path: path)
            var rows: [SourceRow] = []
            while let row = try importer.next() { rows.append(try row.result.get()) }
            #expect(rows == expected)
        }
    }

    @Test func `that are cut anywhere give whole rows, an error or both, and never an end that looks right`() throws {
        let expected = try take(try Self.fixture("tickets.csv")).rows
        let known = Set(expected)
        for form in try Self.forms()
        where ["xlsx", "xls", "gzip", "zstd", "JSON array", "HTML", "xlsx of a report"].contains(form.name) {
            for share in 1...60 {
                let bytes = Array(form.bytes.prefix(form.bytes.count * share / 61))
                try withFile(bytes) { path in
                    var rows: [SourceRow] = []
                    let error = #expect(throws: FederationError.self, "\(form.name) cut to \(bytes.count)") {
                        let mapping = try Mapping.parse(Self.mapping, path: "m.yaml")
                        let importer = try Importer(mapping: mapping, origin: node("370100"), path: path)
                        while let row = try importer.next() {
                            if case .success(let row) = row.result { rows.append(row) }
                        }
                    }
                    #expect(
                        error.map { $0.code.hasPrefix("E_IMPORT_") || ["E_CSV_HEADER", "E_MAPPING"].contains($0.code) }
                            ?? true, "\(form.name): \(String(describing: error))")
                    #expect(rows.allSatisfy(known.contains), "\(form.name) cut to \(bytes.count)")
                }
            }
        }
    }

    @Test func `never end the process, whatever byte of a workbook is wrong`() throws {
        var draw = SplitMix64(seed: 7)
        for name in ["tickets.xls", "tickets.xlsx"] {
            let whole = try Self.fixture(name)
            for _ in 0..<150 {
                var bytes = whole
                for _ in 0..<(1 + Int(draw.next() % 8)) {
                    // The beginning holds the places that everything else is found by.
                    let range = draw.next() % 2 == 0 ? bytes.count : min(bytes.count, 2_048)
                    bytes[Int(draw.next() % UInt64(range))] =
                        [0, 0xFF, 0xFE, 0x7F, 0x80, UInt8(truncatingIfNeeded: draw.next())][Int(draw.next() % 6)]
                }
                do {
                    let reader = try SourceFile(bytes).rows()
                    while try reader.next() != nil { _ = reader.header.indices.map(reader.text) }
                } catch let error as FederationError {
                    #expect(error.code.hasPrefix("E_IMPORT_") || error.code == "E_CSV_HEADER")
                }
            }
        }
    }

    @Test func `have a suggested mapping that takes them all, in every form`() throws {
        for form in try Self.forms() {
            try withFile(form.bytes) { path in
                let suggestion = try MappingSuggestion(path: path)
                let mapping = try Mapping.parse(suggestion.yaml, path: "suggested.yaml")
                let importer = try Importer(mapping: mapping, origin: node("370100"), path: path)
                var tally = IntakeTally()
                while let row = try importer.next() { tally.count(row) }
                #expect(tally.read == 100 && tally.rejected == 0, "\(form.name): \(tally)")
                #expect(mapping.key.map(\.name) == ["工单编号"], "\(form.name)")
            }
        }
    }
}
