import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake
import TestSupport
import Testing

@Suite struct `The encoding of a file` {
    private struct Seen: Equatable {
        let form: String
        let rows: [String]

        init(_ form: String, _ rows: [String]) {
            self.form = form
            self.rows = rows
        }
    }

    private func read(_ bytes: [UInt8], encoding: TextEncoding? = nil) throws -> Seen {
        var format = SourceFormat()
        format.encoding = encoding
        let reader = try SourceFile(bytes).rows(format: format)
        var rows: [String] = []
        let second = reader.header.indices.dropFirst().first
        while let step = try reader.next() {
            rows.append(step == .row ? second.map(reader.text) ?? "" : "refused")
        }
        return Seen(reader.form.encoding?.rawValue ?? "", rows)
    }

    private func gbk(_ text: String) throws -> [UInt8] {
        // kCFStringEncodingGB_18030_2000 as Foundation's encoding.
        Array(try #require(text.data(using: String.Encoding(rawValue: 0x8000_0632))))
    }

    private static let header = Array("no,title\n".utf8)

    /// 0x92 is an apostrophe in code page 1252; with the letter behind it, it would be a Chinese character.
    @Test func `is not GB18030 because of an apostrophe of another one`() throws {
        let bytes = Self.header + Array("1,didn".utf8) + [0x92] + Array("t answer\n2,plain\n".utf8)
        #expect(try read(bytes) == Seen("UTF-8", ["refused", "plain"]))
        #expect(try read(bytes, encoding: .windows1252) == Seen("Windows-1252", ["didn’t answer", "plain"]))
    }

    @Test func `is not GB18030 because of words of German, French or traditional Chinese`() throws {
        for (text, encoding) in [
            ("1,Größe\n2,Straße\n3,für Bürger\n4,Übergänge\n", String.Encoding.windowsCP1252.rawValue),
            ("1,réclamation déposée\n2,à côté\n3,où ça\n", String.Encoding.windowsCP1252.rawValue),
            // kCFStringEncodingBig5 as Foundation's encoding.
            ("1,路燈不亮已經三天了請儘速處理\n2,噪音擾民影響居民休息\n", 0x8000_0A03),
        ] {
            let words = Array(try #require(text.data(using: String.Encoding(rawValue: encoding))))
            #expect(try read(Self.header + words).form == "UTF-8", "\(text)")
        }
    }

    @Test func `is decided by lines that come late as well`() throws {
        let ascii = (1...30_000).map { "\($0),code-\($0)\n" }.joined()
        let late = try read(Self.header + Array(ascii.utf8) + gbk("x,路灯不亮\n"))
        #expect(late.form == "GB18030")
        #expect(late.rows.last == "路灯不亮")
    }

    @Test func `is one: lines of the other are refused, whichever there are more of`() throws {
        let chinese = try gbk((1...5).map { "\($0),夜间噪声扰民\n" }.joined())
        let appended = try read(try gbk("编号,标题\n") + chinese + Array("q,路灯不亮\n".utf8))
        #expect(appended == Seen("GB18030", Array(repeating: "夜间噪声扰民", count: 5) + ["refused"]))
        let reversed = try read(Array("编号,标题\n1,路灯不亮\n2,停水\n".utf8) + gbk("3,夜间噪声扰民\n"))
        #expect(reversed == Seen("UTF-8", ["路灯不亮", "停水", "refused"]))
    }

    /// More than a megabyte, so that lines lie across the pieces in which it is looked at.
    @Test(arguments: ["\n", "\r\n"])
    func `is what one line more of many speaks for`(end: String) throws {
        let text = "1,\(String(repeating: "夜间噪声扰民影响居民休息", count: 10))\(end)"
        let pair = try Array(text.utf8) + gbk(text)
        let even = Self.header + (0..<2_000).flatMap { _ in pair }
        #expect(try read(even).form == "UTF-8")
        #expect(try read(even + gbk(text)).form == "GB18030")
    }

    /// 一 in GB18030 is also a letter of Cyrillic in UTF-8: such a line is no sign of the other encoding.
    @Test func `is not disturbed by short words that are both`() throws {
        #expect(try read(gbk("编号,标题\n1,一\n2,噪声扰民\n")) == Seen("GB18030", ["一", "噪声扰民"]))
    }

    @Test(arguments: ["utf-8", "GBK", "gb2312", "GB18030", "UTF-16LE", "cp1252", "big5"])
    func `has a name that people write`(name: String) { #expect(TextEncoding(name: name) != nil) }

    @Test(arguments: [
        ("%PDF-1.7\n", "PDF"), ("<html><body>500</body></html>\n", "web page without a table"),
        ("<?xml version=\"1.0\"?><a/>", "XML"), ("[[1,2],[3,4]]", "array of arrays"),
        ("MIME-Version: 1.0\n", "web archive"),
        ("BZh91AY", "bzip2"),
    ])
    func `matters not where the form is not read; that is named`(text: String, form: String) {
        let error = #expect(throws: FederationError.self) { try read(Array(text.utf8)) }
        #expect(error?.code == "E_IMPORT_FORM")
        #expect(error?.message.contains(form) == true)
    }

    @Test func `and carriage returns alone end lines`() throws {
        #expect(try read(Array("no,title\r1,a\r2,b\r".utf8)).rows == ["a", "b"])
    }

    @Test func `and no bytes make any reader fail`() throws {
        var draw = SplitMix64(seed: 3)
        let pieces: [[UInt8]] = [
            [0xEF, 0xBB, 0xBF], [0xFF, 0xFE], Array("[{\"a\":".utf8), Array("{\"a\":[{".utf8),
            Array("<table><tr><td>".utf8),
            Array("</td></tr>".utf8), [0x50, 0x4B, 3, 4], [0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1], [0],
            [0xD6, 0xD0],
            Array("\"a,b\n".utf8), Array("sep=;\n".utf8), Array("}],1".utf8), Array("\r\n".utf8), Array("合计,".utf8),
            [0x1F, 0x8B],
        ]
        for _ in 0..<1_500 {
            let bytes = (0..<(1 + Int(draw.next() % 12))).flatMap { _ in pieces[Int(draw.next() % UInt64(pieces.count))]
            }
            do {
                _ = try read(bytes)
            } catch let error as FederationError {
                #expect(error.code.hasPrefix("E_IMPORT_") || error.code == "E_CSV_HEADER")
            }
        }
    }
}
