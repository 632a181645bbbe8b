/// What the reference data and the world say of a record of this node's own: checked where it enters (import, push, by hand), never on
/// a link, where the origin's lists may be newer.
extension ReferenceData {
    /// - Returns: what is wrong with a region, a service code, coordinates or a digest; nil when nothing is.
    package func violation(of record: IntakeRecord) -> RowRejection? {
        if let code = record.fields["region_code"]?.text, !knowsRegion(code) {
            return RowRejection(
                field: "region_code", rule: .notInCodeList, reason: "is no region of the reference data")
        }
        if let code = record.fields["service_code"]?.text, !services.entries.isEmpty, !services.contains(code) {
            return RowRejection(
                field: "service_code", rule: .notInCodeList, reason: "is no service code of the reference data")
        }
        for (field, most) in [("lat", 90.0), ("long", 180.0)] {
            guard case .real(let degrees) = record.fields[field], !(-most...most).contains(degrees) else { continue }
            return RowRejection(
                field: field, rule: .range, reason: "is not between -\(Int(most)) and \(Int(most)) degrees")
        }
        for field in ["sha256", "sm3"] {
            guard let digest = record.fields[field]?.text, !Self.isDigest(digest) else { continue }
            return RowRejection(field: field, rule: .type, reason: "is not 64 hexadecimal digits")
        }
        if let bytes = record.fields["bytes"]?.integer, bytes < 0 {
            return RowRejection(field: "bytes", rule: .range, reason: "is less than 0")
        }
        return nil
    }

    private static func isDigest(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { Character(Unicode.Scalar($0)).isHexDigit }
    }

    /// Streets and villages (9 and 12 digits) need not be in the list: their county is.
    private func knowsRegion(_ code: String) -> Bool {
        if regions.contains(code) { return true }
        let digits = code.utf8.count
        guard [6, 9, 12].contains(digits), code.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return false }
        return regions.entries.isEmpty || digits > 6 && regions.contains(String(code.prefix(6)))
    }
}

extension ColumnDefinition {
    /// The list whose names explain its values: that of its codes. Regions and categories have one too, though a neighbour's may be of a
    /// newer one.
    package var titleList: String? {
        switch name {
        case "region_code": ReferenceData.regionList
        case "service_code": ReferenceData.serviceList
        default: codeList
        }
    }
}

extension IntakeRecord {
    /// Why it is refused where somebody gives half a place; nil when nobody does.
    package var violationOfPlace: RowRejection? {
        hasHalfPlace
            ? RowRejection(field: "lat", rule: .range, reason: "a place has latitude and longitude, and 0, 0 is none")
            : nil
    }

    /// Whether its coordinates name no place: one without the other, or 0, 0, which stands for none.
    package var hasHalfPlace: Bool {
        switch (fields["lat"], fields["long"]) {
        case (nil, nil): false
        case (.real(let lat)?, .real(let long)?): lat == 0 && long == 0
        default: true
        }
    }
}
