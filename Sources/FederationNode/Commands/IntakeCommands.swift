import ArgumentParser
import FederationModel
import NodeDesk

struct ImportListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List imports and, by token and hour, pushes: the latest first.",
        discussion: """
            EXAMPLE
              federation-node import list --limit 20
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "At most so many.")
    var limit = 50

    @Flag(help: "Print JSON.")
    var json = false

    func validate() throws {
        guard limit > 0 else { throw ValidationError("--limit must be positive") }
    }

    func run() async throws {
        let entries = try await node.desk().intakes(limit: limit)
        if json { return try Output.json(entries.map { IntakeDocument($0) }) }
        var table = TextTable(header: ["编号", "开始时间", "方式", "来源", "文件", "读取", "新增", "变更", "重开", "撤回", "拒绝", "状态"])
        for entry in entries {
            func count(_ change: IntakeChange) -> String { "\(entry.counts.changes[change] ?? 0)" }
            table.append([
                "\(entry.number)", ShanghaiTime.minute(entry.beganAt), entry.kind == .push ? "推送" : "导入", entry.source,
                entry.file ?? "–", "\(entry.counts.read)", count(.new), count(.changed), count(.reopened),
                count(.withdrawn), "\(entry.counts.rejected)", entry.state,
            ])
        }
        try Output.line(table.text)
    }
}

struct ImportShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one import, or what one token pushed within an hour.",
        discussion: """
            EXAMPLE
              federation-node import show 12
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "Its number, as `import` and `import list` tell it.")
    var number: Int64

    func run() async throws {
        let entry = try await node.desk().intake(number)
        if json { return try Output.json(IntakeDocument(entry)) }
        let counts = entry.counts
        func count(_ change: IntakeChange) -> Int { counts.changes[change] ?? 0 }
        var lines = [
            "\(entry.kind == .push ? "推送" : "导入") \(entry.number)  来源 \(entry.source)  \(entry.state)",
            "  开始 \(ShanghaiTime.second(entry.beganAt))  结束 \(entry.endedAt.map(ShanghaiTime.second) ?? "–")",
            "  读取 \(counts.read)  新增 \(count(.new))  变更 \(count(.changed))  重开 \(count(.reopened))  撤回 \(count(.withdrawn))",
            "  未变 \(counts.unchanged)  同键合并 \(counts.collapsed)  拒绝 \(counts.rejected)",
        ]
        if let file = entry.file { lines.insert("  文件 \(file)  资源 \(entry.resource?.text ?? "–")", at: 1) }
        if entry.kept > 0 { lines.append("  撤销时保留 \(entry.kept) 条：其工单已有他人处理") }
        try Output.line(lines.joined(separator: "\n"))
    }
}

struct ImportUndoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "undo",
        abstract: "Bring back what the rows of an import were before it, here and at every node that has them.",
        discussion: """
            Records that were not here before become tombstones, changed ones get their former fields back, withdrawn ones \
            return, all as new versions. Later imports stay: a row that a later file of the same source says too remains, and \
            what was written on top remains on top. A ticket that came by the import and on which a person or another node has \
            acted stays and is named; then the exit code is 3.

            EXAMPLE
              federation-node import undo 12 --dry-run
              federation-node import undo 12
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Count what would be done, change nothing.")
    var dryRun = false

    @Flag(help: "Print JSON.")
    var json = false

    @Argument(help: "Its number, as `import` and `import list` tell it.")
    var number: Int64

    func run() async throws {
        let report = try await node.desk().undo(intake: number, isTrial: dryRun)
        if json {
            try Output.json(
                UndoDocument(
                    intake: report.number, dryRun: dryRun, removed: report.removed, restored: report.restored,
                    passedOn: report.passedOn, kept: report.kept, keptTickets: report.keptTickets))
        } else {
            var text = dryRun ? "撤销 \(number)（仅试算）" : "已撤销 \(number)"
            text += "：删除 \(report.removed) 条，恢复 \(report.restored) 条，由以后的导入或推送继续承认 \(report.passedOn) 条"
            if report.kept > 0 {
                text += "\n不能撤销 \(report.kept) 条：其工单已有他人处理"
                for ticket in report.keptTickets { text += "\n  \(ticket.printable)" }
            }
            try Output.line(text)
        }
        if report.kept > 0 { throw ExitStatus.incomplete }
    }

    private struct UndoDocument: Encodable {
        let intake: Int64
        let dryRun: Bool
        let removed: Int
        let restored: Int
        let passedOn: Int
        let kept: Int
        let keptTickets: [String]
    }
}

extension IntakeEntry {
    fileprivate var state: String {
        if undoneAt != nil { return kept > 0 ? "部分撤销" : "已撤销" }
        if kind == .import, endedAt == nil { return "未完成" }
        return isRemembered ? "可撤销" : "已过撤销期"
    }
}

private struct IntakeDocument: Encodable {
    let number: Int64
    let kind: String
    let source: String
    let resource: String?
    let file: String?
    let beganAt: String
    let endedAt: String?
    let read: Int
    let accepted: Int
    let new: Int
    let changed: Int
    let reopened: Int
    let withdrawn: Int
    let unchanged: Int
    let collapsed: Int
    let rejected: Int
    let undoneAt: String?
    let kept: Int
    let canBeUndone: Bool

    init(_ entry: IntakeEntry) {
        (number, kind, source) = (entry.number, entry.kind.rawValue, entry.source)
        (resource, file) = (entry.resource?.text, entry.file)
        beganAt = ShanghaiTime.rfc3339(entry.beganAt)
        endedAt = entry.endedAt.map { ShanghaiTime.rfc3339($0) }
        undoneAt = entry.undoneAt.map { ShanghaiTime.rfc3339($0) }
        let counts = entry.counts
        func count(_ change: IntakeChange) -> Int { counts.changes[change] ?? 0 }
        (read, accepted) = (counts.read, counts.accepted)
        (new, changed, reopened, withdrawn) = (count(.new), count(.changed), count(.reopened), count(.withdrawn))
        (unchanged, collapsed, rejected) = (counts.unchanged, counts.collapsed, counts.rejected)
        kept = entry.kept
        canBeUndone = entry.isRemembered && (entry.undoneAt == nil || entry.kept > 0)
    }
}
