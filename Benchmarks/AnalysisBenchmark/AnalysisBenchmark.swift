import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import LogicalQuery
import NodeDesk

/// What `scripts/bench-analysis.sh` can't measure from outside a process: the time of an answer without the start of a command.
@main
struct AnalysisBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "AnalysisBenchmark", abstract: "Measurements of questions; printed as JSON.",
        subcommands: [AskBenchmark.self, CatchUpBenchmark.self])
}

/// Asks as the service of a node does: at one desk that stays open, with connections to children that are kept.
struct AskBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ask", abstract: "Asks questions one after the other, each several times.",
        discussion: "AnalysisBenchmark ask --config /tmp/p/node.yaml --questions questions.json --repetitions 20")

    @Option(help: "The node's settings.")
    var config: String

    @Option(help: "A JSON array of questions, each with its name and the options of `query`.")
    var questions: String

    @Option(help: "How often each question is asked after the first time.")
    var repetitions = 20

    @Flag(help: "Forget what is kept before each time.")
    var fromRows = false

    @Flag(help: "The node's ClickHouse answers, or it is an error.")
    var fromWarehouse = false

    /// A question in the words of `query`.
    private struct Asked: Decodable {
        let name: String
        let measures: [String]
        let by: [String]?
        let filters: [String]?
        let from: String
        let to: String
        let top: Int?
        let compare: String?

        private enum CodingKeys: String, CodingKey {
            case name, measures, by
            case filters = "where"
            case from, to, top, compare
        }

        var question: AnalysisQuestion {
            get throws {
                var question = AnalysisQuestion()
                (question.measures, question.dimensions, question.filters) = (measures, by ?? [], filters ?? [])
                (question.from, question.to) = (try time(from), try time(to))
                question.top = top
                question.comparison = compare.flatMap { PeriodComparison(rawValue: $0) }
                return question
            }
        }

        private func time(_ text: String) throws -> UnixMilliseconds {
            guard let time = ShanghaiTime.parse(text) else { throw ValidationError("\(text) is no date") }
            return time
        }
    }

    private struct Answered: Encodable {
        let name: String
        let firstMS: Double
        let milliseconds: [Double]
        let columns: [String]
        let rows: [[FieldValue]]
        /// The sums behind each measure of each row.
        let parts: [[[Int64]]]
    }

    private struct Result: Encodable {
        let questions: [Answered]
        let rssMB: Double
    }

    func run() async throws {
        let asked = try JSONDecoder().decode([Asked].self, from: Data(contentsOf: URL(filePath: questions)))
        let local = try LocalNode(settings: try NodeSettings.load(path: config, environment: [:], flags: [:]))
        let peers = PeerClients(store: local.store) { () throws(FederationError) in try local.credentials() }
        let desk = NodeDesk(local, as: .system, peers: peers)
        var answers: [Answered] = []
        for asked in asked { answers.append(try await answer(asked, at: desk)) }
        await peers.shutdown()
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        print(String(decoding: try encoder.encode(Result(questions: answers, rssMB: peakMB())), as: UTF8.self))
    }

    private func answer(_ asked: Asked, at desk: NodeDesk) async throws -> Answered {
        let question = try asked.question
        func ask() async throws -> (report: AnalysisReport, milliseconds: Double) {
            if fromRows { _ = try await desk.forgetRollups() }
            let started = ContinuousClock.now
            let report = try await desk.ask(question, deadlineMS: 600_000)
            let elapsed = (ContinuousClock.now - started) / .milliseconds(1)
            guard report.isComplete else { throw ValidationError("\(asked.name): nodes are missing") }
            if fromWarehouse, let step = report.steps.first(where: { $0.source != .warehouse }) {
                throw ValidationError("\(asked.name): \(step.source) answered, \(step.gap ?? "and not ClickHouse")")
            }
            return (report, elapsed)
        }
        var (report, first) = try await ask()
        if !fromRows && !fromWarehouse {
            // What is found the first time is written beside the answer.
            var rest = 100
            while !report.isKept, rest > 0 {
                report = try await ask().report
                rest -= 1
            }
            guard report.isKept else { throw ValidationError("\(asked.name): nothing is kept of it") }
        }
        var milliseconds: [Double] = []
        for _ in 0..<repetitions { milliseconds.append(try await ask().milliseconds) }
        return Answered(
            name: asked.name, firstMS: first, milliseconds: milliseconds, columns: report.table.columns.map(\.name),
            rows: report.table.rows.map(\.cells), parts: report.table.rows.map(\.parts))
    }

    private func peakMB() throws -> Double {
        let status = try String(contentsOfFile: "/proc/self/status", encoding: .utf8)
        let words = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }?.split(
            whereSeparator: \.isWhitespace)
        return (words.flatMap { Double($0[1]) } ?? 0) / 1_024
    }
}

extension AnalysisReport {
    /// Whether each node that has rows answered from what it keeps of the question.
    fileprivate var isKept: Bool {
        let holders = Set(coverage.nodes.filter { ($0.rows ?? 0) > 0 }.map(\.node))
        return steps.allSatisfy { $0.source == .rollup || $0.source == .child || holders.isDisjoint(with: $0.origins) }
    }
}

/// Derives everything from the feed that a node derives, and says how long it took.
struct CatchUpBenchmark: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catch-up", abstract: "Folds tickets and stamps days, as far as they are not yet.",
        discussion: "AnalysisBenchmark catch-up --config /tmp/p/node.yaml")

    @Option(help: "The node's settings; its service does not run.")
    var config: String

    func run() async throws {
        let local = try LocalNode(settings: try NodeSettings.load(path: config, environment: [:], flags: [:]))
        let started = ContinuousClock.now
        try await local.store.catchUpConsumers(now: wallClock())
        print("{\"seconds\":\((ContinuousClock.now - started) / .seconds(1))}")
    }
}
