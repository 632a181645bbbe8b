import ArgumentParser
import FederationModel
import NodeDesk

struct UnitCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unit", abstract: "What a handling unit or a department sees of its tickets (7.2.2).",
        discussion: """
            A department's system asks the same by GET /v1/department/tickets with a token of its own: `token create --unit UNIT`.

            EXAMPLE
              federation-node unit feed --unit 市住建局 --since 0 --json
              federation-node unit unsatisfied --unit 市住建局
            """,
        subcommands: [Feed.self, Unsatisfied.self])

    struct Feed: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Its tickets of which anything has changed since a cursor, with all stages, masked; and how a unit was evaluated.",
            discussion: """
                EXAMPLE
                  federation-node unit feed --unit 市住建局 --since 120 --limit 50 --json
                  federation-node unit feed --category 03 --config /srv/370000/node.yaml
                  federation-node unit feed --category 03 --logical --json
                """)

        @OptionGroup var node: NodeOptions
        @OptionGroup var department: DepartmentOptions

        @Option(help: "Go on behind this cursor.")
        var since: Int64 = 0

        @Option(help: "At most so many tickets, 1 to 500.")
        var limit = 50

        @Flag(
            help:
                "Ask the logical nodes below for theirs, as far as their links grant rows; exit code 3 when one gives none."
        )
        var logical = false

        @Option(help: "With --logical, go on behind this row: NODE/KEY.")
        var after: String?

        @Flag(help: "Print JSON.")
        var json = false

        func validate() throws {
            if after != nil, !logical { throw ValidationError("--after goes with --logical; else it is --since") }
        }

        func run() async throws {
            let desk = try node.desk()
            if logical { return try await showLogical(desk) }
            let page = try await desk.departmentFeed(department.department, after: since, limit: limit)
            if json { return try Output.json(page) }
            var table = TextTable(header: ["游标", "工单", "来源", "状态", "承办单位", "时限", "轮次", "记录"])
            for item in page.items {
                table.append([
                    "\(item.cursor)", item.ticket, item.origin,
                    TicketStatus(rawValue: item.status)?.title ?? item.status,
                    item.unit ?? "", item.due ?? "", "\(item.round)", "\(item.records.count)",
                ])
            }
            try Output.line(table.text)
            if !page.evaluations.isEmpty { try Output.line(EvaluationLine.table(page.evaluations, desk)) }
            if !page.logical.isEmpty {
                Output.note("--logical asks for those of \(page.logical.joined(separator: ", "))")
            }
        }

        private func showLogical(_ desk: NodeDesk) async throws {
            let page = try await desk.logicalDepartmentTickets(department.department, after: after, limit: limit)
            let missing = page.nodes.filter { $0.state != "ok" && $0.state != "late" }
            if json {
                try Output.json(page)
            } else {
                var table = TextTable(header: ["工单", "节点", "问题分类", "承办单位", "标题"])
                for item in page.items {
                    let fields = item.fields
                    table.append(
                        [item.ticket, item.node]
                            + ["service_code", "assignee_unit", "title"].map { fields[$0]?.text ?? "" })
                }
                try Output.line(table.text)
                if let next = page.next { try Output.line("下一页 --after \(next.printable)") }
            }
            for node in missing { Output.note("\(node.node) \(node.name): \(node.code ?? node.state)") }
            if !missing.isEmpty { throw ExitStatus.incomplete }
        }
    }

    struct Unsatisfied: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Its tickets whose last evaluation is unsatisfied and counts, with their rework and its deadline.",
            discussion: """
                EXAMPLE
                  federation-node unit unsatisfied --unit 市住建局
                """)

        @OptionGroup var node: NodeOptions
        @OptionGroup var department: DepartmentOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let tickets = try await desk.unsatisfied(department.department)
            try Output.noteNotHeld(desk)
            if json { return try Output.json(UnsatisfiedPage(tickets).items) }
            var table = TextTable(header: ["工单", "状态", "满意度", "原因", "评价时间", "重办", "时限"])
            for ticket in tickets {
                table.append([
                    ticket.ticket, ticket.status?.title ?? "",
                    desk.reference.lists.named("score")?.title(of: "\(ticket.score)") ?? "\(ticket.score)",
                    ticket.reasons ?? "", ShanghaiTime.minute(ticket.evaluatedAt),
                    ticket.round > ticket.evaluatedRound ? "第 \(ticket.round) 轮" : "未启动",
                    ticket.due.map { ShanghaiTime.minute($0) + (ticket.isOverdue ? "(逾期)" : "") } ?? "",
                ])
            }
            try Output.line(table.text)
        }
    }
}

/// Whose tickets.
struct DepartmentOptions: ParsableArguments {
    @Option(help: "A unit, by name or code: tickets that were given to it.")
    var unit: String?

    @Option(help: "A category: its tickets, and those of everything below it.")
    var category: String?

    func validate() throws {
        if (unit == nil) == (category == nil) { throw ValidationError("give one of --unit and --category") }
    }

    var department: Department { unit.map(Department.unit) ?? .category(category ?? "") }
}
