import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing

struct CSVReaderTests {
    private enum Seen: Equatable {
        case row(line: Int, [String])
        case malformed(line: Int, SourceFault)
    }

    private func rows(_ bytes: [UInt8]) throws -> [Seen] {
        try withFile(bytes) { path in
            let reader = try CSVReader(path: path)
            var seen: [Seen] = []
            while let step = try reader.next() {
                switch step {
                case .row: seen.append(.row(line: reader.rowLine, reader.header.indices.map(reader.text)))
                case .malformed(let fault): seen.append(.malformed(line: reader.rowLine, fault))
                }
                #expect(reader.rowNumber == seen.count)
            }
            #expect(reader.bytesRead == reader.bytesTotal)
            return seen
        }
    }

    private func rows(_ text: String) throws -> [Seen] { try rows(Array(text.utf8)) }

    private func headerError(_ bytes: [UInt8]) throws -> FederationError? {
        try withFile(bytes) { path in
            #expect(throws: FederationError.self) { try CSVReader(path: path) }
        }
    }

    @Test func `quoted fields hold commas, quotes and line breaks`() throws {
        let seen = try rows("a,b\r\n\"x,\"\"y\"\"\",\"1\n2\r\n3\"\r\nplain,\"\"\r\n")
        #expect(seen == [.row(line: 2, ["x,\"y\"", "1\n2\r\n3"]), .row(line: 5, ["plain", ""])])
    }

    @Test func `a byte order mark, blank lines and a missing last line break do no harm`() throws {
        let seen = try rows([0xEF, 0xBB, 0xBF] + Array("\"a\",b\n\n1,2\n\r\n\n3,4".utf8))
        #expect(seen == [.row(line: 3, ["1", "2"]), .row(line: 6, ["3", "4"])])
    }

    @Test func `blanks of every kind around a value are cut off, and nothing else`() throws {
        let seen = try rows(
            "a,b\n\u{3000}\u{A0} 甲　乙\t\u{3000},\"\n\t\t\u{FEFF}x\u{200B}\n\"\n! x !,\u{3001}x\u{3001}\n")
        #expect(seen == [.row(line: 2, ["甲　乙", "x"]), .row(line: 5, ["! x !", "\u{3001}x\u{3001}"])])
    }

    @Test func `a quote inside an unquoted field is an ordinary character`() throws {
        #expect(try rows("a,b\n5\" pipe,x\n") == [.row(line: 2, ["5\" pipe", "x"])])
    }

    @Test func `a row with another number of columns is put aside and the next one read`() throws {
        let seen = try rows("a,b\n1\n1,2,3\n1,2\n")
        #expect(
            seen == [
                .malformed(line: 2, .columnCount), .malformed(line: 3, .columnCount), .row(line: 4, ["1", "2"]),
            ])
    }

    @Test func `text after a closing quote costs its line only`() throws {
        let seen = try rows("a,b\n\"x\"y,1\n3,4\n")
        #expect(seen == [.malformed(line: 2, .unclosedQuote), .row(line: 3, ["3", "4"])])
    }

    @Test func `a quote that is open at the end of the file costs its line only`() throws {
        let seen = try rows("a,b\n1,\"open\n3,4\n5,6\n")
        #expect(
            seen == [.malformed(line: 2, .unclosedQuote), .row(line: 3, ["3", "4"]), .row(line: 4, ["5", "6"])])
    }

    @Test func `invalid UTF-8 and NUL bytes are put aside`() throws {
        let gb18030: [UInt8] = [0xBC, 0xC3, 0xC4, 0xCF]
        let seen = try rows(Array("a,b\n".utf8) + gb18030 + Array(",1\n\0,2\n\"\0\",2\n济南,3\n".utf8))
        #expect(
            seen == [
                .malformed(line: 2, .encoding), .malformed(line: 3, .nulByte), .malformed(line: 4, .nulByte),
                .row(line: 5, ["济南", "3"]),
            ])
    }

    @Test func `a field at the limit is taken and one byte more is not`() throws {
        let atLimit = String(repeating: "x", count: CSVLimits.fieldBytes)
        let seen = try rows("a,b\n1,\(atLimit)\n1,\(atLimit)y\n1,2\n")
        #expect(
            seen == [
                .row(line: 2, ["1", atLimit]), .malformed(line: 3, .tooLong), .row(line: 4, ["1", "2"]),
            ])
    }

    @Test func `a stray quote in a long file costs one line, not the file`() throws {
        let line = String(repeating: "abcdefg,", count: 10) + "z\n"
        let header = (1...11).map { "c\($0)" }.joined(separator: ",") + "\n"
        let seen = try rows(header + "\"" + String(repeating: line, count: 30_000))
        #expect(seen.first == .malformed(line: 2, .tooLong))
        #expect(seen.count == 30_000)
        #expect(seen.dropFirst().allSatisfy { if case .row = $0 { true } else { false } })
    }

    @Test func `a line beyond the row limit is skipped in bounded memory`() throws {
        let fields = String(repeating: "abcdefg,", count: CSVLimits.rowBytes / 8 + 10)
        let seen = try rows("a,b\n\(fields)\n1,2\n")
        #expect(seen == [.malformed(line: 2, .tooLong), .row(line: 3, ["1", "2"])])
    }

    @Test func `rows that cross the ends of the read buffer stay whole`() throws {
        let value = String(repeating: "字\n", count: 50)
        let text = (0..<20_000).map { "\($0),\"\(value)\"\n" }.joined()
        let seen = try rows("a,b\n" + text)
        let expected = String(value.dropLast())
        #expect(seen.count == 20_000)
        for (index, row) in seen.enumerated() {
            #expect(row == .row(line: 2 + index * 51, ["\(index)", expected]))
        }
    }

    @Test func `gzip is unpacked and a cut stream is an error after its whole rows`() throws {
        // printf 'a,b\n1,2\n3,4\n' | gzip -n
        let base64 = "H4sIAAAAAAAAA0vUSeIy1DHiMtYx4QIA5enWzgwAAAA="
        let bytes = [UInt8](try #require(Data(base64Encoded: base64)))
        #expect(try rows(bytes) == [.row(line: 2, ["1", "2"]), .row(line: 3, ["3", "4"])])
        let error = #expect(throws: FederationError.self) { try rows(bytes.dropLast(9)) }
        #expect(error?.code == "E_IMPORT_READ")
    }

    @Test func `a file without a usable header is refused`() throws {
        #expect(try headerError([])?.code == "E_CSV_HEADER")
        #expect(try headerError(Array("\n\n".utf8))?.code == "E_CSV_HEADER")
        #expect(try headerError([0xFF, 0x2C, 0xFF, 0x0A])?.hint?.contains("convert") == true)
        let wide = String(repeating: "a,", count: CSVLimits.columns) + "a\n"
        #expect(try headerError(Array(wide.utf8))?.code == "E_CSV_HEADER")
        let error = #expect(throws: FederationError.self) { try CSVReader(path: "/nowhere/at/all.csv") }
        #expect(error?.code == "E_IMPORT_READ")
    }

    @Test func `no bytes make the reader fail`() throws {
        var state: UInt64 = 42
        let letters = Array("ab,,\"\"\n\n\r\0字".utf8)
        for _ in 0..<200 {
            let bytes = (0..<400).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1
                return letters[Int(state >> 33) % letters.count]
            }
            _ = try rows(Array("h,h2\n".utf8) + bytes)
        }
    }
}
