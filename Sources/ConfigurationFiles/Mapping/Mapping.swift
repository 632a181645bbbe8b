import FederationModel

/// How one row of a source's file becomes records of the catalog. Written as YAML; `docs/importing.md` describes it.
///
/// A mapping has been checked against the catalog when it exists: every resource, field and code in it is known, and every
/// required field is mapped. What depends on the file (its columns) is checked by `Importer`.
package struct Mapping: Sendable {
    /// A column of the file and the line of the mapping that names it.
    package struct Column: Hashable, Sendable {
        package let name: String
        package let line: Int
    }

    /// When a record is made or a field is filled.
    package enum Test: Sendable {
        case filled
        case oneOf(WordSet)
        case noneOf(WordSet)
    }

    package struct Condition: Sendable {
        package let column: Column
        package let test: Test
    }

    /// Where a field's text comes from.
    package enum Source: Sendable {
        case constant(String)
        /// The first that is not empty.
        case firstOf([Column])
        /// All that are not empty.
        case joined([Column], separator: String)
    }

    package struct FieldRule: Sendable {
        package let field: ColumnDefinition
        package let source: Source
        package let condition: Condition?
        package let translation: Translation?
        /// For a field of type timestamp, tried in order.
        package let timeFormats: [TimeFormat]
        package let zone: String
        /// Whether a time that names only its day stands for the end of that day, not for its beginning.
        package let isDayEnd: Bool
        /// Used when the source is empty.
        package let fallback: String?
    }

    package struct RecordRule: Sendable {
        package let definition: ResourceDefinition
        package let condition: Condition?
        package let fields: [FieldRule]
        /// Columns that are kept as they are in the record's `ext`.
        package let ext: [Column]
        /// The column that tells several records of one ticket apart; nil for the position among the rules.
        package let ordinal: Column?
        package let position: Int
    }

    /// What a row says that comes again.
    package enum Closure: String, CaseIterable, Sendable {
        /// The whole truth about what the source's earlier rows with the same key said: records that it is no longer are withdrawn.
        case snapshot
        /// More of what the source says: nothing is taken back.
        case append
    }

    /// Path of the file, for messages.
    package let path: String
    /// What the files come from: the later are held against the earlier ones of the same source.
    package let source: String
    package let closure: Closure
    /// How its files are written, as far as they don't tell themselves.
    package let format: SourceFormat
    /// Columns that together name the source's row; joined with `-`.
    package let key: [Column]
    /// Columns that a file may lack; they read as empty then.
    package let optionalColumns: Set<String>
    /// Whether its rows are events as they happen: those that the state machine does not allow are refused. Else the file is
    /// the history of another system, whose tickets are marked as migrated: steps that the system never kept are not held
    /// against them, and what is illegal in their threads is stored and becomes a conflict record.
    package let isGuarded: Bool
    package let records: [RecordRule]
    /// That its codes have been held against; the records' are too.
    package let lists: CodeLists

    /// The resources that it makes, in the order of the file.
    package var resources: [ResourceName] {
        records.reduce(into: []) { if !$0.contains($1.definition.name) { $0.append($1.definition.name) } }
    }

    /// Whether each row is one of several of its ticket, told apart by a column.
    package var hasOrdinals: Bool { records.contains { $0.ordinal != nil } }

    /// What each field is made of, by `RESOURCE.FIELD`: its columns, or its constant with `=` before it. Shows how two
    /// mappings of one file differ.
    package var sources: [String: [String]] {
        records.reduce(into: [:]) { sources, record in
            for rule in record.fields {
                let columns = rule.source.columns.map(\.name)
                if case .constant(let value) = rule.source {
                    sources["\(record.definition.name).\(rule.field.name)"] = ["=" + value]
                } else {
                    sources["\(record.definition.name).\(rule.field.name)"] = columns
                }
            }
        }
    }

    /// Every column that it reads, as often as it is named.
    package var columns: [Column] {
        key
            + records.flatMap { record in
                record.ext + [record.condition?.column, record.ordinal].compactMap { $0 }
                    + record.fields.flatMap { $0.columns }
            }
    }
}

extension Mapping.Source {
    package var columns: [Mapping.Column] {
        switch self {
        case .constant: []
        case .firstOf(let columns), .joined(let columns, _): columns
        }
    }
}

extension Mapping.FieldRule {
    var columns: [Mapping.Column] { source.columns + [condition?.column].compactMap { $0 } }
}
