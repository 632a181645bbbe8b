import Testing

/// Reads a metrics page the way a strict scraper would: the text format 0.0.4 of Prometheus, where each metric has its HELP,
/// then its TYPE, then all its samples, and comes once.
struct PrometheusText {
    struct Problem: Error, CustomStringConvertible {
        let line: Int
        let description: String
    }

    /// The value of each sample, by its name and labels as they are written.
    private(set) var samples: [String: Double] = [:]
    /// The type of each metric, by its name.
    private(set) var types: [String: String] = [:]

    init(_ page: Substring) throws {
        guard page.hasSuffix("\n") else { throw Problem(line: 0, description: "the last line has no end") }
        // Name, labels, value. A time stamp is legal, but no business of ours.
        let pattern = /([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\["\\n])*",?)+\})? (\S+)/
        var announced = ""
        for (index, line) in page.split(separator: "\n", omittingEmptySubsequences: false).dropLast().enumerated() {
            func refuse(_ description: String) -> Problem { Problem(line: index + 1, description: description) }
            if let help = line.wholeMatch(of: /# HELP ([a-zA-Z_:][a-zA-Z0-9_:]*) \S.*/) {
                announced = String(help.1)
                guard types[announced] == nil else { throw refuse("\(announced) comes twice") }
            } else if let type = line.wholeMatch(of: /# TYPE (\S+) (counter|gauge)/) {
                guard type.1 == announced, types[announced] == nil else { throw refuse("no HELP before \(line)") }
                types[announced] = String(type.2)
            } else if let sample = line.wholeMatch(of: pattern) {
                guard sample.1 == announced, let type = types[announced] else { throw refuse("no TYPE before \(line)") }
                guard let value = Double(sample.3) else { throw refuse("no number: \(line)") }
                guard type == "gauge" || value >= 0 else { throw refuse("a counter below 0: \(line)") }
                guard samples.updateValue(value, forKey: String(sample.1 + (sample.2 ?? ""))) == nil else {
                    throw refuse("the same sample twice: \(line)")
                }
            } else {
                throw refuse("neither HELP, TYPE nor sample: \(line)")
            }
        }
    }
}

@Suite struct `A metrics page` {
    private static let good = "# HELP a_total Things.\n# TYPE a_total counter\na_total{peer=\"x\"} 1\na_total 2.5\n"

    @Test func `is read by a strict scraper`() throws {
        let text = try PrometheusText(Self.good[...])
        #expect(text.samples == ["a_total{peer=\"x\"}": 1, "a_total": 2.5])
        #expect(text.types == ["a_total": "counter"])
    }

    @Test(arguments: [
        "a_total 1\n", "# HELP a_total Things.\na_total 1\n", "# TYPE a_total counter\na_total 1\n",
        good + good, good + "b_total 1\n", good + "a_total 3\n", good + "a_total -1\n", good + "a_total{x} 1\n",
        good + "a_total{x=\"\"\"} 1\n", good + "a_total{9=\"x\"} 1\n", good + "a_total one\n", good + "\n",
        String(good.dropLast()),
    ])
    func `that a strict scraper refuses is refused`(page: String) {
        #expect(throws: PrometheusText.Problem.self) { try PrometheusText(page[...]) }
    }
}
