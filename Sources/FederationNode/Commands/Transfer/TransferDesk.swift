import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime
import RecordIntake

/// One ticket, while a step of its way between nodes is taken at this one.
struct TransferDesk {
    let local: LocalNode
    let transfers: [TicketTransfer]
    private let named: String
    private let thread: TicketThread

    /// - Parameter name: the ticket's global id or number, or the id of a transfer.
    /// - Throws: `E_TICKET_UNKNOWN`, `E_TICKET_AMBIGUOUS`.
    init(_ options: NodeOptions, _ name: String) async throws {
        local = try options.open()
        named = name
        try await local.store.catchUpConsumers(now: wallClock())
        thread = try await local.store.ticket(try await local.store.ticket(ofTransfer: name) ?? name)
        transfers = try await local.store.transfers(of: thread.globalID)
    }

    /// The transfer to this node that is to be answered: the one that was named, else the open one, else the latest.
    ///
    /// - Parameter done: of which standings an answer only says once more what was said.
    /// - Throws: `E_STATE_NO_OFFER`, `E_STATE_RETURN_DESIGNATED`.
    func received(done: Set<TicketTransfer.Standing>) throws -> TicketTransfer {
        let mine = transfers.filter { $0.to == local.id.code }
        let found = mine.last { $0.id == named } ?? mine.last { $0.standing == .open } ?? mine.last
        guard let found, found.standing == .open || done.contains(found.standing) else {
            let code: TicketFinding.Code = found?.standing == .designated ? .returnDesignated : .noOffer
            throw FederationError(code.rawValue, "transfer: \(code.title)", hint: code.hint)
        }
        return found
    }

    /// Writes the step unless it is written already, and says what comes next.
    ///
    /// - Parameters:
    ///   - word: the kind of event.
    ///   - id: of the transfer that it goes on with; nil for a new one.
    ///   - texts: further fields, as they were typed.
    func write(_ word: String, id: String?, to target: NodeID, _ texts: [String: String?], json: Bool) async throws {
        guard let kind = TicketEventKind.named(word), let step = kind.step else { return }
        let now = wallClock()
        let time = kind.time(in: thread, now: now)
        var chance = SystemRandomNumberGenerator()
        let id = id ?? "\(local.id)-\(ULID(now: now, using: &chance))"
        let former = transfers.first { $0.id == id }
        var transfer = TicketTransfer(
            id: id, from: former?.from ?? thread.state?.owner ?? local.id.code, to: target.code,
            ordinal: former?.ordinal ?? 1 + (transfers.map(\.ordinal).max() ?? 0),
            offeredAt: former?.offeredAt ?? time, due: former?.due, standing: step.result)
        let isNew = former.map { $0.standing == .open || step.result == .designated } ?? true
        if isNew {
            var form = RecordForm(kind.resource, local.reference)
            form.set("occurred_at", .integer(time))
            form.set("transfer_id", .text(id))
            form.set("to_node", .text(target.code))
            form.set("ordinal", .integer(transfer.ordinal))
            if let from = NodeID(transfer.from) { form.set("kind", .text(transferKind(from: from, to: target))) }
            for (name, text) in texts {
                let flag = name == "due_datetime" ? "--due" : "--reason"
                try form.take(text, for: name, flag: flag)
            }
            TicketEventFill(kind: kind, thread: thread, node: local.id, reference: local.reference, now: now).fill(
                &form)
            if step == .accept {
                let number = try await local.nextNumber(at: time, channel: thread.request?.fields["channel"]?.text)
                form.set("target_request_id", .text(number))
            }
            // By the step: two that accept at the same time write one record.
            try await local.take(
                IntakeRecord(resource: kind.resource.name, key: "\(id).\(step.rawValue)", fields: form.fields), now: now
            )
            transfer = try await local.store.transfers(of: thread.globalID).first { $0.id == id } ?? transfer
        }
        let line = TransferLine(
            transfer, ticket: thread.globalID, number: thread.request?.fields["service_request_id"]?.text, local,
            now: now)
        if json {
            try Output.json(Report(transfer: line, step: step.rawValue, wasWritten: isNew))
        } else {
            try Output.line(next(after: step, line, wasWritten: isNew))
        }
    }

    private struct Report: Encodable {
        let transfer: TransferLine
        let step: String
        /// False when the step was on record already.
        let wasWritten: Bool

        func encode(to encoder: any Encoder) throws {
            try transfer.encode(to: encoder)
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(step, forKey: .step)
            try container.encode(wasWritten, forKey: .wasWritten)
        }

        private enum Key: CodingKey {
            case step, wasWritten
        }
    }

    private func next(after step: TransferStep, _ line: TransferLine, wasWritten: Bool) -> String {
        let (from, to) = (local.topology.title(of: line.from), local.topology.title(of: line.to))
        guard wasWritten else { return "此前已记录，未作改动。流转标识 \(line.transferID.printable)" }
        return switch step {
        case .offer:
            """
            已向\(to)移交，待其接收；接收前仍由\(from)承办。流转标识 \(line.transferID)
            \(ShanghaiTime.minute(line.limit)) 前未接收或退回的，由\(line.parentTitle)指定承办。
            """
        case .accept: "已接收\(from)移交的工单，现由\(to)承办；请派单。"
        case .return: "已退回\(from)，仍由\(from)承办。"
        case .designate: "已指定\(to)承办，不得退回；请其派单。"
        }
    }
}

/// What a node may do to a transfer. The raw values are those of the column `step`.
enum TransferStep: String {
    case offer, accept, `return`, designate

    /// What a transfer is after it.
    var result: TicketTransfer.Standing {
        switch self {
        case .offer: .open
        case .accept: .accepted
        case .return: .returned
        case .designate: .designated
        }
    }
}

extension TicketEventKind {
    /// The step of a transfer that it is; nil for other events.
    var step: TransferStep? {
        guard case .fixed(let value)? = fills["step"] else { return nil }
        return value.text.flatMap { TransferStep(rawValue: $0) }
    }

    /// When an event happens that happens now: a step of a transfer after the steps before it, also where the clock of this
    /// node is behind theirs.
    func time(in thread: TicketThread, now: UnixMilliseconds) -> UnixMilliseconds {
        guard step != nil else { return now }
        let steps = thread.records.filter { $0.resource.name == resource.name }
        return max(now, (steps.map(\.occurredAt).max() ?? 0) + 1)
    }
}
