import FederationModel
import NodeDesk

struct CatalogReport: Encodable {
    struct Entry: Encodable {
        let resource: String
        let code: String
        let title: String
        let sharing: String
        let cycle: String
        let mode: String?
        let external: Bool
        let items: Int
        let approvals: [String]
    }

    let node: String
    let version: Int64
    let publishedAt: String?
    let entries: [Entry]

    init(_ release: CatalogRelease, node: NodeID) {
        self.node = node.code
        version = release.version
        publishedAt = release.publishedAt == 0 ? nil : ShanghaiTime.rfc3339(release.publishedAt)
        entries = release.catalog.entries.map {
            Entry(
                resource: $0.resource.text, code: $0.code, title: $0.title, sharing: $0.sharing.rawValue,
                cycle: $0.cycle.rawValue, mode: $0.mode?.rawValue, external: $0.isExternal, items: $0.items.count,
                approvals: $0.approvals.map(\.consumer.code))
        }
    }

    var text: String {
        var table = TextTable(header: ["资源", "代码", "名称", "共享类型", "更新周期", "汇聚方式", "信息项"])
        for entry in entries {
            table.append([
                entry.resource, entry.code, entry.title.printable, entry.sharing, entry.cycle,
                entry.mode.flatMap { AggregationMode(rawValue: $0)?.title } ?? (entry.external ? "外部数据" : "–"),
                "\(entry.items)",
            ])
        }
        return "\(node)  目录版本 \(version)\(publishedAt.map { "  发布于 \($0)" } ?? "  (未发布)")\n\(table.text)"
    }
}

struct CatalogEntryReport: Encodable {
    struct Item: Encodable {
        let name: String
        let title: String
        let type: String
        let level: Int
        let codeList: String?
    }

    struct Approval: Encodable {
        let consumer: String
        let purpose: String
        let approvedBy: String
        let until: String
    }

    let resource: String
    let code: String
    let title: String
    let summary: String
    let provider: String
    let providerCode: String
    let format: String
    let sharing: String
    let condition: String?
    let way: String
    let openness: String
    let cycle: String
    let published: String?
    let related: [String]
    let mode: String?
    let steward: String
    let purpose: String?
    let retention: String?
    let qualityTarget: String?
    let schemaVersion: Int64
    let external: Bool
    let items: [Item]
    let approvals: [Approval]
    private let words: [(name: String, value: String)]

    private enum CodingKeys: String, CodingKey {
        case resource, code, title, summary, provider, providerCode, format, sharing, condition, way, openness, cycle
        case published, related, mode, steward, purpose, retention, qualityTarget, schemaVersion, external, items
        case approvals
    }

    init(_ entry: CatalogEntry) {
        resource = entry.resource.text
        code = entry.code
        title = entry.title
        summary = entry.summary
        provider = entry.provider
        providerCode = entry.providerCode
        format = entry.format.rawValue
        sharing = entry.sharing.rawValue
        condition = entry.condition
        way = entry.way.rawValue
        openness = entry.openness.rawValue
        cycle = entry.cycle.rawValue
        published = entry.published.map { CivilDate.text(dayNumber: $0) }
        related = entry.related
        mode = entry.mode?.rawValue
        steward = entry.steward
        purpose = entry.purpose
        retention = entry.retention
        qualityTarget = entry.qualityTarget
        schemaVersion = entry.schemaVersion
        external = entry.isExternal
        items = entry.items.map {
            Item(
                name: $0.name, title: $0.title, type: $0.type.catalogName, level: $0.level.rawValue,
                codeList: $0.codeList)
        }
        approvals = entry.approvals.map {
            Approval(
                consumer: $0.consumer.code, purpose: $0.purpose, approvedBy: $0.approvedBy,
                until: CivilDate.text(dayNumber: $0.until))
        }
        words = entry.words
    }

    var text: String {
        var metadata = TextTable(header: ["元数据", resource.printable])
        for word in words { metadata.append([word.name, word.value.printable]) }
        var table = TextTable(header: ["信息项", "名称", "数据类型", "级别", "代码表"])
        for item in items {
            table.append([
                item.name.printable, item.title.printable, item.type, "\(item.level)", item.codeList?.printable ?? "–",
            ])
        }
        return "\(metadata.text)\n\n\(table.text)"
    }
}

struct CatalogDifferenceReport: Encodable {
    struct Entry: Encodable {
        let resource: String
        /// added, removed or changed.
        let change: String
        let lines: [String]
    }

    let node: String
    let from: Int64
    let to: Int64
    let entries: [Entry]

    init(_ difference: CatalogDifference, node: NodeID, from: Int64, to: Int64) {
        self.node = node.code
        self.from = from
        self.to = to
        entries = difference.entries.map { entry in
            Entry(
                resource: entry.resource.text,
                change: entry.isAdded.map { $0 ? "added" : "removed" } ?? "changed",
                lines: entry.changes.map(\.line))
        }
    }

    var text: String {
        let blocks = entries.map { entry in
            let sign = ["added": "+ ", "removed": "- "][entry.change] ?? ""
            return (["\(sign)\(entry.resource)"] + entry.lines).joined(separator: "\n").printableLines
        }
        return blocks.isEmpty ? "no difference" : blocks.joined(separator: "\n")
    }
}

extension CatalogDifference.Change {
    fileprivate var line: String {
        switch self {
        case .added(let name, let type): "+ \(name) \(type)"
        case .removed(let name, let type): "- \(name) \(type)"
        case .changed(let name, let from, let to): "~ \(name): \(from) → \(to)"
        }
    }
}

struct CatalogCheckReport: Encodable {
    struct Rejected: Encodable {
        let code: String
        let resource: String
        let sender: String
        let receiver: String
    }

    struct Refused: Encodable {
        let code: String
        let resource: String
        let sender: String
        let rows: Int64
        let lastAt: String
    }

    struct Overdue: Encodable {
        let resource: String
        let origin: String
        let hours: Int64
        let hoursMax: Int64
    }

    let rejected: [Rejected]
    let refused: [Refused]
    let overdue: [Overdue]
    private let lines: [String]

    private enum CodingKeys: String, CodingKey { case rejected, refused, overdue }

    init(_ check: CatalogCheck) {
        rejected = check.rejected.map {
            Rejected(
                code: $0.refusal.rawValue, resource: $0.resource.text, sender: $0.sender.code,
                receiver: $0.receiver.code)
        }
        refused = check.refused.map {
            Refused(
                code: $0.refusal.rawValue, resource: $0.resource.text, sender: $0.sender.code, rows: $0.rows,
                lastAt: ShanghaiTime.rfc3339($0.lastAt))
        }
        overdue = check.overdue.map {
            Overdue(resource: $0.resource.text, origin: $0.origin.code, hours: $0.hours, hoursMax: $0.hoursMax)
        }
        lines =
            check.rejected.map(\.text)
            + check.refused.map {
                "REFUSED \($0.resource) \($0.sender) \($0.rows) rows, last \(ShanghaiTime.minute($0.lastAt)): "
                    + "\($0.refusal.rawValue)"
            } + check.overdue.map(\.text)
    }

    var text: String { lines.isEmpty ? "ok" : lines.joined(separator: "\n").printableLines }
}
