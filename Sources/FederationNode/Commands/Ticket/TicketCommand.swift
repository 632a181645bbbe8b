import ArgumentParser

struct TicketCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ticket", abstract: "Single tickets: take them in, record what happens to them, look at them.",
        subcommands: [
            TicketAddCommand.self, TicketEventCommand.self, TicketShowCommand.self, TicketListCommand.self,
            TicketNumbersCommand.self, TicketDeleteCommand.self, TicketRecallCommand.self,
        ])
}
