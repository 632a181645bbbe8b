import ArgumentParser
import FederationModel
import NodeDesk

struct DatasetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dataset",
        abstract: "External data sets (外部数据): what is counted beside the hotline's own records.",
        discussion: """
            EXAMPLE
              federation-node dataset register datasets/planned_outage.yaml
              federation-node import --resource planned_outage outages.csv
              federation-node query --measure planned_outage_count --measure count --by region:county --by day
            """,
        subcommands: [DatasetRegister.self, DatasetList.self])
}

struct DatasetRegister: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "register", abstract: "Register a data set, or a newer version of one.",
        discussion: """
            EXAMPLE
              federation-node dataset register datasets/planned_outage.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Argument(help: "The file (datasets/README.md).", completion: .file())
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let dataset = try await node.desk().registerDataset(path: file)
        if json {
            try Output.json(Report(name: dataset.name, version: dataset.version, columns: dataset.columns.map(\.name)))
        } else {
            try Output.line(
                "\(dataset.name) \(dataset.title): version \(dataset.version), \(dataset.columns.count) columns")
        }
    }

    private struct Report: Encodable {
        let name: String
        let version: Int
        let columns: [String]
    }
}

struct DatasetList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "The data sets that this node knows, with the rows of each that are here.",
        discussion: """
            EXAMPLE
              federation-node dataset list --json
            """)

    @OptionGroup var node: NodeOptions

    @Flag(help: "Print JSON.")
    var json = false

    func run() async throws {
        let known = try await node.desk().datasets()
        guard !json else { return try Output.json(known.map(Report.init)) }
        var text = TextTable(header: ["数据集", "名称", "版本", "提供方", "登记节点", "行数"])
        for one in known {
            text.append([
                one.dataset.name, one.dataset.title, "v\(one.dataset.version)", one.dataset.provider,
                one.registeredBy.code, "\(one.rows)",
            ])
        }
        try Output.line(text.text)
    }

    private struct Report: Encodable {
        let name: String
        let title: String
        let version: Int
        let provider: String
        let registeredBy: String
        let external = true
        let rows: Int64

        init(_ known: KnownDataset) {
            name = known.dataset.name
            title = known.dataset.title
            version = known.dataset.version
            provider = known.dataset.provider
            registeredBy = known.registeredBy.code
            rows = known.rows
        }
    }
}
