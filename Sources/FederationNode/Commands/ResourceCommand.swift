import ArgumentParser
import FederationModel
import Foundation

struct ResourceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resource", abstract: "The resources that this release declares.",
        discussion: "EXAMPLE\n  federation-node resource show service_request",
        subcommands: [List.self, Show.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List them.", discussion: "EXAMPLE\n  federation-node resource list")

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            if json {
                try Output.json(
                    BuiltInResources.all.map {
                        ["name": $0.name.text, "title": $0.title, "stage": $0.stage?.title ?? ""]
                    })
                return
            }
            var table = TextTable(header: ["资源", "名称", "环节", "信息项"])
            for resource in BuiltInResources.all {
                table.append([
                    resource.name.text, resource.title, resource.stage?.title ?? "–", "\(resource.columns.count)",
                ])
            }
            try Output.line(table.text)
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one with its columns.", discussion: "EXAMPLE\n  federation-node resource show assignment")

        @Argument(help: "The resource's name.")
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            guard let resource = BuiltInResources.named(ResourceName(name)) else {
                throw FederationError(
                    "E_RESOURCE_UNKNOWN", "there is no resource \(name)", hint: "see `federation-node resource list`")
            }
            if json {
                try Output.json(Report(resource))
                return
            }
            var table = TextTable(header: ["信息项", "名称", "类型", "级别", "代码表", "必填"])
            for column in resource.columns {
                table.append([
                    column.name, column.title, column.type.rawValue, "\(column.level.rawValue)", column.codeList ?? "–",
                    column.isRequired ? "是" : "–",
                ])
            }
            try Output.line("\(resource.name) \(resource.title)\n\(table.text)")
        }

        private struct Report: Encodable {
            struct Column: Encodable {
                let name: String
                let title: String
                let type: String
                let level: Int
                let codeList: String?
                let required: Bool
            }

            let name: String
            let title: String
            let stage: String?
            let columns: [Column]

            init(_ resource: ResourceDefinition) {
                name = resource.name.text
                title = resource.title
                stage = resource.stage?.title
                columns = resource.columns.map {
                    Column(
                        name: $0.name, title: $0.title, type: $0.type.rawValue, level: $0.level.rawValue,
                        codeList: $0.codeList, required: $0.isRequired)
                }
            }
        }
    }
}
