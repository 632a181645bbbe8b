import ArgumentParser
import FederationModel
import NodeDesk

struct AnnouncementCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "announcement", abstract: "Notices to the public, which all nodes below see.",
        subcommands: [Publish.self, List.self, Withdraw.self])

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a notice. It goes to every node below at once, up and to peers by the topology's modes.",
            discussion: """
                EXAMPLE
                  federation-node announcement publish --title 停水通知 --content 解放东路今晚八点至十点停水 \
                    --until 2026-12-01 --region 370102 --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Option(help: "The title.")
        var title: String

        @Option(help: "The text.")
        var content: String

        @Option(help: "Until when it holds: a day, which is the last, or RFC 3339.")
        var until: String?

        @Option(help: "The region that it is about.")
        var region: String?

        @Option(help: "The service code that it is about.")
        var serviceCode: String?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if let until, end(until) == nil {
                throw ValidationError(
                    "--until \(until): neither a day like 2026-12-01 nor a time like 2026-12-01T22:00:00+08:00")
            }
        }

        private func end(_ text: String) -> UnixMilliseconds? {
            let isDay = text.utf8.count == "2026-12-01".utf8.count
            return ShanghaiTime.parse(text).map { isDay ? ShanghaiTime.end(ofDay: ShanghaiTime.dayNumber($0)) : $0 }
        }

        func run() async throws {
            let text = NodeDesk.AnnouncementText(
                title: title, content: content, validUntil: until.flatMap(end), region: region,
                serviceCode: serviceCode)
            try show(try await node.desk().publish(text), json: json)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the notices that hold, the newest first, of this node and of others.",
            discussion: """
                EXAMPLE
                  federation-node announcement list --all --config /srv/370102/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Also those that have run out or were withdrawn.")
        var all = false

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let announcements = try await desk.announcements(includesPast: all)
            if json { return try Output.json(announcements.map(Line.init)) }
            var table = TextTable(header: ["发布时间", "发布节点", "标题", "内容", "区划", "分类", "有效期至", "状态", "编号"])
            for report in announcements {
                let item = report.announcement
                table.append([
                    ShanghaiTime.minute(item.publishedAt), desk.topology.node(item.origin)?.name ?? item.origin.code,
                    item.title.printable, beginning(of: item.content).printable, item.region?.printable ?? "",
                    item.serviceCode?.printable ?? "", item.validUntil.map(ShanghaiTime.minute) ?? "", state(report),
                    item.key.printable,
                ])
            }
            print(table.text)
        }

        private func beginning(of text: String) -> String {
            text.count > Self.contentMax ? "\(text.prefix(Self.contentMax))…" : text
        }

        /// Characters of a text in the table; JSON has all of it.
        private static let contentMax = 40

        private func state(_ report: AnnouncementReport) -> String {
            if report.announcement.withdrawnAt != nil { return "已撤回" }
            return report.isValid ? "有效" : "已过期"
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Withdraw a notice of this node. It stays in `list --all`.",
            discussion: """
                EXAMPLE
                  federation-node announcement withdraw 370100-01K6C4XJ9ZQ4T1V8M2N7R5B3WD --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "Its key, as `list` shows it.")
        var key: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            try show(try await node.desk().withdraw(announcement: key), json: json)
        }
    }
}

private func show(_ report: AnnouncementReport, json: Bool) throws {
    if json { return try Output.json(Line(report)) }
    let announcement = report.announcement
    print("\(announcement.withdrawnAt == nil ? "已发布" : "已撤回") \(announcement.key)")
}

private struct Line: Encodable {
    let key: String
    let node: String
    let title: String
    let content: String
    let publishedAt: String
    let validUntil: String?
    let region: String?
    let serviceCode: String?
    let withdrawnAt: String?
    let valid: Bool

    init(_ report: AnnouncementReport) {
        let announcement = report.announcement
        key = announcement.key
        node = announcement.origin.code
        title = announcement.title
        content = announcement.content
        publishedAt = ShanghaiTime.rfc3339(announcement.publishedAt)
        validUntil = announcement.validUntil.map { ShanghaiTime.rfc3339($0) }
        region = announcement.region
        serviceCode = announcement.serviceCode
        withdrawnAt = announcement.withdrawnAt.map { ShanghaiTime.rfc3339($0) }
        valid = report.isValid
    }
}
