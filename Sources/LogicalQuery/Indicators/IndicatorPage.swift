import FederationModel

extension IndicatorLibrary {
    /// The manual's page, made from the declarations: `docs/indicators.md`.
    package var page: String {
        var lines = [
            "# Indicators 指标", "",
            "Made from the declarations by `federation-node indicator list --markdown`; a test holds it equal to them.",
            "",
            "## The language", "",
            """
            A figure is one or more **terms**: a **fact** (what is counted), a **period** (the time that decides when a row belongs to a day or month), \
            a **base** (which rows it is about at all), a **numerator** and, for a rate or mean, a **denominator**; terms are added up by their **weight**.
            """, "",
            "| What | How it is written |", "| --- | --- |",
            "| numerator, denominator | `count`, `sum(x)`, each with `where CONDITION`; alone and without denominator `least(x)`, `greatest(x)`, `p1(x)` to `p99(x)`, `persons` |",
            "| values | columns of the fact, `'text'`, whole numbers, lengths of time (`90s`, `15min`, `24h`, `10d`), `now`, `+`, `-`, `coalesce(a, b)`, `working(a, b)` for the working time between two times |",
            "| conditions | `=`, `<>`, `<`, `<=`, `>`, `>=`, `in (…)`, `is null`, `is not null`, `and`, `or`, `not`, parentheses; a column alone means that it is 1; what is missing equals nothing |",
            "| unit | `count`, `percent`, `hours` and `minutes` (of milliseconds), `seconds`, `per_10000` (of residents) |",
            "",
            "Quantiles are exact up to \(Distribution.exactMax) values a group and within 1 % beyond; persons are exact up to \(DistinctCount.exactMax) and have a standard",
            "error of 1.6 % beyond. Both merge over nodes. Averages of averages can't be written down.", "",
            "Records of a ticket's thread have the columns of their ticket with `ticket.` in front. Personal columns are not there.",
            "",
            "## A file of one's own: `indicators.yaml`", "",
            """
            A node's own figures stand in the file of the setting `indicators`; `federation-node indicator validate FILE` names every problem with its line. The top node \
            makes a file everybody's with `federation-node indicator publish FILE`: then an indicator of the program may be defined anew, with a higher version. \
            `three_rates` sets what the three rates (三率) weigh, `human_calls` in less than how many seconds an abandoned call asked for nobody (人工请求).
            """, "",
            "```yaml", "version: 1", "title: 济南市指标",
            "three_rates: {version: 2, response: 0.2, resolution: 0.4, satisfaction: 0.4}",
            "human_calls: {version: 2, short_abandon_seconds: 5}", "indicators:",
            "  - name: urgent_share", "    version: 1", "    title: 突发诉求占比", "    english: share of urgent tickets",
            "    clause: 济南市热线办 2025 年第 3 号", "    unit: percent", "    numerator: 紧急程度为突发的", "    denominator: 受理的诉求",
            "    exclusions: 并入他单的", "    terms:",
            "      - {fact: ticket, base: not merged, numerator: count where urgency = 'urgent', denominator: count}",
            "```", "",
            "A term may also have `period` (a time of the fact) and `weight` (1).", "", "| Code | Meaning |",
            "| --- | --- |",
            "| `E_INDICATORS_UNREADABLE`, `E_INDICATORS_TOO_LARGE`, `E_INDICATORS_NOT_UTF8`, `E_INDICATORS_SYNTAX`, `E_INDICATORS_ALIAS` | The file can't be read: missing, over 200,000 bytes, no UTF-8, no YAML, or with anchors. |",
            "| `E_INDICATORS_NOT_A_MAPPING`, `E_INDICATORS_MISSING_KEY`, `E_INDICATORS_UNKNOWN_KEY`, `E_INDICATORS_DUPLICATE_KEY`, `E_INDICATORS_WRONG_TYPE`, `E_INDICATORS_BAD_NUMBER`, `E_INDICATORS_BAD_NAME`, `E_INDICATORS_UNKNOWN_WORD` | A key or value of it has another shape. |",
            "| `E_INDICATORS_DECLARATION` | A declaration can't be read, or reads a column that its fact does not have; the message says why. |",
            "| `E_INDICATORS_UNKNOWN_FACT`, `E_INDICATORS_PERIOD` | A term names no fact, or no time of it. |",
            "| `E_INDICATORS_DENOMINATOR` | A percentage has a term without denominator. |",
            "| `E_INDICATORS_WEIGHTS` | The weights of the three rates do not add up to 1. |",
            "| `E_INDICATORS_DUPLICATE_NAME`, `E_INDICATORS_TOO_MANY` | A name or title stands twice, or there are more than 500. |",
            "",
            "## Facts 事实", "", "| Fact | 名称 | Period | Columns |", "| --- | --- | --- | --- |",
        ]
        for fact in Fact.all {
            let columns = fact.columns.keys.filter { !$0.hasPrefix("ticket.") }.sorted().map { "`\($0)`" }
            lines.append("| `\(fact.name)` | \(fact.title) | `\(fact.period)` | \(columns.joined(separator: " ")) |")
        }
        lines += ["", "## Dimensions 维度", "", "| Dimension | 名称 | Facts |", "| --- | --- | --- |"]
        for dimension in Analysis.Dimension.allCases {
            let facts = Fact.all.filter { $0.has(dimension) }.map(\.title).joined(separator: "、")
            lines.append("| `\(dimension.name)` | \(dimension.title) | \(facts) |")
        }
        lines += ["", "## Indicators 指标", ""]
        for indicator in all {
            lines.append("### `\(indicator.name)` \(indicator.title)")
            lines.append("")
            lines.append(
                "\(indicator.english). v\(indicator.measure.version), \(indicator.measure.unit.rawValue), \(indicator.clause)"
            )
            lines.append("")
            lines.append("- \(indicator.denominator == nil ? "计数" : "分子"): \(indicator.numerator)")
            if let denominator = indicator.denominator { lines.append("- 分母: \(denominator)") }
            if let exclusions = indicator.exclusions { lines.append("- 不含: \(exclusions)") }
            for term in indicator.measure.terms {
                let weight = indicator.measure.terms.count > 1 ? ", weight \(term.weight)" : ""
                lines.append("- `\(term.fact.name)` by `\(term.period)`\(weight)")
                if !term.base.text.isEmpty { lines.append("  - base: `\(term.base.text)`") }
                lines.append("  - numerator: `\(term.numerator.text)`")
                if let denominator = term.denominator { lines.append("  - denominator: `\(denominator.text)`") }
            }
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }
}
