import ArgumentParser
import FederationModel
import NodeDesk

struct KnowledgeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "knowledge", abstract: "Articles with what may be answered (知识库), which all nodes below see.",
        discussion: """
            EXAMPLE
              federation-node knowledge list --text 公积金
            """,
        subcommands: [Publish.self, List.self, Show.self, Withdraw.self])

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish an article, or a new text of one.",
            discussion: """
                EXAMPLE
                  federation-node knowledge publish --question 公积金怎么提取 --answer 登录公积金网厅办理 --source 市公积金中心 \
                    --until 2026-12-31 --category 02.01
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "What is asked.")
        var question: String

        @Option(help: "What is answered.")
        var answer: String

        @Option(help: "What the answer rests on.")
        var source: String?

        @Option(help: "Until when it holds: a day, which is the last.")
        var until: String?

        @Option(help: "The region that it is about.")
        var region: String?

        @Option(help: "The category that it is about.")
        var category: String?

        @Option(help: "The article of this node whose place it takes, by its key.")
        var replaces: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            var text = KnowledgeText(question: question, answer: answer)
            text.source = source
            text.validUntil = try until.map { ShanghaiTime.end(ofDay: ShanghaiTime.dayNumber(try parseTime($0))) }
            (text.region, text.category) = (region, category)
            let article = try await node.desk().publish(text, replacing: replaces)
            try json ? Output.json(ArticleLine(article)) : Output.line("已发布 \(article.key)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the articles that hold, the newest first, of this node and of others.",
            discussion: """
                EXAMPLE
                  federation-node knowledge list --text 公积金 --all
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "Only those that have it in question or answer.")
        var text: String?

        @Flag(help: "Also those that have run out or were withdrawn.")
        var all = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let articles = try await desk.articles(matching: text, includesPast: all)
            if json { return try Output.json(articles.map { ArticleLine($0) }) }
            var table = TextTable(header: ["发布时间", "发布节点", "问题", "来源依据", "区划", "分类", "有效期至", "编号"])
            for article in articles {
                table.append([
                    ShanghaiTime.minute(article.publishedAt),
                    desk.topology.name(of: article.origin) ?? article.origin.code,
                    article.question, article.source ?? "", article.region ?? "", article.category ?? "",
                    article.withdrawnAt == nil ? article.validUntil.map(ShanghaiTime.minute) ?? "" : "已撤回", article.key,
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Show an article whole, with the situations that it answers and the findings whose measures it is.",
            discussion: """
                EXAMPLE
                  federation-node knowledge show 370100-01K6C4XJ9ZQ4T1V8M2N7R5B3WD
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its key, as `list` shows it.")
        var key: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let article = try await desk.article(key)
            let uses = try await desk.uses(ofArticle: key)
            if json {
                return try Output.json(ArticleLine(article, situations: uses.situations, findings: uses.findings))
            }
            try Output.line("问 \(article.question)\n答 \(article.answer)\n依据 \(article.source ?? "–")")
            for (title, ids) in [("应急情形", uses.situations), ("改进措施", uses.findings)] where !ids.isEmpty {
                try Output.line("\(title) \(ids.joined(separator: " "))")
            }
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraw an article of this node. It stays in `list --all`.",
            discussion: """
                EXAMPLE
                  federation-node knowledge withdraw 370100-01K6C4XJ9ZQ4T1V8M2N7R5B3WD
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its key, as `list` shows it.")
        var key: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let article = try await node.desk().withdraw(article: key)
            try json ? Output.json(ArticleLine(article)) : Output.line("已撤回 \(article.key)")
        }
    }
}

private struct ArticleLine: Encodable {
    let key: String
    let node: String
    let question: String
    let answer: String
    let source: String?
    let publishedAt: String
    let validUntil: String?
    let region: String?
    let category: String?
    let withdrawnAt: String?
    /// Only where it is shown alone.
    let situations: [String]?
    let findings: [String]?

    init(_ article: KnowledgeArticle, situations: [String]? = nil, findings: [String]? = nil) {
        self.situations = situations
        self.findings = findings
        key = article.key
        node = article.origin.code
        question = article.question
        answer = article.answer
        source = article.source
        publishedAt = ShanghaiTime.rfc3339(article.publishedAt)
        validUntil = article.validUntil.map { ShanghaiTime.rfc3339($0) }
        region = article.region
        category = article.category
        withdrawnAt = article.withdrawnAt.map { ShanghaiTime.rfc3339($0) }
    }
}
