import FederationModel

extension ReportDocument {
    /// Figures of fewer than so many are not published.
    package static let publicCellMin: Int64 = 5

    /// The chapter on alerts and situations.
    package static let urgentChapter = "urgent"
    /// 典型案例, and 对策建议, of a special report.
    package static let casesChapter = "cases"
    package static let adviceChapter = "advice"

    /// What the public does not get.
    private static let internalChapters = [urgentChapter, casesChapter, adviceChapter]

    /// The edition for the public. A row in which fewer than five are counted, also in a former period or behind a rate, has no figures;
    /// where it could be found by subtracting from a total another row has none either, the smallest. Every text is searched for what
    /// tells who somebody is.
    ///
    /// - Returns: the edition, how many rows have lost their figures, and in how many texts something was found.
    package func publicEdition() -> (document: ReportDocument, suppressed: Int, masked: Int) {
        var document = self
        document.edition = .public
        document.chapters.removeAll { Self.internalChapters.contains($0.id) }
        var (suppressed, masked) = (0, 0)
        func plain(_ text: String) -> String {
            let safe = Masking.freeText.mask(text)
            if !safe.isSame(as: text) { masked += 1 }
            return safe
        }
        for chapter in document.chapters.indices {
            for table in document.chapters[chapter].tables.indices
            where !Self.isOfData(document.chapters[chapter].tables[table]) {
                suppressed += document.chapters[chapter].tables[table].suppress(below: Self.publicCellMin)
            }
            // The words of the overview repeat its figures.
            if document.chapters[chapter].tables.contains(where: { $0.rows.contains(where: \.isSuppressed) }) {
                document.chapters[chapter].paragraphs = ["小于 \(Self.publicCellMin) 的数字及可推算出它的数字不公布,以 * 表示。"]
            }
            document.chapters[chapter].title = plain(document.chapters[chapter].title)
            document.chapters[chapter].paragraphs = document.chapters[chapter].paragraphs.map(plain)
            for table in document.chapters[chapter].tables.indices {
                for row in document.chapters[chapter].tables[table].rows.indices {
                    for cell in document.chapters[chapter].tables[table].rows[row].cells.indices {
                        let value = document.chapters[chapter].tables[table].rows[row].cells[cell].value
                        guard case .text(let text) = value, text != Cell.suppressed else { continue }
                        document.chapters[chapter].tables[table].rows[row].cells[cell].value = .text(plain(text))
                    }
                }
            }
        }
        document.title = plain(document.title)
        return (document, suppressed, masked)
    }

    /// What is about the data themselves: rows put aside, definitions.
    private static func isOfData(_ table: Table) -> Bool { ["coverage", "definitions"].contains(table.id) }
}

extension ReportDocument.Cell {
    static let suppressed = "*"

    var isSuppressed: Bool { value == .text(Self.suppressed) }

    /// Whether fewer than so many stand behind it, and not nobody.
    fileprivate func isSmall(_ least: Int64, _ column: ReportDocument.Column) -> Bool {
        if (format ?? column.format) == .whole, let count = value.integer { return (1..<least).contains(count) }
        guard let parts else { return false }
        return stride(from: 0, to: parts.count - 1, by: 2).contains { index in
            let (hits, all) = (parts[index], parts[index + 1])
            return [hits, all - hits, all].contains { (1..<least).contains($0) }
        }
    }
}

extension ReportDocument.Row {
    var isSuppressed: Bool { cells.contains(where: \.isSuppressed) }

    fileprivate mutating func suppress(_ columns: [ReportDocument.Column]) {
        for (index, column) in columns.enumerated() where column.format != .text {
            cells[index] = .text(ReportDocument.Cell.suppressed)
        }
    }
}

extension ReportDocument.Table {
    /// - Returns: how many rows have lost their figures.
    fileprivate mutating func suppress(below least: Int64) -> Int {
        func isSmall(_ row: ReportDocument.Row) -> Bool {
            zip(columns, row.cells).contains { $1.isSmall(least, $0) }
        }
        let parts = hasTotal ? rows.indices.dropLast() : rows.indices
        var gone = parts.filter { isSmall(rows[$0]) }
        if hasTotal {
            let counts = columns.indices.filter { columns[$0].format == .whole }
            func count(_ row: Int, _ column: Int) -> Int64 { rows[row].cells[column].value.integer ?? 0 }
            // The total less the rows that are shown tells the others: one alone, or several that are few together.
            func isTold(_ column: Int) -> Bool {
                let hidden = gone.map { count($0, column) }.filter { $0 > 0 }
                return !hidden.isEmpty && (hidden.count == 1 || hidden.reduce(0, &+) < least)
            }
            while let column = counts.first(where: isTold),
                let next = parts.filter({ !gone.contains($0) && count($0, column) > 0 })
                    .min(by: { count($0, column) < count($1, column) })
            {
                gone.append(next)
            }
            if let last = rows.indices.last, isSmall(rows[last]) { gone.append(last) }
        }
        for index in gone { rows[index].suppress(columns) }
        return gone.count
    }
}
