import ArgumentParser
import FederationModel
import Foundation
import LocalStore
import NodeRuntime

struct TicketAddCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Take in a ticket.",
        discussion: """
            On a terminal it asks in Chinese for what the flags leave out. In a script nothing is asked: a required field that \
            is missing is an error (exit 64). Codes may be given by their Chinese names.

            EXAMPLE
              federation-node ticket add --channel 电话 --type 求助 --title 路灯不亮 --config /srv/370102/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "受理渠道.")
    var channel: String?

    @Option(help: "诉求类型.")
    var type: String?

    @Option(help: "紧急程度; else 一般.")
    var urgency: String?

    @Option(help: "标题.")
    var title: String?

    @Option(help: "诉求内容.")
    var description: String?

    @Option(help: "事发地址.")
    var address: String?

    @Option(help: "事发地区划.")
    var region: String?

    @Option(help: "诉求人.")
    var name: String?

    @Option(help: "联系电话.")
    var phone: String?

    @Option(help: "受理结论; else 受理.")
    var acceptance: String?

    @Option(help: "受理时间, Shanghai's unless it has an offset; else now.")
    var accepted: String?

    @Option(help: "诉求时间; else the same.")
    var requested: String?

    @Option(help: "工单编号: one of a seat's block, or a local number; else the node's next one.")
    var number: String?

    @Option(help: "来源工单编号, as the system says that sent it.")
    var sourceNumber: String?

    @Option(help: "话务: the key of the call record.")
    var call: String?

    @Option(
        name: .customLong("field"),
        help: "Any other field, NAME=VALUE (`resource show service_request`); may be repeated.")
    var assignments: [String] = []

    @Flag(help: "Print JSON.")
    var json = false

    /// A ticket that says neither whence, what kind nor what about helps nobody.
    private static let required = ["channel", "request_type", "title"]
    private static let asked = [
        "channel", "request_type", "title", "urgency", "description", "request_demand", "address_string", "region_code",
        "reporter_name", "reporter_phone", "confidential", "acceptance",
    ]
    private static let presets: [String: FieldValue] = ["urgency": .text("normal"), "acceptance": .text("accepted")]

    func run() async throws {
        let local = try node.open()
        var form = RecordForm(BuiltInResources.serviceRequest, local.reference)
        try takeFlags(into: &form)
        try complete(&form)
        let now = wallClock()
        let acceptedAt = form.fields["accepted_datetime"]?.integer ?? now
        if form.isEmpty("accepted_datetime") { form.set("accepted_datetime", .integer(acceptedAt)) }
        if form.isEmpty("requested_datetime") { form.set("requested_datetime", .integer(acceptedAt)) }
        var chance = SystemRandomNumberGenerator()
        let id = "\(local.id)-\(ULID(now: now, using: &chance))"
        form.set("global_id", .text(id))
        if form.isEmpty("service_request_id") {
            let number = try await local.nextNumber(at: acceptedAt, channel: form.fields["channel"]?.text)
            form.set("service_request_id", .text(number))
        }
        try await local.take(IntakeRecord(resource: form.resource.name, key: id, fields: form.fields), now: now)
        let number = form.fields["service_request_id"]?.text ?? ""
        if json {
            try Output.json(["id": id, "number": number])
        } else {
            try Output.line("工单编号 \(number)\n全局标识 \(id)")
        }
    }

    private func takeFlags(into form: inout RecordForm) throws {
        let flags: [(String?, name: String, flag: String)] = [
            (channel, "channel", "--channel"), (type, "request_type", "--type"), (urgency, "urgency", "--urgency"),
            (title, "title", "--title"), (description, "description", "--description"),
            (address, "address_string", "--address"), (region, "region_code", "--region"),
            (name, "reporter_name", "--name"), (phone, "reporter_phone", "--phone"),
            (acceptance, "acceptance", "--acceptance"), (accepted, "accepted_datetime", "--accepted"),
            (requested, "requested_datetime", "--requested"), (number, "service_request_id", "--number"),
            (sourceNumber, "source_request_id", "--source-number"), (call, "call_id", "--call"),
        ]
        for (text, name, flag) in flags { try form.take(text, for: name, flag: flag) }
        try form.take(assignments: assignments)
        guard form.isEmpty("global_id") else { throw ValidationError("--field global_id: the node makes it") }
    }

    /// Fills in what is still missing: by presets in a script, by questions on a terminal.
    private func complete(_ form: inout RecordForm) throws {
        let missing = form.missing(Self.required)
        if let first = missing.first, !Dialogue.isPossible {
            throw ValidationError("\(first.name) (\(first.title)) is required")
        }
        if !missing.isEmpty {
            let dialogue = Dialogue(reference: form.reference)
            for column in form.missing(Self.asked) {
                let value = try dialogue.ask(
                    column, suggestion: Self.presets[column.name], isRequired: Self.required.contains(column.name))
                if let value { form.set(column.name, value) }
            }
            try dialogue.confirm(form, title: "新工单")
        }
        for (name, value) in Self.presets where form.isEmpty(name) { form.set(name, value) }
    }
}

extension FederationError {
    /// A refusal of a single record, as the error of a command.
    init(_ refusal: IntakeRefusal) {
        let reason = refusal.field.map { "\($0): \(refusal.reason)" } ?? refusal.reason
        self.init(refusal.code, reason, hint: refusal.hint.isEmpty ? nil : refusal.hint)
    }
}

extension LocalNode {
    /// Stores one record, if it is legal at its place in the ticket's thread, and tells the running service.
    ///
    /// - Throws: the code of `IntakeRefusal`.
    func take(_ record: IntakeRecord, now: UnixMilliseconds) async throws {
        let report = try await store.intake(rows: [[record]], isGuarded: true, now: now)
        if case .refused(let refusal) = report.outcomes.first { throw FederationError(refusal) }
        Doorbell.ring(databasePath: settings.databasePath)
    }

    /// The next own ticket number of the day of `time`.
    ///
    /// - Throws: what `NodeStore.drawTicketNumbers` throws.
    func nextNumber(at time: UnixMilliseconds, channel: String?) async throws -> String {
        let numbers = try await store.drawTicketNumbers(
            count: 1, dayNumber: ShanghaiTime.dayNumber(time), channel: channel ?? "")
        return numbers[0].description
    }
}
