/// Releases of a catalog as rows of the node that provides it, and back.
extension CatalogRelease {
    /// One record for each entry, item and approval, and one for the release itself. Keys hold the version, so a new
    /// release leaves the rows of the earlier one as they were.
    package var records: [IntakeRecord] {
        var rows: [IntakeRecord] = []
        for (ordinal, entry) in catalog.entries.enumerated() {
            let key = "\(version).\(entry.resource)"
            rows.append(record(of: entry, ordinal: ordinal + 1, key: key))
            for (ordinal, item) in entry.items.enumerated() {
                var fields: [String: FieldValue] = [
                    "release": .integer(version), "ordinal": .integer(Int64(ordinal + 1)),
                    "resource": .text(entry.resource.text), "name": .text(item.name), "title": .text(item.title),
                    "type": .text(item.type.rawValue), "level": .integer(Int64(item.level.rawValue)),
                ]
                fields["code_list"] = item.codeList.map { .text($0) }
                rows.append(
                    IntakeRecord(resource: CatalogResources.item.name, key: "\(key).\(item.name)", fields: fields))
            }
            for approval in entry.approvals {
                rows.append(
                    IntakeRecord(
                        resource: CatalogResources.approval.name, key: "\(key).\(approval.consumer)",
                        fields: [
                            "release": .integer(version), "resource": .text(entry.resource.text),
                            "consumer": .text(approval.consumer.code), "purpose": .text(approval.purpose),
                            "approved_by": .text(approval.approvedBy),
                            "until": .text(CivilDate.text(dayNumber: approval.until)),
                        ]))
            }
        }
        rows.append(
            IntakeRecord(
                resource: CatalogResources.release.name, key: "\(version)",
                fields: [
                    "release": .integer(version), "published_at": .integer(publishedAt),
                    "row_count": .integer(Int64(rows.count)),
                ]))
        return rows
    }

    private func record(of entry: CatalogEntry, ordinal: Int, key: String) -> IntakeRecord {
        var fields: [String: FieldValue] = [
            "release": .integer(version), "ordinal": .integer(Int64(ordinal)), "resource": .text(entry.resource.text),
            "code": .text(entry.code), "title": .text(entry.title), "summary": .text(entry.summary),
            "provider": .text(entry.provider), "provider_code": .text(entry.providerCode),
            "format": .text(entry.format.rawValue), "sharing": .text(entry.sharing.rawValue),
            "way": .text(entry.way.rawValue), "openness": .text(entry.openness.rawValue),
            "cycle": .text(entry.cycle.rawValue), "steward": .text(entry.steward),
            "schema_version": .integer(entry.schemaVersion), "external": .integer(entry.isExternal ? 1 : 0),
        ]
        fields["condition"] = entry.condition.map { .text($0) }
        fields["published"] = entry.published.map { .text(CivilDate.text(dayNumber: $0)) }
        fields["related"] = entry.related.isEmpty ? nil : .text(entry.related.joined(separator: " "))
        fields["mode"] = entry.mode.map { .text($0.rawValue) }
        fields["purpose"] = entry.purpose.map { .text($0) }
        fields["retention"] = entry.retention.map { .text($0) }
        fields["quality_target"] = entry.qualityTarget.map { .text($0) }
        return IntakeRecord(resource: CatalogResources.entry.name, key: key, fields: fields)
    }

    /// The releases that are here whole, in the order of their versions.
    ///
    /// - Parameter rows: one node's live rows of the resources of ``CatalogResources``.
    package static func all(in rows: [IntakeRecord]) -> [CatalogRelease] {
        let byVersion = Dictionary(grouping: rows) { $0.fields["release"]?.integer ?? 0 }
        return byVersion.sorted { $0.key < $1.key }.compactMap { version, rows in
            guard let head = rows.first(where: { $0.resource == CatalogResources.release.name }),
                head.fields["row_count"]?.integer == Int64(rows.count - 1)
            else { return nil }
            return CatalogRelease(
                version: version, publishedAt: head.fields["published_at"]?.integer ?? 0, catalog: Catalog(rows: rows))
        }
    }
}

extension Catalog {
    fileprivate init(rows: [IntakeRecord]) {
        func group(_ resource: ResourceDefinition) -> [String: [IntakeRecord]] {
            Dictionary(grouping: rows.filter { $0.resource == resource.name }) { $0.fields["resource"]?.text ?? "" }
        }
        func inOrder(_ rows: [IntakeRecord]) -> [IntakeRecord] {
            rows.sorted {
                ($0.fields["ordinal"]?.integer ?? .max, $0.key) < ($1.fields["ordinal"]?.integer ?? .max, $1.key)
            }
        }
        let items = group(CatalogResources.item).mapValues { inOrder($0).compactMap { CatalogItem(fields: $0.fields) } }
        let approvals = group(CatalogResources.approval).mapValues { rows in
            rows.compactMap { CatalogApproval(fields: $0.fields) }.sorted { $0.consumer < $1.consumer }
        }
        self.init(
            inOrder(rows.filter { $0.resource == CatalogResources.entry.name }).map { row in
                let resource = row.fields["resource"]?.text ?? ""
                return CatalogEntry(
                    fields: row.fields, resource: resource, items: items[resource] ?? [],
                    approvals: approvals[resource] ?? [])
            })
    }
}

extension CatalogEntry {
    /// A sharing type of a newer release that this one does not know shares nothing.
    fileprivate init(
        fields: [String: FieldValue], resource: String, items: [CatalogItem], approvals: [CatalogApproval]
    ) {
        func text(_ name: String) -> String { fields[name]?.text ?? "" }
        self.init(
            resource: ResourceName(resource), code: text("code"), title: text("title"), summary: text("summary"),
            provider: text("provider"), providerCode: text("provider_code"), items: items, steward: text("steward"),
            schemaVersion: fields["schema_version"]?.integer ?? 0)
        format = ResourceFormat(rawValue: text("format")) ?? .database
        sharing = SharingType(rawValue: text("sharing")) ?? .none
        condition = fields["condition"]?.text
        way = SharingWay(rawValue: text("way")) ?? .platform
        openness = Openness(rawValue: text("openness")) ?? .none
        cycle = UpdateCycle(rawValue: text("cycle")) ?? .irregular
        published = CivilDate.dayNumber(text("published"))
        related = text("related").split(separator: " ").map(String.init)
        mode = AggregationMode(rawValue: text("mode"))
        purpose = fields["purpose"]?.text
        retention = fields["retention"]?.text
        qualityTarget = fields["quality_target"]?.text
        isExternal = fields["external"]?.integer == 1
        self.approvals = approvals
    }
}

extension CatalogItem {
    fileprivate init?(fields: [String: FieldValue]) {
        guard let name = fields["name"]?.text, let type = fields["type"]?.text.flatMap({ ColumnType(rawValue: $0) })
        else { return nil }
        self.init(
            name: name, title: fields["title"]?.text ?? "", type: type,
            level: fields["level"]?.integer.flatMap { ClassificationLevel(rawValue: Int(truncatingIfNeeded: $0)) }
                ?? .sensitive, codeList: fields["code_list"]?.text)
    }
}

extension CatalogApproval {
    fileprivate init?(fields: [String: FieldValue]) {
        guard let consumer = fields["consumer"]?.text.flatMap({ NodeID($0) }),
            let until = fields["until"]?.text.flatMap({ CivilDate.dayNumber($0) })
        else { return nil }
        self.init(
            consumer: consumer, purpose: fields["purpose"]?.text ?? "", approvedBy: fields["approved_by"]?.text ?? "",
            until: until)
    }
}
