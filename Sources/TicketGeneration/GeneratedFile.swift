import FederationModel

/// Writes generated threads as text: JSON Lines with a record a line, or CSV with a ticket a row.
package struct GeneratedFile: Sendable {
    package enum Format: String, CaseIterable, Sendable {
        case csv
        case jsonl
    }

    /// A group of columns: one record of the thread.
    private struct Slot: Sendable {
        let name: String
        let resource: ResourceName
        /// For ticket actions.
        let action: String?
        /// Whether it holds the first of several records, else the last.
        let isFirst: Bool
        let columns: [ColumnDefinition]

        init(_ definition: ResourceDefinition, name: String? = nil, action: String? = nil, isFirst: Bool = false) {
            self.name = name ?? action ?? definition.name.text
            resource = definition.name
            self.action = action
            self.isFirst = isFirst
            let left = action == nil ? Self.leftOut : Self.leftOut.union(["target", "value", "unit", "reason"])
            columns = definition.columns.filter {
                !left.contains($0.name) || action == "merge" && $0.name == "target"
            }
        }

        func holds(_ record: IntakeRecord) -> Bool {
            record.resource == resource && (action == nil || record.fields["action"]?.text == action)
        }

        /// What the import fills in by itself, and what is never filled here.
        private static let leftOut: Set<String> = [
            "global_id", "ticket_origin", "recorded_at", "round", "ext", "action", "source_request_id",
            "source_system", "lat", "long", "reporter_phone_alt", "respondent_uscc", "migrated", "call_id",
            "content_internal", "comment",
        ]
    }

    private static let slots: [Slot] = [
        Slot(BuiltInResources.serviceRequest), Slot(BuiltInResources.ticketAction, action: "queue"),
        Slot(BuiltInResources.ticketAction, action: "merge"), Slot(BuiltInResources.assignment),
        Slot(BuiltInResources.acknowledgement), Slot(BuiltInResources.extensionRequest),
        Slot(BuiltInResources.extensionDecision), Slot(BuiltInResources.handling, isFirst: true),
        Slot(BuiltInResources.supervision),
        Slot(BuiltInResources.reply), Slot(BuiltInResources.ticketAction, action: "apply_closure"),
        Slot(BuiltInResources.closure), Slot(BuiltInResources.callback, isFirst: true),
        Slot(BuiltInResources.callback, name: "callback_2", isFirst: true), Slot(BuiltInResources.evaluation),
        Slot(BuiltInResources.ticketAction, action: "archive"),
    ]

    private let format: Format

    package init(_ format: Format) { self.format = format }

    /// The first line of a CSV file; nothing for JSON Lines.
    package var header: [UInt8] {
        guard format == .csv else { return [] }
        let names = Self.slots.flatMap { slot in slot.columns.map { "\(slot.name).\($0.name)" } }
        return Array((names.joined(separator: ",") + "\n").utf8)
    }

    /// Appends one ticket.
    ///
    /// CSV has the ticket as a list shows it: where it stands now. Of each kind of record it has one since the last
    /// dispatch, of callbacks two. Returns, suspensions, corrections, transfers, calls, and what came before a return or a
    /// new round are in JSON Lines only.
    package func append(_ thread: [IntakeRecord], to text: inout [UInt8]) {
        switch format {
        case .jsonl: for record in thread { appendLine(record, to: &text) }
        case .csv: appendRow(thread, to: &text)
        }
    }

    // MARK: - JSON Lines

    private func appendLine(_ record: IntakeRecord, to text: inout [UInt8]) {
        text += "{\"resource\":\"".utf8
        text += record.resource.text.utf8
        text += "\",\"key\":".utf8
        appendString(record.key, to: &text)
        for column in BuiltInResources.named(record.resource)?.columns ?? [] {
            guard let value = record.fields[column.name] else { continue }
            text += ",\"".utf8
            text += column.name.utf8
            text += "\":".utf8
            switch value {
            case .null: text += "null".utf8
            case .integer(let time) where column.type == .timestamp:
                text.append(UInt8(ascii: "\""))
                appendTime(time, dateSeparator: UInt8(ascii: "T"), to: &text)
                text += "+08:00\"".utf8
            case .integer(let integer) where column.type == .boolean: text += (integer == 0 ? "false" : "true").utf8
            case .integer(let integer): text += String(integer).utf8
            case .real(let real): text += String(real).utf8
            case .text(let words): appendString(words, to: &text)
            }
        }
        text += "}\n".utf8
    }

    /// Nothing that is generated holds a control character.
    private func appendString(_ words: String, to text: inout [UInt8]) {
        text.append(UInt8(ascii: "\""))
        for byte in words.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { text.append(UInt8(ascii: "\\")) }
            text.append(byte)
        }
        text.append(UInt8(ascii: "\""))
    }

    // MARK: - CSV

    private func appendRow(_ thread: [IntakeRecord], to text: inout [UInt8]) {
        let dispatch =
            thread.lastIndex { $0.resource == "assignment" && $0.fields["role"] == .text("main") } ?? 0
        // A slot's record stands behind that of the slot before, so that a row runs forward in time.
        var next = 0
        for (index, slot) in Self.slots.enumerated() {
            if slot.resource == "assignment" { next = max(next, dispatch) }
            let rest = thread.indices.dropFirst(next)
            let isFirst = slot.isFirst || index < 2 || slot.resource == "assignment"
            let found =
                isFirst ? rest.first { slot.holds(thread[$0]) } : rest.last { slot.holds(thread[$0]) }
            if let found { next = found + 1 }
            let record = found.map { thread[$0] }
            for (position, column) in slot.columns.enumerated() {
                if index > 0 || position > 0 { text.append(UInt8(ascii: ",")) }
                guard let value = record?.fields[column.name] else { continue }
                append(value, column.type, to: &text)
            }
        }
        text.append(UInt8(ascii: "\n"))
    }

    private func append(_ value: FieldValue, _ type: ColumnType, to text: inout [UInt8]) {
        switch value {
        case .null: break
        case .integer(let time) where type == .timestamp:
            appendTime(time, dateSeparator: UInt8(ascii: " "), to: &text)
        case .integer(let integer): text += String(integer).utf8
        case .real(let real): text += String(real).utf8
        case .text(let words): text += csvField(words).utf8
        }
    }

    private func appendTime(_ time: UnixMilliseconds, dateSeparator: UInt8, to text: inout [UInt8]) {
        let day = ShanghaiTime.dayNumber(time)
        let date = CivilDate.date(dayNumber: day)
        let midnight = ShanghaiTime.midnight(ofDay: day)
        let seconds = Int(time - midnight) / 1_000
        appendDigits(date.year, 4, to: &text)
        text.append(UInt8(ascii: "-"))
        appendDigits(date.month, 2, to: &text)
        text.append(UInt8(ascii: "-"))
        appendDigits(date.day, 2, to: &text)
        text.append(dateSeparator)
        appendDigits(seconds / 3_600, 2, to: &text)
        text.append(UInt8(ascii: ":"))
        appendDigits(seconds / 60 % 60, 2, to: &text)
        text.append(UInt8(ascii: ":"))
        appendDigits(seconds % 60, 2, to: &text)
        // The end of a day is its last millisecond.
        guard time % 1_000 != 0 else { return }
        text.append(UInt8(ascii: "."))
        appendDigits(Int(time - midnight) % 1_000, 3, to: &text)
    }

    private func appendDigits(_ value: Int, _ width: Int, to text: inout [UInt8]) {
        var divisor = width == 4 ? 1_000 : width == 3 ? 100 : 10
        while divisor > 0 {
            text.append(UInt8(ascii: "0") + UInt8(value / divisor % 10))
            divisor /= 10
        }
    }
}
