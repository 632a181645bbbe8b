import FederationModel

/// A chart as inline SVG: no script, no font and no picture from elsewhere, so it prints as it is shown. Colours and fonts are attributes,
/// since WeasyPrint applies no style of the page to what is within a drawing.
struct Drawing {
    private let points: [(title: String, value: Double)]

    init(_ points: [(title: String, value: Double)]) { self.points = points }

    /// - Returns: nil where there is nothing to see.
    func svg(_ shape: ReportDocument.Chart.Shape) -> String? {
        guard points.count > 1, let most = points.map(\.value).max(), most > 0 else { return nil }
        return switch shape {
        case .bars: bars(most)
        case .line: line(most)
        }
    }

    private static let width = 640
    private static let colour = "#2f6db5"

    /// Those of a report, in a drawing and around it.
    static let fonts = "Noto Sans CJK SC, Source Han Sans SC, Microsoft YaHei, sans-serif"

    /// One below the other, so that long names have room.
    private func bars(_ most: Double) -> String {
        let (step, left, room) = (20, 170, 400)
        var svg = open(height: points.count * step + 8, "条形图")
        for (index, point) in points.enumerated() {
            let y = index * step + 4
            let length = Int((point.value / most * Double(room)).rounded())
            svg += """
                <text x="\(left - 6)" y="\(y + 13)" text-anchor="end">\(Self.short(point.title, 12))</text>\
                <rect x="\(left)" y="\(y + 2)" width="\(length)" height="14" fill="\(Self.colour)"/>\
                <text x="\(left + length + 5)" y="\(y + 13)">\(Self.number(point.value))</text>
                """
        }
        return svg + "</svg>"
    }

    private func line(_ most: Double) -> String {
        let (height, left, top, bottom) = (200, 50, 14, 30)
        let span = Self.width - left - 20
        func x(_ index: Int) -> Int { left + span * index / max(1, points.count - 1) }
        func y(_ value: Double) -> Int { top + Int((Double(height - top - bottom) * (1 - value / most)).rounded()) }
        var svg = open(height: height, "折线图")
        for share in [0.0, 0.5, 1.0] {
            svg += """
                <line x1="\(left)" y1="\(y(most * share))" x2="\(left + span)" y2="\(y(most * share))" stroke="#ddd"/>\
                <text x="\(left - 6)" y="\(y(most * share) + 4)" text-anchor="end">\(Self.number(most * share))</text>
                """
        }
        let places = points.enumerated().map { "\(x($0)),\(y(max(0, $1.value)))" }
        svg += """
            <polyline points="\(places.joined(separator: " "))" fill="none" stroke="\(Self.colour)" stroke-width="2"/>
            """
        // No more labels than fit.
        let every = max(1, (points.count + 6) / 7)
        for index in stride(from: 0, to: points.count, by: every) {
            svg += """
                <text x="\(x(index))" y="\(height - 10)" text-anchor="middle">\(Self.short(points[index].title, 10))</text>
                """
        }
        return svg + "</svg>"
    }

    private func open(height: Int, _ title: String) -> String {
        """
        <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Self.width) \(height)" role="img" aria-label="\(title)" \
        font-family="\(Self.fonts)" font-size="11">
        """
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value.magnitude < 1e15
            ? "\(Int64(value))" : ReportDocument.Format.decimal.text(.real(value))
    }

    private static func short(_ title: String, _ length: Int) -> String {
        htmlText(title.count > length ? "\(title.prefix(length - 1))…" : title)
    }
}

/// A text as HTML and SVG take it.
func htmlText(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&quot;"
        case "'": escaped += "&#39;"
        case _ where scalar.value < 0x20 && scalar != "\n": escaped += " "
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}
