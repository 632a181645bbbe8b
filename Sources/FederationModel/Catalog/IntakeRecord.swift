/// One record on its way into the store of the node that creates it: an import, the HTTP intake and the ticket commands
/// all hand in this shape.
///
/// It has no version and no seq; the store gives both. The same record handed in again changes nothing, because its key is
/// the same and its fields are equal.
package struct IntakeRecord: Hashable, Sendable {
    package let resource: ResourceName
    /// Unique within the resource at its origin. A ticket's key is its global id, `ORIGIN-SOURCEKEY`; a record of its
    /// thread has `GLOBALID.RESOURCE.ORDINAL`.
    package let key: String
    /// Only what is known: a field that is absent is null in the row.
    package var fields: [String: FieldValue]

    package init(resource: ResourceName, key: String, fields: [String: FieldValue]) {
        self.resource = resource
        self.key = key
        self.fields = fields
    }

    private var keyViolation: RowRejection? {
        let bytes = key.utf8.count
        if bytes == 0 { return RowRejection(field: "key", rule: .missing, reason: "is required") }
        if bytes > RowKey.bytesMax {
            return RowRejection(field: "key", rule: .tooLong, reason: "\(bytes) bytes, at most \(RowKey.bytesMax)")
        }
        return key.utf8.contains(0)
            ? RowRejection(field: "key", rule: .badText, reason: "holds a NUL character") : nil
    }

    /// What is wrong with its key and its fields, by the resource's columns; nil when it may be stored.
    ///
    /// Nothing is wrong with nearly every record, and most of its columns are empty, so the fields that there are get looked
    /// at first. Only if one of them is wrong the columns are gone through, so that the first one is always told.
    package func violation(in definition: ResourceDefinition, lists: CodeLists = .builtIn) -> RowRejection? {
        if let violation = keyViolation { return violation }
        var required = 0
        let isRight = fields.allSatisfy { name, value in
            guard let column = definition.column(named: name) else { return false }
            if column.isRequired { required += 1 }
            return column.violation(of: value, lists: lists) == nil
        }
        if isRight, required == definition.requiredColumns { return nil }
        for column in definition.columns {
            if let violation = column.violation(of: fields[column.name] ?? .null, lists: lists) { return violation }
        }
        for name in fields.keys.sorted() where definition.column(named: name) == nil {
            return RowRejection(field: name, rule: .unknown, reason: "is not a field of \(definition.name)")
        }
        return nil
    }
}
