import ArgumentParser
import FederationModel
import NodeDesk

struct TicketEventCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "event", abstract: "Record what happened to a ticket.",
        discussion: """
            On a terminal it asks in Chinese for what the flags leave out. In a script nothing is asked: a required field that \
            is missing is an error (exit 64). An event that is illegal in the ticket's state is refused with its code (exit 1).

            A dispatch without --due takes its time limits from the reference data (`reference due` shows them); with \
            limit_days and limit_kind it has that limit, counted by the same rules.

            KINDS
            \(TicketEventKind.all.map { "  \($0.word)  \($0.title)" }.joined(separator: "\n"))

            EXAMPLE
              federation-node ticket event 370102-01K6C4 dispatch --unit 市住建局
              federation-node ticket event 370102-01K6C4 extend --by "5 working_days" --reason 等待配件
              federation-node ticket event 370102-01K6C4 handle --unit 市住建局 --field measures=已更换灯泡
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The ticket's global id or number.")
    var id: String

    @Argument(help: "What happened: one of the kinds above.")
    var kind: String

    @Option(help: "发生时间, Shanghai's unless it has an offset; else now.")
    var at: String?

    @Option(help: "经办人.")
    var actor: String?

    @Option(help: "承办单位: the unit that acts, or is named.")
    var unit: String?

    @Option(help: "办理时限; else a dispatch has what the rules say, and a granted extension what was asked for.")
    var due: String?

    @Option(help: "延期: by how much, `5 working_days`, counted from the due date in force; in place of a date.")
    var by: String?

    @Option(help: "Reason.")
    var reason: String?

    @Option(help: "办理轮次; else the current one.")
    var round: Int64?

    @Option(
        name: .customLong("field"), help: "Any other field, NAME=VALUE (`resource show`); may be repeated.")
    var assignments: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard let kind = TicketEventKind.named(kind) else {
            throw ValidationError("\(kind): \(suggestion(for: kind, among: TicketEventKind.all.map(\.word)))")
        }
        let desk = try node.desk()
        var draft = try await desk.draft(kind, of: id)
        try takeFlags(into: &draft.form, kind)
        if let by {
            guard let limit = TimeLimit(by) else {
                throw ValidationError("--by: is not a limit such as `5 working_days`")
            }
            do {
                try draft.extend(by: limit)
            } catch let violation as RowRejection {
                throw ValidationError("--by: \(violation)")
            }
        }
        draft.fill()
        if try draft.form.complete() {
            draft.fill()
            try Dialogue(reference: desk.reference).confirm(draft.form, title: kind.title)
        }
        let event = try await desk.record(draft)
        if json {
            try Output.json(["id": event.ticket, "resource": event.resource.text, "key": event.key])
        } else {
            try Output.line("\(kind.title) 已记录")
        }
    }

    private func takeFlags(into form: inout RecordForm, _ kind: TicketEventKind) throws {
        try form.take(at, for: kind.timeField, flag: "--at")
        try form.take(actor, for: "actor", flag: "--actor")
        try form.take(unit, for: kind.unitField, flag: "--unit")
        try form.take(due, for: "due_datetime", flag: "--due")
        try form.take(reason, for: "reason", flag: "--reason")
        try form.take(round.map { "\($0)" }, for: "round", flag: "--round")
        try form.take(assignments: assignments)
    }
}
