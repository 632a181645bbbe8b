import ConfigurationFiles
import FederationModel
import Foundation
import LocalStore
import Reporting

extension NodeDesk {
    /// All revisions that are here, of this node's reports and of those that others have sent.
    package func reports() async throws -> [ReportLine] {
        try await perform(.listReports) { _ in try await store.reportLines() }
    }

    /// One revision; the newest where none is named.
    ///
    /// - Parameter node: who made it; nil for this node, or for the only one that has sent a report of that number.
    /// - Throws: `E_REPORT_UNKNOWN`.
    package func report(
        _ number: String, of node: NodeID? = nil, edition: ReportEdition = .internal, revision: Int? = nil
    ) async throws -> ArchivedReport {
        try await perform(.showReport) { _ in
            guard let report = try await archived(number, edition, of: node, revision: revision) else {
                throw FederationError(
                    "E_REPORT_UNKNOWN", "there is no such report here", hint: "see `federation-node report list`")
            }
            return report
        }
    }

    /// What differs between two revisions of a report.
    ///
    /// - Parameters:
    ///   - first: nil for the one before `second`.
    ///   - second: nil for the newest.
    /// - Throws: `E_REPORT_UNKNOWN`.
    package func reportChanges(
        _ number: String, of node: NodeID? = nil, from first: Int? = nil, to second: Int? = nil
    ) async throws -> [ReportChange] {
        try await perform(.showReport) { _ in
            let after = try await report(number, of: node, revision: second)
            let before = try await report(number, of: node, revision: first ?? max(1, after.revision - 1))
            return after.document.changes(since: before.document)
        }
    }

    /// Publishes the edition for the public of the newest revision. It goes to every node below.
    ///
    /// - Returns: the edition, how many rows have no figures in it, and in how many texts something personal was masked.
    /// - Throws: `E_REPORT_UNKNOWN`.
    package func publish(
        report number: String
    ) async throws -> (report: ArchivedReport, suppressed: Int, masked: Int) {
        try await perform(.publishReport) { now in
            guard let newest = try await archived(number, .internal, of: id) else {
                throw FederationError(
                    "E_REPORT_UNKNOWN", "node \(id) has no report of that number",
                    hint: "only the node that made a report publishes it; see `federation-node report list`")
            }
            let (document, suppressed, masked) = newest.document.publicEdition()
            let former = try await archived(number, .public, of: id)
            if let former, former.document == document { return (former, suppressed, masked) }
            // It keeps the number of the revision that it is of.
            let report = ArchivedReport(
                document, revision: newest.revision, madeAt: now,
                changes: former.map { document.changes(since: $0.document) } ?? [])
            try await archive(report, in: ReportSeriesKind.publicSeries, now: now)
            return (report, suppressed, masked)
        }
    }

    // MARK: - Subscribers

    /// Lets a node have all reports of a kind that this one makes, or no further ones.
    ///
    /// - Returns: who gets what now.
    package func subscribe(
        _ node: NodeID, to kind: ReportKind, ends: Bool
    ) async throws -> [ReportSubscription] {
        try await perform(.subscribeReports) { now in
            let series = ReportSeriesKind.id(of: id, kind.rawValue)
            let known = try await store.reportSubscriptions().first { $0.series == series && $0.node == node }
            var fields: [String: FieldValue] = [
                "report_series_id": .text(series), "node": .text(node.code),
                "occurred_at": .integer(ends ? known?.since ?? now : now),
            ]
            if ends { fields["ended_at"] = .integer(now) }
            if known.map({ ($0.endedAt != nil) != ends }) ?? !ends {
                try await keep(
                    IntakeRecord(
                        resource: CaseResources.reportSubscription.name, key: "\(series)-\(node)", fields: fields),
                    now: now)
            }
            return try await store.reportSubscriptions()
        }
    }

    package func reportSubscriptions() async throws -> [ReportSubscription] {
        try await perform(.listReports) { _ in try await store.reportSubscriptions() }
    }

    // MARK: - How a report looks

    /// The templates of the node's folder, where it has one, else those of the program.
    ///
    /// - Throws: `E_REPORT_TEMPLATE` for one that can't be read.
    package func reportTemplates() throws -> ReportTemplates {
        func own(_ name: String) throws -> String? {
            let folder = URL(filePath: settings.reportTemplatesPath, directoryHint: .isDirectory)
            let path = folder.appending(path: name).path
            guard FileManager.default.fileExists(atPath: path) else { return nil }
            guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
                throw FederationError(
                    "E_REPORT_TEMPLATE", "\(path) can't be read",
                    hint: "it must be UTF-8 text that the node's user can read")
            }
            return text
        }
        return try ReportTemplates(
            html: own(ReportTemplates.htmlFile), markdown: own(ReportTemplates.markdownFile))
    }

    // MARK: - The archive

    func archived(
        _ number: String, _ edition: ReportEdition, of node: NodeID? = nil, revision: Int? = nil
    ) async throws -> ArchivedReport? {
        let lines = try await store.reportLines(number: number).filter {
            $0.edition == edition.rawValue && (node == nil || $0.origin == node)
                && (revision == nil || $0.revision == revision)
        }
        let own = lines.filter { $0.origin == id }
        let origins = Set(lines.map(\.origin))
        // Two others may have sent one of the same number: then the node has to be named.
        let candidates = own.isEmpty ? (origins.count == 1 ? lines : []) : own
        guard let line = candidates.max(by: { $0.revision < $1.revision }),
            let (document, changes) = try await store.reportText(line)
        else { return nil }
        return ArchivedReport(
            try WireJSON.decode(ReportDocument.self, Array(document.utf8)), revision: line.revision,
            madeAt: line.madeAt,
            changes: try changes.map { try WireJSON.decode([ReportChange].self, Array($0.utf8)) } ?? [])
    }

    /// Keeps a revision as a record of this node, which goes to the subscribers of the series.
    func archive(_ report: ArchivedReport, in series: String, now: UnixMilliseconds) async throws {
        let document = report.document
        var fields: [String: FieldValue] = [
            "report_series_id": .text(ReportSeriesKind.id(of: id, series)), "occurred_at": .integer(report.madeAt),
            "number": .text(document.number), "revision": .integer(Int64(report.revision)),
            "kind": .text(document.kind.rawValue), "period": .text(document.period), "title": .text(document.title),
            "edition": .text(document.edition.rawValue), "document": .text(try Self.text(document)),
        ]
        if !report.changes.isEmpty {
            fields["changes"] = .text(try Self.text(Array(report.changes.prefix(Self.changesMax))))
        }
        try await keep(
            IntakeRecord(
                resource: CaseResources.report.name,
                key: "\(id)-\(document.number)-\(document.edition.rawValue)-\(report.revision)", fields: fields),
            now: now)
    }

    /// A report of which more has changed is another one; `report diff` tells all the same.
    private static let changesMax = 800

    private func keep(_ record: IntakeRecord, now: UnixMilliseconds) async throws {
        _ = try await commit(\.head) { try await store.intake([record], now: now) }
    }

    static func text(_ value: some Encodable) throws -> String {
        String(decoding: try WireJSON.encodeSorted(value), as: UTF8.self)
    }
}
