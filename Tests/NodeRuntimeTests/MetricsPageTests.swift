import FederationModel
import LocalStore
import NodeRuntime
import TestSupport
import Testing

@Suite struct `The metrics page` {
    @Test func `is Prometheus text with help and type before the samples`() throws {
        var page = MetricsPage()
        page.append(
            "federation_link_level", .gauge, help: "1 when the link is level.",
            samples: [([("peer", "370100"), ("direction", "sending")], 1), ([("peer", "370200")], 0)])
        page.append("federation_feed_head", .gauge, help: "Latest seq.", samples: [([], 12_345_678_901)])
        page.append("federation_refusals_total", .counter, help: "Refused.", samples: [])
        #expect(
            page.description == """
                # HELP federation_link_level 1 when the link is level.
                # TYPE federation_link_level gauge
                federation_link_level{peer="370100",direction="sending"} 1
                federation_link_level{peer="370200"} 0
                # HELP federation_feed_head Latest seq.
                # TYPE federation_feed_head gauge
                federation_feed_head 12345678901
                # HELP federation_refusals_total Refused.
                # TYPE federation_refusals_total counter

                """)
        let families = try PrometheusText.parse(page.description)
        #expect(families.map(\.name) == ["federation_link_level", "federation_feed_head", "federation_refusals_total"])
        #expect(families[1].samples.map(\.value) == [12_345_678_901])
    }

    @Test(arguments: [
        "", "plain", "\"", "\\", "\n", "\r\n", "\\n", "a\"b\\c\nd\r\ne", "济南市", "e\u{301}\r\n\u{301}", "{}=,\"} 1\n# X",
        "\u{2028}\u{85}",
    ])
    func `escapes every label so that it is read back`(value: String) throws {
        var page = MetricsPage()
        page.append("federation_x", .counter, help: "X.", samples: [([("label", value), ("other", "1")], 7)])
        let sample = try #require(try PrometheusText.parse(page.description).first?.samples.first)
        let label = try #require(sample.labels["label"])
        #expect(Array(label.utf8) == Array(value.utf8))
        #expect(sample.labels["other"] == "1")
        #expect(sample.value == 7)
    }

    @Test(
        arguments: [
            (0, "0"), (-0.0, "0"), (1.5, "1.5"), (-3, "-3"), (1e15, "1000000000000000"), (.infinity, "+Inf"),
            (-.infinity, "-Inf"), (.nan, "NaN"), (0.1, "0.1"), (1e-7, "1e-07"),
        ] as [(Double, String)])
    func `writes numbers as the format has them`(value: Double, text: String) throws {
        var page = MetricsPage()
        page.append("federation_x", .gauge, help: "X.", samples: [([], value)])
        #expect(page.description.hasSuffix("\nfederation_x \(text)\n"))
        let read = try #require(try PrometheusText.parse(page.description).first?.samples.first?.value)
        #expect(read == value || read.isNaN && value.isNaN)
    }
}

@Suite struct `The counters of the links` {
    @Test func `add up by peer and direction`() throws {
        let (metrics, peer) = (LinkMetrics(), node("370100"))
        metrics.sent(rows: 10, bytes: 100, peer: peer)
        metrics.sent(rows: 1, bytes: 7, peer: peer)
        metrics.received(rows: 2, bytes: 3, peer: peer)
        #expect(metrics.sent[peer]?.changeSets == 2)
        #expect(metrics.sent[peer]?.rows == 11)
        #expect(metrics.sent[peer]?.bytes == 107)
        #expect(metrics.received[peer]?.changeSets == 1)
    }

