/// An external data set (外部数据, clause 5.1: 应用所需要的相关外部数据) as a node has registered it: what its rows look like, and which of its
/// columns tell place, time, unit and category, by which it is counted beside the hotline's own records.
///
/// All rows of all data sets lie in one resource, `external_record`, so one that is registered while the node runs is copied, asked and
/// swept as everything else is, also by a neighbour that has never heard of it.
package struct ExternalDataset: Hashable, Sendable {
    package static let columnsMax = 100
    package static let namePattern = "lower-case letters, digits and _, a letter first"

    package let name: String
    package let version: Int
    package let title: String
    /// Who provides it (信息资源提供方).
    package let provider: String
    package let columns: [ColumnDefinition]
    /// The codes that its columns have of their own.
    package let lists: [CodeList]
    /// The heading of each column in files, where that is not its name.
    package let headings: [String: String]
    package let key: String
    package let time: String
    /// By what it means to every data set (`region_code`, `unit`, `service_code`, `ended_at`), the column that says so.
    package let roles: [String: String]

    /// - Precondition: `key`, `time` and `roles` name columns, and names are such (``isName(_:)``).
    package init(
        name: String, version: Int, title: String, provider: String, columns: [ColumnDefinition], lists: [CodeList],
        headings: [String: String], key: String, time: String, roles: [String: String]
    ) {
        self.name = name
        self.version = version
        self.title = title
        self.provider = provider
        self.columns = columns
        self.lists = lists
        self.headings = headings
        self.key = key
        self.time = time
        self.roles = roles
    }

    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, (0x61...0x7a).contains(first), text.utf8.count <= 40 else { return false }
        return text.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5f }
    }

    /// Its rows as files have them, for a mapping.
    package var definition: ResourceDefinition { ResourceDefinition(ResourceName(name), title, columns: columns) }

    /// A row of a file as it is stored.
    ///
    /// - Parameter record: one of `definition`; its key begins with its origin.
    package func stored(_ record: IntakeRecord, origin: NodeID) -> IntakeRecord {
        var fields: [String: FieldValue] = [
            "dataset": .text(name), "dataset_version": .integer(Int64(version)),
            "occurred_at": record.fields[time] ?? .null, "fields": .text(json(record.fields)),
        ]
        for (role, column) in roles { fields[role] = record.fields[column] }
        let own = record.key.dropFirst("\(origin)-".count)
        return IntakeRecord(resource: ExternalResources.record.name, key: "\(origin)-\(name)-\(own)", fields: fields)
    }

    /// What a row says, by the names of the columns.
    private func json(_ fields: [String: FieldValue]) -> String {
        var json = "{"
        for column in columns {
            guard let value = fields[column.name], !value.isNull else { continue }
            if json != "{" { json += "," }
            appendJSONString(column.name, to: &json)
            json += ":"
            switch value {
            case .null: json += "null"
            case .integer(let integer): json += "\(integer)"
            case .real(let real): json += "\(real)"
            case .text(let text): appendJSONString(text, to: &json)
            }
        }
        return json + "}"
    }
}

/// The resources of external data sets.
package enum ExternalResources {
    package static let all: [ResourceDefinition] = [dataset, record]

    /// A registration, with the file that says it: one row for each version.
    package static let dataset = ResourceDefinition(
        "external_dataset", "外部数据登记",
        columns: [
            .init("name", "数据集", level: .open, required: true, bytesMax: 64),
            .init("release", "版本", .integer, level: .open, required: true),
            .init("title", "名称", level: .open, required: true, bytesMax: 400),
            .init("provider", "提供方", level: .open, required: true, bytesMax: 400),
            .init("text", "登记内容", level: .open, required: true, bytesMax: 200_000),
        ], flow: .everywhere, since: 8)

    package static let record = ResourceDefinition(
        "external_record", "外部数据",
        columns: [
            .init("dataset", "数据集", level: .open, required: true, bytesMax: 64),
            .init("dataset_version", "登记版本", .integer, level: .open),
            .init("occurred_at", "时间", .timestamp, level: .inner, required: true),
            .init("ended_at", "结束时间", .timestamp, level: .inner),
            .init("region_code", "地区", level: .open, bytesMax: 12),
            .init("unit", "单位", level: .open, bytesMax: 400),
            .init("service_code", "问题分类", level: .open, bytesMax: 200),
            // A data set has no column above this level.
            .init("fields", "内容", .json, level: .inner, required: true, bytesMax: 100_000),
        ], indexes: [["dataset", "occurred_at"]], since: 8)
}
