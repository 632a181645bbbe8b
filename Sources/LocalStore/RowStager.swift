import ChangeSetFormat
import FederationModel
import GRDB
import GRDBSQLite

/// Fills the staging table `batch.R` through one cached INSERT bound by the C API: 35,000 rows a second by argument
/// objects, 70,000 this way.
struct RowStager {
    let table: ResourceTable
    let db: Database

    /// What lies in a staging table.
    struct Staged {
        var rows = 0
        var hasRetractions = false
    }

    /// Stages the rows of a block, in order, without those in `skipped`.
    ///
    func stage(
        _ block: DecodedBlock, payload: UnsafeRawBufferPointer, skipping skipped: Set<Int>
    ) throws -> Staged {
        let carried = block.carried
        let names = block.columns.map(\.name) + (carried.isEmpty ? [] : [ResourceTable.carried])
        let statement = try db.cachedStatement(sql: table.stage(names)).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        let state = block.column(EnvelopeColumn.deleted)
        var rows = 0
        var hasRetractions = false
        try block.withCells { columns in
            for row in 0..<block.rowCount where !skipped.contains(row) {
                for index in columns.indices {
                    bindCell(columns[index][row], at: Int32(index + 1), payload: payload, statement)
                }
                if !carried.isEmpty {
                    let position = Int32(columns.count + 1)
                    if let json = carriedJSON(carried, row: row, payload: payload) {
                        bind(json, at: position, statement)
                    } else {
                        sqlite3_bind_null(statement, position)
                    }
                }
                try step(statement)
                rows += 1
                if state?.integer(row) == RowState.retracted.rawValue { hasRetractions = true }
            }
        }
        return Staged(rows: rows, hasRetractions: hasRetractions)
    }

    private func bindCell(
        _ cell: CellColumn.Cell, at position: Int32, payload: UnsafeRawBufferPointer, _ statement: OpaquePointer
    ) {
        switch cell {
        case .text(let range):
            // SQLITE_STATIC: the payload outlives the step.
            let start = payload.baseAddress?.advanced(by: range.lowerBound).assumingMemoryBound(to: CChar.self)
            sqlite3_bind_text(statement, position, start, Int32(range.count), nil)
        case .integer(let integer): sqlite3_bind_int64(statement, position, integer)
        case .real(let real): sqlite3_bind_double(statement, position, real)
        case .null: sqlite3_bind_null(statement, position)
        }
    }

    /// The values of a row in columns that this node does not know, as a JSON object; nil when it has none. Reals have all
    /// digits that tell them apart, which SQLite's own JSON does not write.
    private func carriedJSON(_ carried: [DecodedColumn], row: Int, payload: UnsafeRawBufferPointer) -> String? {
        var json = ""
        for column in carried.sorted(by: { $0.name < $1.name }) {
            let value = column.value(row, payload: payload)
            if value.isNull { continue }
            json += json.isEmpty ? "{" : ","
            appendJSONString(column.name, to: &json)
            json += ":"
            switch value {
            case .null: break
            case .integer(let integer): json += "\(integer)"
            case .real(let real): json += "\(real)"
            case .text(let text): appendJSONString(text, to: &json)
            }
        }
        return json.isEmpty ? nil : json + "}"
    }

    /// Stages records of this node's own intake.
    func stage(_ records: [IntakeRecord], origin: NodeID) throws {
        let names = ["origin", "key", "deleted"] + table.columns
        let statement = try db.cachedStatement(sql: table.stage(names)).sqliteStatement
        defer {
            sqlite3_reset(statement)
            sqlite3_clear_bindings(statement)
        }
        let positions = Dictionary(uniqueKeysWithValues: zip(table.columns, Int32(4)...))
        // The texts of a record one behind the other: SQLite would take memory for a copy of each.
        var bytes: [UInt8] = []
        var texts: [(position: Int32, range: Range<Int>)] = []
        func add(_ text: String, _ position: Int32) {
            let start = bytes.count
            bytes.append(contentsOf: text.utf8)
            texts.append((position, start..<bytes.count))
        }
        for record in records {
            bytes.removeAll(keepingCapacity: true)
            texts.removeAll(keepingCapacity: true)
            sqlite3_clear_bindings(statement)
            add(origin.code, 1)
            add(record.key, 2)
            sqlite3_bind_int64(statement, 3, RowState.live.rawValue)
            for (name, value) in record.fields {
                guard let position = positions[name] else { continue }
                switch value {
                case .text(let text): add(text, position)
                case .integer(let integer): sqlite3_bind_int64(statement, position, integer)
                case .real(let real): sqlite3_bind_double(statement, position, real)
                case .null: break
                }
            }
            try bytes.withUnsafeBytes { bytes in
                for (position, range) in texts {
                    // SQLITE_STATIC: they outlive the step.
                    let start = bytes.baseAddress?.advanced(by: range.lowerBound).assumingMemoryBound(to: CChar.self)
                    sqlite3_bind_text(statement, position, start, Int32(range.count), nil)
                }
                try step(statement)
            }
        }
    }

    private func step(_ statement: OpaquePointer) throws {
        guard sqlite3_step(statement) == SQLITE_DONE else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: sqlite3_extended_errcode(db.sqliteConnection)),
                message: "staging a row of \(table.definition.name)")
        }
        sqlite3_reset(statement)
    }
}

/// Binds a text that SQLite copies before this returns.
func bind(_ text: String, at position: Int32, _ statement: OpaquePointer) {
    var text = text
    text.withUTF8 { bytes in
        bytes.withMemoryRebound(to: CChar.self) {
            _ = sqlite3_bind_text(statement, position, $0.baseAddress, Int32($0.count), sqliteTransient)
        }
    }
}

/// SQLITE_TRANSIENT is a cast, which Swift does not import: SQLite copies the text before the call returns.
let sqliteTransient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
