import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime

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
        let local = try node.open()
        var form = RecordForm(kind.resource, local.reference)
        try takeFlags(into: &form, kind)
        try await local.store.catchUpConsumers(now: wallClock())
        let thread = try await local.store.ticket(id)
        let now = wallClock()
        if form.isEmpty(kind.timeField) { form.set(kind.timeField, .integer(kind.time(in: thread, now: now))) }
        let open = try openRecord(of: kind, thread, node: local.id)
        for (name, value) in open?.fields ?? [:] where form.isEmpty(name) { form.set(name, value) }
        try kind.requireEarlier(in: thread)
        try takeExtension(into: &form, kind, thread, local)
        let fill = TicketEventFill(kind: kind, thread: thread, node: local.id, reference: local.reference, now: now)
        fill.fill(&form)
        try complete(&form, fill)
        for name in kind.tickets {
            guard let other = form.fields[name]?.text else { continue }
            form.set(name, .text(try await local.store.ticket(other).globalID))
        }
        let time = form.fields["occurred_at"]?.integer ?? now
        for case (let name, .number) in kind.fills where form.isEmpty(name) {
            form.set(
                name, .text(try await local.nextNumber(at: time, channel: thread.request?.fields["channel"]?.text)))
        }
        var chance = SystemRandomNumberGenerator()
        // No ordinal: two that write at the same time must not get one key.
        let key = open?.key ?? "\(thread.globalID).\(kind.resource.name).\(ULID(now: now, using: &chance))"
        try await local.take(IntakeRecord(resource: kind.resource.name, key: key, fields: form.fields), now: now)
        if json {
            try Output.json(["id": thread.globalID, "resource": kind.resource.name.text, "key": key])
        } else {
            try Output.line("\(kind.title) 已记录")
        }
    }

    private func takeFlags(into form: inout RecordForm, _ kind: TicketEventKind) throws {
        try form.take(at, for: kind.timeField, flag: "--at")
        try form.take(actor, for: "actor", flag: "--actor")
        let unitField = ["assignee_unit", "unit", "target_unit"].first { kind.resource.column(named: $0) != nil }
        try form.take(unit, for: unitField ?? "unit", flag: "--unit")
        try form.take(due, for: "due_datetime", flag: "--due")
        try form.take(reason, for: "reason", flag: "--reason")
        try form.take(round.map { "\($0)" }, for: "round", flag: "--round")
        try form.take(assignments: assignments)
        for name in ["global_id", "ticket_origin"] where !form.isEmpty(name) {
            throw ValidationError("--field \(name): the ticket says it")
        }
        for (name, fill) in kind.fills {
            if case .fixed = fill, !form.isEmpty(name) {
                throw ValidationError("--field \(name): \(kind.word) says it")
            }
        }
    }

    private func takeExtension(
        into form: inout RecordForm, _ kind: TicketEventKind, _ thread: TicketThread, _ local: LocalNode
    ) throws {
        guard let by else { return }
        guard let name = kind.fills.first(where: { if case .extended = $0.value { true } else { false } })?.key,
            form.isEmpty(name)
        else { throw ValidationError("--by: only an extension has it, and only without a date") }
        guard let limit = TimeLimit(by) else { throw ValidationError("--by: is not a limit such as `5 working_days`") }
        guard let due = thread.due(extendedBy: limit, by: local.id, local.reference) else {
            throw FederationError(
                "E_STATE_NO_DUE", "the ticket has no time limit that could be extended", hint: "give the date itself")
        }
        form.set(name, .integer(due))
    }

    /// The record that the event completes; nil for an event that is a record of its own.
    private func openRecord(
        of kind: TicketEventKind, _ thread: TicketThread, node: NodeID
    ) throws -> TicketThread.Record? {
        guard let end = kind.ends else { return nil }
        let open = thread.records.last {
            $0.resource.name == kind.resource.name && $0.origin == node.code && $0.fields[end] == nil
        }
        guard let open else {
            throw FederationError(
                "E_STATE_NOTHING_OPEN", "node \(node) has no open \(kind.resource.name) of this ticket",
                hint: "only the node that began it ends it")
        }
        return open
    }

    /// Asks for what is missing, or says what is.
    private func complete(_ form: inout RecordForm, _ fill: TicketEventFill) throws {
        let kind = fill.kind
        let missing = form.missing(kind.mandatory)
        guard let first = missing.first else { return }
        guard Dialogue.isPossible else {
            throw ValidationError("\(first.name) (\(first.title)) is required by \(kind.word)")
        }
        let dialogue = Dialogue(reference: form.reference)
        let assigned = fill.thread.records.last { $0.resource.name == "assignment" }?.fields["assignee_unit"]
        for column in missing + form.missing(kind.optional) {
            let suggestion = column.name == "unit" ? assigned : nil
            let isRequired = kind.mandatory.contains(column.name)
            if let value = try dialogue.ask(column, suggestion: suggestion, isRequired: isRequired) {
                form.set(column.name, value)
            }
        }
        fill.fill(&form)
        try dialogue.confirm(form, title: kind.title)
    }
}
