import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing
import Zstandard

/// The same text in every wrapping that a file may have.
@Suite struct `A file of records` {
    private static let text =
        "编号,内容\n" + (1...4_000).map { "\($0),解放东路\($0)号供热温度不达标，㐀䶿€🚰\n" }.joined()

    private func rows(_ bytes: [UInt8]) throws -> (header: [String], rows: [[String]], malformed: Int) {
        try withFile(bytes) { path in
            let reader = try CSVReader(path: path)
            var rows: [[String]] = []
            var malformed = 0
            while let step = try reader.next() {
                if step == .row { rows.append([reader.text(0), reader.text(1)]) } else { malformed += 1 }
            }
            return (reader.header, rows, malformed)
        }
    }

    private func gb18030(_ text: String) throws -> [UInt8] {
        // kCFStringEncodingGB_18030_2000 as Foundation's encoding.
        Array(try #require(text.data(using: String.Encoding(rawValue: 0x8000_0632))))
    }

    @Test func `gives the same rows in GB18030, in zstd and in both as in UTF-8`() throws {
        let plain = try rows(Array(Self.text.utf8))
        #expect(plain.header == ["编号", "内容"])
        #expect(plain.rows.count == 4_000 && plain.malformed == 0)
        let packed = try gb18030(Self.text)
        for bytes in [
            packed, try ZstandardCompressor().compress(Array(Self.text.utf8)),
            try ZstandardCompressor().compress(packed),
            [0xef, 0xbb, 0xbf] + Array(Self.text.utf8),
            // The byte order mark in GB18030.
            [0x84, 0x31, 0x95, 0x33] + packed,
        ] {
            let same = try rows(bytes)
            #expect(same.header == plain.header)
            #expect(same.rows == plain.rows)
        }
    }

    @Test func `loses only the row in which bytes are no character`() throws {
        var bytes = try gb18030(Self.text)
        let middle = try #require(bytes.dropFirst(bytes.count / 2).firstIndex(of: UInt8(ascii: ",")))
        bytes.insert(0xff, at: middle + 1)
        let read = try rows(bytes)
        #expect(read.malformed == 1)
        #expect(read.rows.count == 3_999)
    }

    @Test func `that is cut in its zstd stream is an error after its whole rows`() throws {
        let packed = try ZstandardCompressor().compress(Array(Self.text.utf8))
        #expect {
            try rows(Array(packed.dropLast(9)))
        } throws: { error in
            (error as? FederationError)?.code == "E_IMPORT_READ"
        }
    }

    /// By the names that a mapping asks for.
    @Test(arguments: [
        (#"{"data":[]}"#, []), (#"{"code":0,"data":{"total":0,"list":[ ]}}"#, []),
        (#"{"id":"1","title":"a","files":[{"title":"x"},{"title":"y"}]}"#, ["1"]), (#"{"id":"1","tags":[]}"#, ["1"]),
        (#"{"title":"export","data":[{"id":"1","title":"a"},{"id":"2"}]}"#, ["1", "2"]),
    ])
    func `of JSON has no rows in an empty array, and one in an object that has the names itself`(
        text: String, ids: [String]
    ) throws {
        let reader = try SourceFile(Array(text.utf8)).rows(columns: .named(["id", "title"]))
        var found: [String] = []
        while try reader.next() == .row { found.append(reader.text(0)) }
        #expect(found == ids)
    }

    @Test(arguments: [
        "导出时间,2024-01-05 09:00:00,张三\n", "热线,,\n统计,2024年01月05日,共1000条\n", "电话,053112345678,\n,,\n",
    ])
    func `has its header in the first row that may be names`(title: String) throws {
        let reader = try SourceFile(Array((title + "编号,时间,标题\n1,2024-01-05 09:00:00,t\n").utf8)).rows()
        #expect(reader.header == ["编号", "时间", "标题"])
        #expect(try reader.next() == .row && reader.text(0) == "1")
    }

    @Test func `of JSON Lines makes the records that the same table makes as CSV`() throws {
        let mapping = try Mapping.parse(
            """
            key: id
            time_formats: ["yyyy-MM-dd HH:mm:ss"]
            optional_columns: [lat, tags]
            records:
              - resource: service_request
                fields:
                  service_request_id: id
                  requested_datetime: opened
                  title: title
                  lat: lat
                  reply_required: wants_reply
                  channel: {value: "01"}
                  request_type: {value: "2"}
                  urgency: {value: normal}
                  acceptance: {value: accepted}
                ext: [tags]
            """, path: "m.yaml")
        let origin = try #require(NodeID("370100"))
        func records(_ text: String) throws -> [Result<[IntakeRecord], RowRejection>] {
            try withFile(text) { path in
                let importer = try Importer(mapping: mapping, origin: origin, path: path)
                var results: [Result<[IntakeRecord], RowRejection>] = []
                while let row = try importer.next() { results.append(row.result.map(\.records)) }
                return results
            }
        }
        let csv = #"""
            id,opened,title,lat,wants_reply,tags
            7,2025-09-30 09:00:00,"路灯 ""不亮"" ",36.5,true,"[""夜间"",1]"
            8,2025-09-30 10:00:00,停水,,false,

            """#
        let lines = #"""
            {"id": 7, "opened": "2025-09-30 09:00:00", "title": " 路灯 \"不亮\"", "lat": 36.5, "wants_reply": true, "tags": ["夜间", 1], "more": {}}

            {"id": "8", "opened": "2025-09-30 10:00:00", "title": "停水", "lat": null, "wants_reply": false}
            """#
        let expected = try records(csv).map { try $0.get() }
        #expect(try records(lines).map { try $0.get() } == expected)
        let broken = try records(lines + "\n[1]\n{\"id\": 9\nnot json\n")
        #expect(broken.count == 5)
        for result in broken.dropFirst(2) {
            guard case .failure(let rejection) = result else { throw CocoaError(.coderInvalidValue) }
            #expect(rejection.code == "E_JSON_LINE")
        }
    }
}
