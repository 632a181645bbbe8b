import ArgumentParser
import CatalogFile
import FederationModel
import Foundation
import LocalStore
import NodeRuntime
import YAMLFile

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "The data-resource catalog (热线数据资源目录): what a node hands on, and on what terms.",
        discussion: "EXAMPLE\n  federation-node catalog list",
        subcommands: [List.self, Show.self, Diff.self, Check.self, Validate.self, Publish.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the entries of this node's catalog, or of one below it.",
            discussion: "EXAMPLE\n  federation-node catalog list --node 370100 --config /srv/370000/node.yaml")

        @OptionGroup var source: CatalogSource

        @Flag(help: "Print JSON.")
        var json = false

        func run() async throws {
            let report = CatalogReport(try await source.release(), node: try source.owner())
            if json { try Output.json(report) } else { try Output.line(report.text) }
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
            let catalog = try await source.release().catalog
            guard let entry = catalog.entry(ResourceName(name)) else {
                throw FederationError(
                    "E_CATALOG_ENTRY", "the catalog has no entry for \(name.printable)",
                    hint: suggestion(for: name, among: catalog.entries.map(\.resource.text)))
            }
            let report = CatalogEntryReport(entry)
            if json { try Output.json(report) } else { try Output.line(report.text) }
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
            let local = try node.open()
            let owner = try local.node(named: owner).id
            let releases = try await local.store.catalogs(of: owner)
            let difference = CatalogDifference(
                from: try catalog(from, of: owner, in: releases), to: try catalog(to, of: owner, in: releases))
            let report = CatalogDifferenceReport(difference, node: owner, from: from, to: to)
            if json { try Output.json(report) } else { try Output.line(report.text) }
        }

        private func catalog(_ version: Int64, of node: NodeID, in releases: [CatalogRelease]) throws -> Catalog {
            if let release = releases.first(where: { $0.version == version }) { return release.catalog }
            let known = releases.map { "\($0.version)" }.joined(separator: ", ")
            throw FederationError(
                "E_CATALOG_VERSION", "version \(version) of the catalog of \(node) is not here",
                hint: known.isEmpty ? "none has come yet" : "there are \(known)")
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
            let check = try await node.open().checkCatalogs(now: wallClock())
            let report = CatalogCheckReport(check)
            if json { try Output.json(report) } else { try Output.line(report.text) }
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
            let local = try node.open()
            let file = self.file ?? local.settings.catalogPath
            var problems: [FileProblem] = []
            var entries = 0
            do {
                entries = try CatalogFile.read(path: file, base: local.catalogBase).entries.count
            } catch {
                problems = error.problems
            }
            if json {
                try Output.json(Report(valid: problems.isEmpty, problems: problems))
            } else if problems.isEmpty {
                try Output.line("\(file): \(entries) entries")
            } else {
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
            let local = try node.open()
            let (release, isNew) = try await local.publishCatalog(now: wallClock())
            let rejected = try await local.rejectedSubscriptions().map(\.text)
            for line in rejected { Output.note(line) }
            if json {
                try Output.json(
                    Report(
                        version: release.version, published: isNew, entries: release.catalog.entries.count,
                        rejected: rejected))
            } else {
                try Output.line(
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

    func owner() throws -> NodeID {
        let local = try node.open()
        return try named.map { try local.node(named: $0).id } ?? local.id
    }

    /// - Throws: `E_CATALOG_VERSION`, `E_NODE_UNKNOWN`, and what opening the node throws.
    func release() async throws -> CatalogRelease {
        let local = try node.open()
        let owner = try owner()
        let releases = try await local.store.catalogs(of: owner)
        if let version {
            if let release = releases.first(where: { $0.version == version }) { return release }
        } else if let newest = releases.last {
            return newest
        } else if owner == local.id {
            // Nothing is published before the first start.
            return CatalogRelease(version: 0, publishedAt: 0, catalog: try local.catalogOfFile())
        }
        throw FederationError(
            "E_CATALOG_VERSION", "no such version of the catalog of \(owner) is here",
            hint: releases.isEmpty
                ? "it comes when that node has been started and its link is up"
                : "there are \(releases.map { "\($0.version)" }.joined(separator: ", "))")
    }
}
