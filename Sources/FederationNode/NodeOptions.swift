import ArgumentParser
import FederationModel
import Foundation
import NodeDesk

/// How every command finds its node. A flag beats the environment, which beats the file.
struct NodeOptions: ParsableArguments {
    @Option(help: "The node's settings; else FEDERATION_NODE_CONFIG, else ./node.yaml.", completion: .file())
    var config: String?

    @Option(name: .customLong("set"), help: "A setting, NAME=VALUE, in place of the one in the file; may be repeated.")
    var settings: [String] = []

    func load() throws -> NodeSettings {
        var flags: [String: String] = [:]
        for setting in settings {
            let parts = setting.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2, NodeSettings.names.contains(where: { $0.name == parts[0] }) else {
                throw ValidationError(
                    "--set \(setting): expected NAME=VALUE with one of \(NodeSettings.names.map(\.name).joined(separator: ", "))"
                )
            }
            flags[parts[0]] = parts[1]
        }
        return try NodeSettings.load(path: config, environment: ProcessInfo.processInfo.environment, flags: flags)
    }

    /// The door to the node for whoever runs the command.
    func desk() throws -> NodeDesk { try NodeDesk.open(try load(), as: .system) }

    func open() throws -> LocalNode { try LocalNode(settings: try load()) }
}
