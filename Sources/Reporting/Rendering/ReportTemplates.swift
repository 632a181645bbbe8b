import FederationModel
import Mustache

/// How reports look: a template for HTML and one for Markdown, which a node can replace by its own.
package struct ReportTemplates: Sendable {
    private let html: MustacheTemplate
    private let markdown: MustacheTemplate

    /// The names of the files in which a node keeps its own.
    package static let htmlFile = "report.html.mustache"
    package static let markdownFile = "report.md.mustache"

    /// - Parameters: the texts of a node's own templates; nil for those of the program.
    /// - Throws: `E_REPORT_TEMPLATE` naming the one that can't be read.
    package init(html: String? = nil, markdown: String? = nil) throws(FederationError) {
        self.html = try Self.template(html ?? Self.standardHTML, Self.htmlFile)
        self.markdown = try Self.template(markdown ?? Self.standardMarkdown, Self.markdownFile)
    }

    private static func template(_ text: String, _ name: String) throws(FederationError) -> MustacheTemplate {
        do {
            return try MustacheTemplate(string: text)
        } catch {
            throw FederationError(
                "E_REPORT_TEMPLATE", "\(name) is no mustache template: \(error)",
                hint: "docs/reports.md shows what a template may hold")
        }
    }

    /// Prints on A4; charts are in it.
    package func html(_ report: ArchivedReport) -> String {
        html.render(ReportPage(report, plain: htmlText))
    }

    package func markdown(_ report: ArchivedReport) -> String {
        markdown.render(ReportPage(report, plain: markdownText))
    }

    /// All tables, one below the other, each behind a line with its chapter and its title.
    package func csv(_ report: ArchivedReport, isSafe: Bool) -> String {
        let document = report.document
        var lines = [csvLine(["report", document.number, "\(report.revision)", document.edition.rawValue])]
        for chapter in document.chapters {
            for table in chapter.tables {
                lines.append(csvLine(["table", chapter.id, table.id, table.title]))
                lines.append(csvLine(table.columns.map(\.id)))
                lines += table.rows.map { row in
                    csvLine(
                        zip(table.columns, row.cells).map { column, cell in
                            switch cell.value {
                            case .null: ""
                            case .text(let text): isSafe ? text.safeForSpreadsheet : text
                            case .integer, .real:
                                ((cell.format ?? column.format) == .whole ? .whole : ReportDocument.Format.decimal)
                                    .text(cell.value)
                            }
                        })
                }
            }
        }
        return lines.joined()
    }

    // Texts of the page are escaped for their format already, therefore the three braces.

    private static let standardHTML = """
        <!DOCTYPE html>
        <html lang="zh-CN">
        <head>
        <meta charset="utf-8">
        <title>{{{title}}} {{{number}}}</title>
        <style>
        @page { size: A4; margin: 18mm 15mm;
          @bottom-center { content: counter(page) " / " counter(pages); font: 9pt \(Drawing.fonts); } }
        body { font-family: \(Drawing.fonts); font-size: 10.5pt; line-height: 1.6; color: #222; max-width: 180mm;
          margin: 0 auto; padding: 8mm; }
        @media print { body { padding: 0; } }
        h1 { text-align: center; font-size: 18pt; color: #b00020; margin: 0; }
        .head { text-align: center; border-bottom: 2px solid #b00020; padding-bottom: 6px; margin-bottom: 14px; }
        h2 { font-size: 13pt; margin: 18px 0 6px; break-after: avoid; }
        h3 { font-size: 10.5pt; margin: 10px 0 4px; break-after: avoid; }
        table { border-collapse: collapse; width: 100%; font-size: 9pt; margin-bottom: 10px; }
        thead { display: table-header-group; }
        tr { break-inside: avoid; }
        th, td { border: 1px solid #bbb; padding: 2px 5px; text-align: left; vertical-align: top; }
        th { background: #f3f3f3; }
        .n { text-align: right; white-space: nowrap; }
        .total td { font-weight: bold; background: #fafafa; }
        svg { width: 100%; max-height: 110mm; break-inside: avoid; }
        </style>
        </head>
        <body>
        <div class="head">
        <h1>{{{title}}}</h1>
        {{{period}}}  编号 {{{number}}}  第 {{revision}} 版({{edition}})  {{{node}}}  编制 {{made}}
        </div>
        {{#chapters}}
        <h2>{{number}} {{{title}}}</h2>
        {{#paragraphs}}
        <p>{{{.}}}</p>
        {{/paragraphs}}
        {{#tables}}
        <h3>{{{title}}}</h3>
        {{#hasChart}}
        {{{chart}}}
        {{/hasChart}}
        <table>
        <thead><tr>{{#columns}}<th{{#isNumber}} class="n"{{/isNumber}}>{{{text}}}</th>{{/columns}}</tr></thead>
        <tbody>
        {{#rows}}
        <tr{{#isTotal}} class="total"{{/isTotal}}>{{#cells}}<td{{#isNumber}} class="n"{{/isNumber}}>{{{text}}}</td>{{/cells}}</tr>
        {{/rows}}
        </tbody>
        </table>
        {{/tables}}
        {{/chapters}}
        {{#isRevised}}
        <h2>修订说明</h2>
        <table>
        <thead><tr><th>位置</th><th class="n">原</th><th class="n">现</th><th class="n">变化</th></tr></thead>
        <tbody>
        {{#changes}}
        <tr><td>{{{place}}}</td><td class="n">{{{before}}}</td><td class="n">{{{after}}}</td><td class="n">{{{delta}}}</td></tr>
        {{/changes}}
        </tbody>
        </table>
        {{/isRevised}}
        </body>
        </html>

        """

    private static let standardMarkdown = """
        # {{{title}}}

        {{{period}}}  编号 {{{number}}}  第 {{revision}} 版({{edition}})  {{{node}}}  编制 {{made}}

        {{#chapters}}
        ## {{number}} {{{title}}}

        {{#paragraphs}}
        {{{.}}}

        {{/paragraphs}}
        {{#tables}}
        ### {{{title}}}

        |{{#columns}} {{{text}}} |{{/columns}}
        {{{rule}}}
        {{#rows}}
        |{{#cells}} {{{text}}} |{{/cells}}
        {{/rows}}

        {{/tables}}
        {{/chapters}}
        {{#isRevised}}
        ## 修订说明

        | 位置 | 原 | 现 | 变化 |
        | --- | ---: | ---: | ---: |
        {{#changes}}
        | {{{place}}} | {{{before}}} | {{{after}}} | {{{delta}}} |
        {{/changes}}
        {{/isRevised}}

        """
}

/// A text within a line or a table of Markdown: nothing in it is taken for a mark or for HTML.
private func markdownText(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\\", "|", "`", "[", "]", "<", "*", "_":
            escaped += "\\"
            escaped.unicodeScalars.append(scalar)
        case _ where scalar.value < 0x20: escaped += " "
        default: escaped.unicodeScalars.append(scalar)
        }
    }
    return escaped
}
