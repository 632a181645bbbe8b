import ArgumentParser

@main struct NodeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "federation-node")
}
