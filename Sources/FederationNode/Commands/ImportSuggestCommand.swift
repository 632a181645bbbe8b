import ArgumentParser
import ConfigurationFiles
import FederationModel
import Foundation
import MappingSuggestions
import NodeDesk
import NodeFiles

struct ImportSuggestCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "suggest",
        abstract: "Propose a mapping for a file, from its header and a sample of its rows.",
        discussion: """
            `import` takes the proposal as it is. Lines that begin with `# DECIDE:` say what the file does not tell; look at \
            them before the first import that counts. Nothing is stored.

            EXAMPLE
              federation-node import suggest boston.csv.gz --out boston.yaml
            """)

    @OptionGroup var node: NodeOptions

    @Option(help: "What a row of the file is: a ticket with its thread, or another resource.")
    var resource = "service_request"

    @Option(help: "How many rows are looked at.")
    var rows = 50_000

    @Option(help: "Where the mapping goes; else it is printed.", completion: .file())
    var out: String?

    @OptionGroup var replacing: ReplaceOptions

    @OptionGroup var source: SourceOptions

    @Flag(help: "Print JSON: the mapping as text, and what a person must decide.")
    var json = false

    @Argument(help: "The file; `-` for standard input.", completion: .file())
    var file: String

    func validate() throws {
        guard rows > 0 else { throw ValidationError("--rows must be positive") }
    }

    func run() throws {
        let (lists, region) = try reference()
        let suggestion = try MappingSuggestion(
            path: file, resource: ResourceName(resource), rowsMax: rows, format: source.format, lists: lists,
            region: region)
        if let out {
            try OutputFile.write(suggestion.yaml, to: out, existing: replacing.existing)
        }
        if json {
            try Output.json(
                Report(
                    resource: resource, rows: suggestion.rows, mapping: suggestion.yaml, mappingFile: out,
                    decisions: suggestion.decisions))
        } else {
            if out == nil { try Output.line(suggestion.yaml) }
            Output.note(
                "\(suggestion.rows) rows looked at, \(suggestion.decisions.count) decisions for a person"
                    + (out.map { "; see \($0)" } ?? ""))
        }
    }

    /// Regions and categories are called what the node's reference data call them; without a node, what those do that come with the
    /// program.
    private func reference() throws -> (lists: CodeLists, region: String?) {
        do {
            let desk = try node.desk()
            return (desk.reference.lists, desk.topology.node(desk.id)?.region)
        } catch let error as FederationError where error.code == "E_CONFIG_MISSING" && node.config == nil {
            return (try ReferenceFile.read(text: ReferenceFile.shipped, file: "reference.yaml").lists, nil)
        }
    }

    private struct Report: Encodable {
        let resource: String
        let rows: Int
        let mapping: String
        let mappingFile: String?
        let decisions: [String]
    }
}
