import FederationModel
import Foundation
import RecordIntake
import Testing
import Zstandard

/// The same text in every wrapping that a file may have.
@Suite struct `A file of records` {
    private static let text =
        "编号,内容\n" + (1...4_000).map { "\($0),解放东路\($0)号供热温度不达标，㐀䶿€🚰\n" }.joined()

    private func rows(_ bytes: [UInt8]) throws -> (header: [String], rows: [[String]], malformed: Int) {
        let path = FileManager.default.temporaryDirectory.appending(path: "input-\(UUID().uuidString)").path
        try Data(bytes).write(to: URL(filePath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let reader = try CSVReader(path: path)
        var rows: [[String]] = []
        var malformed = 0
        while let step = try reader.next() {
            if step == .row { rows.append([reader.text(0), reader.text(1)]) } else { malformed += 1 }
        }
        return (reader.header, rows, malformed)
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
}