    @Test func `are not made to grow by codes that a peer invents`() throws {
        let (metrics, peer) = (LinkMetrics(), node("370100"))
        for number in 0..<3_000 { metrics.count("E_INVENTED_\(number)", direction: .sending, peer: peer) }
        for code in ["", "e_x", "E_\n", "E_X Y", "E_" + String(repeating: "X", count: 100), "错误"] {
            metrics.count(code, direction: .sending, peer: peer)
        }
        metrics.count("E_INVENTED_0", direction: .sending, peer: peer)
        #expect(metrics.refusals.count == LinkMetrics.refusalKeysMax + 1)
        #expect(metrics.refusals.values.reduce(0, +) == 3_007)
        #expect(metrics.refusals.first { $0.key.code == "E_INVENTED_0" }?.value == 2)
        #expect(metrics.refusals.first { $0.key.code == "E_OTHER" }?.value == 2_006)
    }
}

/// A strict reader of the text format 0.0.4, as far as this project writes it.
enum PrometheusText {
    struct Sample {
        let labels: [String: String]
        let value: Double
    }

    struct Family {
        let name: String
        let type: String
        var samples: [Sample] = []
    }

    struct Fault: Error {
        let line: Int
        let what: String
    }

    static func parse(_ text: String) throws -> [Family] {
        var families: [Family] = []
        var helped: String?
        guard text.utf8.last == 0x0a else { throw Fault(line: 0, what: "the last line has no end") }
        for (index, bytes) in text.utf8.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false).enumerated()
        {
            guard let line = String(bytes) else { throw Fault(line: index + 1, what: "not UTF-8") }
            let words = line.split(separator: " ", maxSplits: 3).map(String.init)
            if line.hasPrefix("# HELP ") {
                guard words.count == 4, !families.contains(where: { $0.name == words[2] }) else {
                    throw Fault(line: index + 1, what: "a second or an empty HELP")
                }
                helped = words[2]
            } else if line.hasPrefix("# TYPE ") {
                guard words.count == 4, words[2] == helped, ["counter", "gauge"].contains(words[3]),
                    words[2].wholeMatch(of: /[a-zA-Z_:][a-zA-Z0-9_:]*/) != nil
                else { throw Fault(line: index + 1, what: "a TYPE that does not follow its HELP") }
                families.append(Family(name: words[2], type: words[3]))
            } else {
                guard let family = families.last, line.hasPrefix(family.name) else {
                    throw Fault(line: index + 1, what: "a sample of another metric")
                }
                let rest = String(line.unicodeScalars.dropFirst(family.name.unicodeScalars.count))
                families[families.count - 1].samples.append(try sample(rest, line: index + 1))
            }
        }
        return families
    }

    private static func sample(_ text: String, line: Int) throws -> Sample {
        var rest = text.unicodeScalars[...]
        var labels: [String: String] = [:]
        func take(_ scalar: Unicode.Scalar) -> Bool {
            guard rest.first == scalar else { return false }
            rest = rest.dropFirst()
            return true
        }
        if take("{") {
            repeat {
                let name = String(String.UnicodeScalarView(rest.prefix { $0 != "=" }))
                rest = rest.dropFirst(name.unicodeScalars.count)
                guard name.wholeMatch(of: /[a-zA-Z_][a-zA-Z0-9_]*/) != nil, labels[name] == nil, take("="), take("\"")
                else { throw Fault(line: line, what: "a label without a name or a quote") }
                var value = String.UnicodeScalarView()
                while let scalar = rest.popFirst(), scalar != "\"" {
                    guard scalar == "\\" else {
                        value.append(scalar)
                        continue
                    }
                    switch rest.popFirst() {
                    case "n": value.append("\n")
                    case "\\": value.append("\\")
                    case "\"": value.append("\"")
                    default: throw Fault(line: line, what: "an unknown escape")
                    }
                }
                labels[name] = String(value)
            } while take(",")
            guard take("}") else { throw Fault(line: line, what: "labels that are not closed") }
        }
        guard take(" "), let value = number(String(rest)) else { throw Fault(line: line, what: "no number") }
        return Sample(labels: labels, value: value)
    }

    private static func number(_ text: String) -> Double? {
        switch text {
        case "NaN": .nan
        case "+Inf": .infinity
        case "-Inf": -.infinity
        default: text.wholeMatch(of: /-?[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?/) == nil ? nil : Double(text)
        }
    }
}
