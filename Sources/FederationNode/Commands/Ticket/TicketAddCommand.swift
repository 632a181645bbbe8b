import ArgumentParser
import FederationModel
import NodeDesk

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

    func run() async throws {
        let desk = try node.desk()
        var form = desk.newTicket()
        try takeFlags(into: &form)
        if try form.complete() { try Dialogue(reference: form.reference).confirm(form, title: "新工单") }
        let ticket = try await desk.add(ticket: form)
        if json {
            try Output.json(["id": ticket.id, "number": ticket.number])
        } else {
            print("工单编号 \(ticket.number)\n全局标识 \(ticket.id)")
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
    }
}
