import ArgumentParser
import CatalogFile
import FederationModel
import NodeDesk
import YAMLFile

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "The data-resource catalog (热线数据资源目录): what a node hands on, and on what terms.",
        subcommands: [List.self, Show.self, Diff.self, Check.self, Validate.self, Publish.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the entries of this node's catalog, or of one below it.",
            discussion: "EXAMPLE\n  federation-node catalog list --node 370100 --config /srv/370000/node.yaml")

        @OptionGroup var source: CatalogSource

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (owner, release) = try await source.node.desk().catalog(of: source.named, version: source.version)
            let report = CatalogReport(release, node: owner)
            if json { try Output.json(report) } else { print(report.text) }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one entry with all its metadata and items.",
            discussion: "EXAMPLE\n  federation-node catalog show service_request --node 济南")

        @OptionGroup var source: CatalogSource

        @Argument(help: "The resource's name.")
        var name: String

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let entry = try await source.node.desk().catalogEntry(name, of: source.named, version: source.version)
            let report = CatalogEntryReport(entry)
            if json { try Output.json(report) } else { print(report.text) }
        }
    }

    struct Diff: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show what one version of a node's catalog has that another has not.",
            discussion: "EXAMPLE\n  federation-node catalog diff 370100 7 8 --config /srv/370000/node.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The node: a code or the beginning of a name.")
        var owner: String

        @Argument(help: "The earlier version.")
        var from: Int64

        @Argument(help: "The later version.")
        var to: Int64

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let (owner, difference) = try await node.desk().catalogDifference(of: owner, from: from, to: to)
            let report = CatalogDifferenceReport(difference, node: owner, from: from, to: to)
            if json { try Output.json(report) } else { print(report.text) }
        }
    }

    struct Check: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Hold the catalogs against the topology and against what has arrived.",
            discussion: """
                Names subscriptions that a catalog rejects, rows that were refused, and what is overdue by its update \
                cycle. Exit code 4 when there is any.

                EXAMPLE
                  federation-node catalog check --config /srv/370000/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let check = try await node.desk().checkCatalogs()
            let report = CatalogCheckReport(check)
            if json { try Output.json(report) } else { print(report.text) }
            if !check.isClean { throw ExitStatus.different }
        }
    }

    struct Validate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Check a catalog file and name everything that is wrong, with its line.",
            discussion: "EXAMPLE\n  federation-node catalog validate /srv/370100/catalog.yaml")

        @OptionGroup var node: NodeOptions

        @Argument(help: "The file; without it, that of the node's settings.", completion: .file())
        var file: String?

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let desk = try node.desk()
            let file = self.file ?? desk.settings.catalogPath
            var problems: [FileProblem] = []
            do throws(FileProblems) {
                let catalog = try CatalogFile.read(path: file, base: desk.catalogBase)
                if !json { print("\(file): \(catalog.entries.count) entries") }
            } catch {
                problems = error.problems
            }
            if json {
                try Output.json(Report(valid: problems.isEmpty, problems: problems))
            } else if !problems.isEmpty {
                Output.note(problems.map(\.description).joined(separator: "\n"))
            }
            if !problems.isEmpty { throw ExitCode(1) }
        }

        private struct Report: Encodable {
            let valid: Bool
            let problems: [FileProblem]
        }
    }

    struct Publish: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make this node's catalog file the newest version, and send it up the tree.",
            discussion: """
                Nothing happens when it is as it was. A service that runs hands on by the new version at its next start; \
                a receiver holds what comes against it at once. `serve` publishes too when it starts.

                EXAMPLE
                  federation-node catalog publish --config /srv/370100/node.yaml
                """)

        @OptionGroup var node: NodeOptions

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let published = try await node.desk().publishCatalog()
            let (release, isNew) = (published.release, published.isNew)
            let rejected = published.rejected.map(\.text)
            for line in rejected { Output.note(line) }
            if json {
                try Output.json(
                    Report(
                        version: release.version, published: isNew, entries: release.catalog.entries.count,
                        rejected: rejected))
            } else {
                print(
                    "version \(release.version)\(isNew ? "" : ", as before"): \(release.catalog.entries.count) entries")
            }
        }

        private struct Report: Encodable {
            let version: Int64
            let published: Bool
            let entries: Int
            let rejected: [String]
        }
    }
}

/// Whose catalog, and which version of it.
struct CatalogSource: ParsableArguments {
    @OptionGroup var node: NodeOptions

    @Option(name: .customLong("node"), help: "A node below this one: a code or the beginning of a name.")
    var named: String?

    @Option(name: .customLong("catalog-version"), help: "A version of it; without it the newest.")
    var version: Int64?
}
