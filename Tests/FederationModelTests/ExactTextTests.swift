import FederationModel
import Testing

struct ExactTextTests {
    /// U+212B and U+00C5, U+F900 and U+8C48, é as one and as two scalars: equal to Swift, not to SQLite.
    private static let pairs = [("K-\u{212B}", "K-\u{C5}"), ("\u{F900}", "\u{8C48}"), ("\u{E9}", "e\u{301}")]

    @Test(arguments: pairs)
    func `texts that Unicode holds for equivalent are two`(first: String, second: String) {
        #expect(first == second)
        #expect(ExactText(first) != ExactText(second))
        #expect(Set([ExactText(first), ExactText(second)]).count == 2)
        #expect((ExactText(first) < ExactText(second)) != (ExactText(second) < ExactText(first)))
        #expect(FieldValue.text(first) != FieldValue.text(second))
        #expect(Set([FieldValue.text(first), .text(second)]).count == 2)
        #expect(RowKey(origin: "370100", key: first) != RowKey(origin: "370100", key: second))
        let ids = [first, second].map { TicketEvent.ID(resource: "closure", origin: "370100", key: $0) }
        #expect(ids[0] != ids[1] && Set(ids).count == 2)
    }

    @Test func `a line of CSV is quoted by bytes, and no text of it is taken for a formula`() {
        #expect(csvLine(["a\r\nb", "c", "d\"e", "f,g"]) == "\"a\r\nb\",c,\"d\"\"e\",\"f,g\"\n")
        #expect(csvField("\u{301},") == "\"\u{301},\"")
        for text in ["=1+1", "+8613800000000", "-1", "@SUM(1)", " =1", "\t=1", "\r=1", "\u{3000}=1"] {
            #expect(text.safeForSpreadsheet == "'" + text)
        }
        for text in ["", "路灯", "1=1", "a@b"] { #expect(text.safeForSpreadsheet == text) }
    }
}
