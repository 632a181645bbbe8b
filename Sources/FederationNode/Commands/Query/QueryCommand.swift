import ArgumentParser

struct QueryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Ask over everything below this node.",
        discussion: """
            `query` alone is `query analysis`. What was copied here is read here; logical nodes are asked. The answer says \
            which nodes are in it. When one is missing it is named, and the exit code is 3.

            EXAMPLE
              federation-node query --measure count --by origin --by month --where request_type=3 --top 10
              federation-node query rows --resource service_request --where origin=370300 --limit 20
              federation-node query log
            """,
        subcommands: [QueryAnalysis.self, QueryRows.self, QueryLog.self], defaultSubcommand: QueryAnalysis.self)
}
