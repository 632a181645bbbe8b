import ConfigurationFiles
import FederationModel
import RecordIntake
import Testing

@Suite struct `A workbook` {
    private func rows(_ bytes: [UInt8], sheet: String? = nil) throws -> [[String]] {
        var format = SourceFormat()
        format.sheet = sheet
        let reader = try SourceFile(bytes).rows(format: format)
        var rows = [reader.header]
        while let step = try reader.next() {
            rows.append(step == .row ? reader.header.indices.map(reader.text) : ["malformed"])
        }
        return rows
    }

    private func code(_ bytes: [UInt8], sheet: String? = nil) -> String? {
        do {
            _ = try rows(bytes, sheet: sheet)
            return nil
        } catch {
            return (error as? FederationError)?.code
        }
    }

    private let header =
        "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>a</t></is></c><c r=\"B1\" t=\"inlineStr\"><is><t>b</t></is></c></row>"

    @Test func `has texts of every kind, at their places`() throws {
        let made = workbook(
            rows: """
                <row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>c</t></is></c></row>
                <row r="3"><c r="C3" t="str"><f>A1</f><v> formula </v></c><c r="A3" t="b"><v>1</v></c></row>
                <row><c t="e"><v>#N/A</v></c><c><v>12</v></c><c t="inlineStr"><is><r><t>rich </t></r><r><t>text_x000D_</t></r></is></c></row>
                """, shared: "<si><t>a</t></si><si><r><t>b</t></r><rPh><t>x</t></rPh></si>")
        #expect(try rows(made) == [["a", "b", "c"], ["true", "", "formula"], ["", "12", "rich text"]])
    }

    @Test func `writes numbers without noise, and days and times as its formats show them`() throws {
        let styles = """
            <numFmts><numFmt numFmtId="164" formatCode="yyyy&quot;年&quot;m&quot;月&quot;d&quot;日&quot;"/><numFmt numFmtId="165" formatCode="[$-804]上午/下午h:mm;@"/><numFmt numFmtId="166" formatCode="[h]:mm"/><numFmt numFmtId="167" formatCode="#,##0.00_ ;[Red]-#,##0.00"/><numFmt numFmtId="168" formatCode="000000"/></numFmts>
            <cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>
            <cellXfs><xf numFmtId="0"/><xf numFmtId="22"/><xf numFmtId="164"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="167"/><xf numFmtId="31"/><xf numFmtId="168"/></cellXfs>
            """
        func text(_ value: String, style: Int) throws -> String {
            try rows(
                workbook(
                    rows: header + "<row><c s=\"\(style)\"><v>\(value)</v></c><c><v>1</v></c></row>", styles: styles))[
                    1][0]
        }
        #expect(try text("13800000000", style: 0) == "13800000000")
        #expect(try text("0.10000000000000001", style: 0) == "0.1")
        #expect(try text("1.38E+10", style: 0) == "13800000000")
        // More digits than a number holds: whoever reads it must see that.
        #expect(try text("3.70102E+22", style: 0) == "3.70102E+22")
        #expect(try text("45296.378472", style: 1) == "2024-01-05 09:05:00")
        #expect(try text("45296", style: 2) == "2024-01-05")
        #expect(try text("45296.5", style: 2) == "2024-01-05 12:00:00")
        #expect(try text("0.75", style: 3) == "18:00:00")
        #expect(try text("1.5", style: 4) == "36:00:00")
        #expect(try text("1234.5", style: 5) == "1234.5")
        #expect(try text("45296", style: 6) == "2024-01-05")
        #expect(try text("123", style: 7) == "000123" && text("1234567", style: 7) == "1234567")
        #expect(try text("1.5", style: 7) == "1.5" && text("-1", style: 7) == "-1")
        #expect(try text("59", style: 2) == "1900-02-28")
        #expect(try text("61", style: 2) == "1900-03-01")
        #expect(try text("-1", style: 2) == "-1")
        #expect(try text("1e300", style: 2) == "1e300")
        #expect(try text("nan", style: 2) == "nan")
    }

    @Test func `refuses a row whose formula has no result, and takes the others`() throws {
        let made = workbook(
            rows: header + "<row><c><f>1+1</f></c><c><v>1</v></c></row><row><c><v>2</v></c><c><v>3</v></c></row>")
        #expect(try rows(made) == [["a", "b"], ["malformed"], ["2", "3"]])
    }

    @Test func `is read by the name of a sheet, and names its sheets when there is none of that name`() throws {
        let error = #expect(throws: FederationError.self) { try rows(workbook(rows: header), sheet: "none") }
        #expect(error?.code == "E_IMPORT_SHEET")
        #expect(error?.hint?.contains("'表'") == true)
        #expect(try rows(workbook(rows: header), sheet: "表") == [["a", "b"]])
        #expect(code(Array("a,b\n1,2\n".utf8), sheet: "表") == "E_IMPORT_SHEET")
    }

    @Test func `never has entities of its own, so none grows`() {
        let laughs = """
            <!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;&lol;">\
            <!ENTITY lol3 "&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;&lol2;">]>
            """
        let row = "<row><c t=\"inlineStr\"><is><t>&lol3;</t></is></c></row>"
        #expect(code(workbook(rows: header + row, prefix: laughs)) == "E_IMPORT_READ")
        let outside = "<!DOCTYPE x [<!ENTITY file SYSTEM \"file:///etc/passwd\">]>"
        #expect(code(workbook(rows: header + row, prefix: outside)) == "E_IMPORT_READ")
    }

    @Test func `that unpacks to far more than it should is refused`() {
        let bomb = String(repeating: " ", count: 60 << 20)
        #expect(code(workbook(rows: header + bomb, packed: true)) == "E_IMPORT_READ")
    }

    @Test func `has no place beyond those of Excel`() throws {
        #expect(code(workbook(rows: header + "<row r=\"99999999\"><c><v>1</v></c></row>")) == "E_IMPORT_READ")
        #expect(code(workbook(rows: header + "<row r=\"-5\"><c><v>1</v></c></row>")) == "E_IMPORT_READ")
        let wide =
            "<row><c r=\"ZZZZZZZZZZZZZZZZZZ9\"><v>1</v></c></row><row><c r=\"C4\"><v>1</v></c></row><row><c><v>1</v></c></row>"
        #expect(try rows(workbook(rows: header + wide)) == [["a", "b"], ["malformed"], ["malformed"], ["1", ""]])
        #expect(code(workbook(rows: header + "<row><c t=\"s\"><v>99</v></c></row>")) == nil)
    }

    @Test func `that lacks its rows, or is something else in a zip file, says what it is`() {
        #expect(code(workbook(rows: "")) == "E_CSV_HEADER")
        func message(_ parts: [String]) -> String {
            do {
                _ = try rows(zip(parts.map { (name: $0, bytes: []) }))
                return ""
            } catch {
                return "\(error)"
            }
        }
        #expect(message(["t.csv"]).contains("a zip archive of 1 files"))
        #expect(message(["mimetype", "content.xml"]).contains("OpenDocument"))
        #expect(message(["xl/workbook.bin"]).contains(".xlsb"))
        #expect(message(["[Content_Types].xml", "xl/workbook.xml"]).contains(".xlsx"))
    }
}
