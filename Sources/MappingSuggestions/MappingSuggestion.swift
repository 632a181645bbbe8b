import ConfigurationFiles
import FederationModel
import Foundation
import RecordIntake

/// A mapping that is proposed for a file: from the names of its columns and from what a sample of its rows looks like.
///
/// It is YAML that `Mapping.parse` takes as it is; where the file does not tell, a comment `# DECIDE:` says what a person
/// must look at. Values of a file stand in it only where a column has few short words that become codes.
package struct MappingSuggestion: Sendable {
    package let yaml: String
    /// What a person must decide, in the order of the file.
    package let decisions: [String]
    /// Rows that were looked at.
    package let rows: Int

    /// Looks at a file of any form that an import reads.
    ///
    /// - Parameters:
    ///   - resource: what a row is: a ticket with its thread, or one of the other resources.
    ///   - rowsMax: how many rows are looked at, from the beginning.
    ///   - format: what is said of how the file is written.
    ///   - lists: those of the reference data, by whose names regions and categories are known.
    ///   - region: that of the node whose file it is.
    /// - Throws: `E_IMPORT_…`, `E_CSV_HEADER`; `E_MAPPING_SUGGEST` when the file lacks something without which there
    ///   are no records, such as times; `E_RESOURCE_UNKNOWN`.
    package init(
        path: String, resource: ResourceName = "service_request", rowsMax: Int = 50_000,
        format: SourceFormat = SourceFormat(), lists: CodeLists = .builtIn, region: String? = nil
    ) throws {
        guard let definition = BuiltInResources.named(resource) else {
            throw FederationError(
                "E_RESOURCE_UNKNOWN", "there is no resource \(resource)",
                hint: suggestion(for: resource.text, among: BuiltInResources.all.map(\.name.text)))
        }
        var format = format
        format.fillsShortRows = true
        let reader = try SourceFile(path: path).rows(format: format, columns: .found(inRows: rowsMax))
        guard
            [.json, .jsonLines].contains(reader.form.kind)
                || !reader.header.contains(where: { HeaderSearch.isValue($0.utf8) })
        else {
            throw FederationError(
                "E_CSV_HEADER", "no row of \(path) names its columns: each holds times or long numbers",
                hint: "have the system export the names of the columns, or say where they are: --header-row")
        }
        var profiles = reader.header.enumerated().map { ColumnProfile(name: $0.element, position: $0.offset) }
        var rows = 0
        while rows < rowsMax, let step = try reader.next() {
            guard step == .row, !TotalLine.matches(reader) else { continue }
            rows += 1
            for index in profiles.indices { profiles[index].add(reader.text(index)) }
        }
        let file = URL(filePath: path).lastPathComponent
        var suggester = MappingSuggester(
            profiles: profiles, file: file, rows: rows,
            namesByList: MappingSuggester.names(in: lists, region: region))
        var mapping = try suggester.mapping(of: definition)
        mapping.headerRow = (reader.form.headerRow ?? 1) == 1 ? nil : reader.form.headerRow
        mapping.sheet = format.sheet
        mapping.emptyWords = Set(profiles.flatMap(\.placeholders)).sorted()
        if reader.shortRows > 0 {
            mapping.fillsShortRows = true
            mapping.fileDecide =
                "\(reader.shortRows) rows have fewer columns than the header; are those at the end empty, or is the row broken in two?"
        }
        yaml = mapping.yaml
        decisions = mapping.decisions
        self.rows = rows
    }
}
