import FederationModel
import NodeDesk

/// A ticket's thread as a person reads it: the eight stages in their order in each round of handling, a dash where there is
/// no record, helper records under the stage after which they happened, calls under the acceptance.
struct TicketDrawing {
    let report: TicketReport
    let topology: Topology
    let reference: ReferenceData

    private var thread: TicketThread { report.thread }

    var text: String {
        let rounds = Dictionary(grouping: thread.records) { $0.round ?? 1 }
        var lines = heading
        for round in rounds.keys.sorted() {
            if round > 1 { lines.append("── 第 \(round) 轮 重办") }
            lines += stages(of: rounds[round] ?? [], isFirst: round == rounds.keys.min())
        }
        return lines.joined(separator: "\n")
    }

    // MARK: - Heading

    private var heading: [String] {
        let request = thread.request
        let number = request?.fields["service_request_id"]?.text ?? "–"
        var lines = ["工单 \(number.printable)  \(request?.fields["title"]?.text?.printable ?? "")"]
        lines.append("  全局标识 \(thread.globalID.printable)  来源 \(request.map { topology.title(of: $0.origin) } ?? "–")")
        let numbers =
            [("来源工单编号", request?.fields["source_request_id"]?.text)]
            + thread.records.map { ("接收方工单编号", $0.fields["target_request_id"]?.text) }
        for case (let title, let number?) in numbers { lines.append("  \(title) \(number.printable)") }
        guard let state = thread.state else { return lines }
        var status = "  状态 \(state.status.title)  第 \(state.round) 轮"
        if let unit = state.unit { status += "  承办单位 \(unit.printable)" }
        if let owner = state.owner { status += "  承办归属节点 \(topology.title(of: owner))" }
        lines.append(status)
        if let due = state.dueAt { lines.append("  时限 \(ShanghaiTime.minute(due))  \(standing(of: state, due: due))") }
        lines += flags(of: state).map { "  \($0)" }
        for finding in state.findings {
            let node = topology.title(of: finding.event.origin)
            lines.append("  冲突 \(finding.code.title) (\(finding.code.rawValue), \(node)): \(finding.code.resolution)")
        }
        return lines
    }

    private func flags(of state: TicketState) -> [String] {
        var flags: [String] = []
        if state.isHeld { flags.append("挂账") }
        if state.isSuspended { flags.append("暂停计时") }
        if state.supervision == .open { flags.append("督办未结") }
        if let head = state.mergedInto { flags.append("并入 \(head.printable)") }
        return flags
    }

    /// What is left of the time limit, or by how much it has passed, and the card that follows.
    private func standing(of state: TicketState, due: UnixMilliseconds) -> String {
        guard let left = report.remaining else { return (state.closedAt ?? report.at) <= due ? "按期" : "超期" }
        let length = duration(left.milliseconds.magnitude)
        let card =
            switch report.card {
            case nil, .some(.none): ""
            case .yellow: "  黄牌"
            case .red: "  红牌"
            }
        if left.milliseconds < 0 { return "超期 \(length)\(card)" }
        return "剩余 \(length)  \(left.workingDays) 个工作日\(card)"
    }

    // MARK: - Stages

    /// Only the first round begins with the acceptance.
    private func stages(of records: [TicketThread.Record], isFirst: Bool) -> [String] {
        var lines: [String] = []
        var helpers: [Stage: [TicketThread.Record]] = [:]
        var latest = isFirst ? Stage.acceptance : .dispatch
        for record in records {
            if let stage = record.resource.stage { latest = stage } else { helpers[latest, default: []].append(record) }
        }
        for stage in Stage.allCases where isFirst || stage != .acceptance {
            let found = records.filter { $0.resource.stage == stage }
            if found.isEmpty { lines.append("○ \(stage.title)  –") }
            for record in found { lines.append("● \(stage.title)  \(describe(record))") }
            if stage == .acceptance { lines += calls }
            for helper in helpers[stage] ?? [] { lines.append("│   \(title(of: helper))  \(describe(helper))") }
        }
        return lines
    }

    /// An action and a transfer's step are what they are, not the resource that holds them.
    private func title(of record: TicketThread.Record) -> String {
        let own = ["action", "step"].lazy.compactMap { name in
            record.fields[name].flatMap { value in record.resource.column(named: name)?.text(of: value, reference) }
        }.first
        return own?.printable ?? record.resource.title
    }

    private func describe(_ record: TicketThread.Record) -> String {
        var parts = [ShanghaiTime.minute(record.occurredAt), topology.title(of: record.origin), record.unit ?? ""]
        parts.append(codes(of: record))
        if let due = record.due { parts.append("时限 \(ShanghaiTime.minute(due))") }
        parts += digests(of: record)
        return parts.filter { !$0.isEmpty }.map(\.printable).joined(separator: "  ")
    }

    /// The code fields of a record, by their names; region and category among them.
    private func codes(of record: TicketThread.Record) -> String {
        record.resource.columns.filter { !["action", "step"].contains($0.name) && $0.list(in: reference) != nil }
            .compactMap { column in record.fields[column.name].map { column.text(of: $0, reference) } }
            .joined(separator: " · ")
    }

    // MARK: - Calls

    private var calls: [String] {
        thread.calls.flatMap { call in
            var parts = [ShanghaiTime.second(call.occurredAt), codes(of: call)]
            if let seconds = call.fields["queue_seconds"]?.integer { parts.append("排队 \(seconds) 秒") }
            if let seconds = call.fields["talk_seconds"]?.integer { parts.append("通话 \(seconds) 秒") }
            let recordings = thread.recordings.filter { recording in
                let link = recording.fields["call_id"]?.text ?? ""
                return recording.origin == call.origin && [link, "\(call.origin)-\(link)"].contains(call.key)
            }
            return ["│   话务  \(parts.joined(separator: "  "))"] + recordings.map(describe(recording:))
        }
    }

    /// Its duration and digest; where the media lies is nobody's business here.
    private func describe(recording: TicketThread.Record) -> String {
        var parts: [String] = []
        if let seconds = recording.fields["duration"]?.integer { parts.append("\(seconds) 秒") }
        return "│     录音  \((parts + digests(of: recording)).joined(separator: "  "))"
    }

    /// By which a file can be proved to be the same.
    private func digests(of record: TicketThread.Record) -> [String] {
        [("SHA-256", "sha256"), ("SM3", "sm3")].compactMap { title, field in
            record.fields[field]?.text.map { "\(title) \($0.printable)" }
        }
    }

    /// In the largest unit and the next.
    private func duration(_ milliseconds: UInt64) -> String {
        let minutes = milliseconds / 60_000
        let (days, hours) = (minutes / 1_440, minutes / 60 % 24)
        if days > 0 { return "\(days) 天 \(hours) 小时" }
        return hours > 0 ? "\(hours) 小时 \(minutes % 60) 分" : "\(minutes) 分"
    }
}
