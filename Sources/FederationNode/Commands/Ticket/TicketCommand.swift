import ArgumentParser

struct TicketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket", abstract: "Single tickets: take them in, record what happens to them, look at them.",
        discussion: "EXAMPLE\n  federation-node ticket show 37010220250930010000018",
        subcommands: [
            TicketAddCommand.self, TicketEventCommand.self, TicketShowCommand.self, TicketListCommand.self,
            TicketNumbersCommand.self, TicketDeleteCommand.self, TicketRecallCommand.self,
        ])
}
