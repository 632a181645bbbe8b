import ArgumentParser
import FederationModel
import Foundation
import NodeDesk
import ReferenceFile
import YAMLFile

struct ReferenceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reference",
        abstract: "Code lists, regions, service codes, working-day calendar and time limits.",
        subcommands: [Validate.self, Show.self, Due.self, Load.self])

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a reference file and name everything that is wrong, with its line.",
            discussion: "EXAMPLE\n  federation-node reference validate reference/shandong.yaml")

        @Argument(help: "The file.", completion: .file())
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (data, problems) = check()
            if json {
                try Output.json(Report(valid: problems.isEmpty, version: data?.version, problems: problems))
            } else if let data {
                print("\(file)\n\(ReferenceSummary(data).text)")
            } else {
                Output.note(problems.map(\.description).joined(separator: "\n"))
            }
            if !problems.isEmpty { throw ExitCode(1) }
        }

        private func check() -> (ReferenceData?, [FileProblem]) {
            do {
                return (try ReferenceFile.read(path: file), [])
            } catch {
                return (nil, error.problems)
            }
        }

        private struct Report: Encodable {
            let valid: Bool
            let version: Int64?
            let problems: [FileProblem]
        }
    }

    struct Load: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Publish a reference file: store it as rows of this node, which must be the top one.",
            discussion: """
                A service that runs takes the new data at its next start.

                EXAMPLE
                  federation-node reference load reference/shandong.yaml --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "The file.", completion: .file())
        var file: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (data, rows) = try await node.desk().publishReference(path: file)
            if json {
                try Output.json(Report(version: data.version, rows: data.records.count, stored: rows))
            } else {
                print("version \(data.version): \(data.records.count) rows, \(rows) stored")
            }
        }

        private struct Report: Encodable {
            let version: Int64
            let rows: Int
            let stored: Int
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what this node goes by: everything in short, or one list.",
            discussion: """
                LIST is the name of a code list (region, service_code, channel, …), `calendar` or `limits`.

                EXAMPLE
                  federation-node reference show region --as-of 2018-06-30
                """)

        @OptionGroup var node: NodeOptions

        @Argument(help: "A code list, `calendar` or `limits`.")
        var list: String?

        @Option(help: "Only what was valid on that day, 2018-06-30.")
        var asOf: String?

        @Option(help: "A reference file, in place of the node's data.", completion: .file())
        var file: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let data = try file.map { try readReference(path: $0) } ?? node.desk().reference
            let day = try asOf.map { text in
                guard let day = CivilDate.dayNumber(text) else {
                    throw ValidationError("\(text) is not a day like 2018-06-30")
                }
                return day
            }
            switch list {
            case nil: try show(ReferenceSummary(data))
            case "calendar": try show(CalendarReport(data, on: day))
            case "limits": try show(LimitsReport(data))
            case let name?:
                guard let list = data.lists.named(name) else {
                    throw FederationError(
                        "E_REFERENCE_LIST", "there is no code list of that name",
                        hint: suggestion(for: name, among: data.lists.all.map(\.name) + ["calendar", "limits"]))
                }
                try show(CodeListReport(list, on: day))
            }
        }

        private func show(_ report: some ReferenceReport) throws {
            if json { try Output.json(report) } else { print(report.text) }
        }
    }
}
