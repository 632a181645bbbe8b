/// The lines that reports put under a table: sums, who made it, when.
package enum TotalLine {
    /// How many of them there are at most.
    static let linesMax = 3

    private static let words = [
        "合计", "总计", "共计", "小计", "累计", "总数", "总条数", "总记录", "记录数", "本页", "total", "grandtotal", "sum", "制表", "打印", "导出",
        "统计时间", "审核人", "注：", "备注：",
    ]

    /// Whether the row that a reader found looks like one: its first value is such a word, or begins with one and at most
    /// half of its columns are filled.
    package static func matches(_ reader: any RowReader) -> Bool {
        if reader.form.kind == .json || reader.form.kind == .jsonLines { return false }
        var columns = reader.header.indices.lazy.map(reader.text).makeIterator()
        while let first = columns.next() {
            if first.isEmpty { continue }
            guard first.utf8.count <= 200 else { return false }
            let text = first.lowercased().filter { !$0.isWhitespace }
            if text.wholeMatch(of: /(共|第|total)[:：]?\d+(条|件|行|页|笔|records|rows).*/) != nil {
                return true
            }
            guard let word = words.first(where: text.hasPrefix) else { return false }
            if [word, word + ":", word + "："].contains(text) { return true }
            var filled = 1
            while let text = columns.next() { filled += text.isEmpty ? 0 : 1 }
            return filled * 2 <= reader.header.count
        }
        return false
    }
}
