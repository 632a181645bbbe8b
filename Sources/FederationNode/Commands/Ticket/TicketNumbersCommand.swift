import ArgumentParser
import FederationModel
import Foundation
import NodeDesk

struct TicketNumbersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "numbers", abstract: "Give a block of ticket numbers to a seat that will work offline.",
        discussion: """
            The numbers of a block are given to nobody else. The seat puts one on each ticket that it takes in; later the \
            ticket is added or imported with it (`ticket add --number N`). Numbers that it does not need are gaps, which is \
            legal.

            EXAMPLE
              federation-node ticket numbers --seat 2107 --count 50 --config /srv/370102/node.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "The seat; printed with the block, for whoever hands it over.")
    var seat: String

    @Option(help: "How many.")
    var count = 50

    @Option(help: "The day on which the seat will use them (YYYY-MM-DD); else today.")
    var date: String?

    @Option(help: "The channel that the numbers carry.")
    var channel = "01"

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        guard TicketNumber.sequences.contains(count) else {
            throw ValidationError(
                "--count must be \(TicketNumber.sequences.lowerBound) to \(TicketNumber.sequences.upperBound)")
        }
        let time = try date.map { text in
            guard let time = ShanghaiTime.parse(text) else { throw ValidationError("--date is not a date") }
            return time
        }
        let desk = try node.desk()
        try await desk.drawNumbers(count: count, on: time, channel: channel) { numbers in
            let numbers = numbers.map(\.description)
            if json {
                try Output.json(Report(node: desk.id.code, seat: seat, numbers: numbers))
            } else {
                Output.note("坐席 \(seat) 号段 \(numbers.count) 个")
                print(numbers.joined(separator: "\n"))
            }
        }
    }

    private struct Report: Encodable {
        let node: String
        let seat: String
        let numbers: [String]
    }
}
