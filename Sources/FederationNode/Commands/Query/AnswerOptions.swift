import ArgumentParser
import FederationModel
import NodeRuntime

/// How a question over the merged view is put, and how its answer is printed.
struct AnswerOptions: ParsableArguments {
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv
    }

    @Flag(help: "Print the rows that there are, also when a node is missing.")
    var bestEffort = false

    @Option(help: "How long the answer may take, in milliseconds.")
    var deadline = 10_000

    @Option(help: "table, json or csv.")
    var format: Format?

    @Flag(help: "The same as --format json.")
    var json = false

    var output: Format { json ? .json : format ?? .table }

    /// - Parameter question: gets the merged view of the node, and the deadline in milliseconds.
    func ask<Answer>(
        _ local: LocalNode, _ question: (MergedView, Int64) async throws -> Answer
    ) async throws -> Answer {
        try await local.catchUp()
        let peers = PeerClients(topology: local.topology, credentials: try local.credentials())
        let view = MergedView(
            store: local.store, topology: local.topology, peers: peers, regions: local.reference.regions)
        let answer = try await question(view, Int64(deadline))
        await peers.shutdown()
        return answer
    }
}
