/// What one release of a catalog has that another has not (5.3-3), entry by entry.
package struct CatalogDifference: Hashable, Sendable {
    package enum Change: Hashable, Sendable {
        case added(name: String, type: String)
        case removed(name: String, type: String)
        case changed(name: String, from: String, to: String)
    }

    package struct Entry: Hashable, Sendable {
        package let resource: ResourceName
        package let title: String
        /// Nil when the entry is in both.
        package let isAdded: Bool?
        package let changes: [Change]
    }

    /// Only entries that differ.
    package let entries: [Entry]

    package init(from old: Catalog, to new: Catalog) {
        var entries: [Entry] = []
        for entry in new.entries {
            guard let before = old.entry(entry.resource) else {
                entries.append(Entry(resource: entry.resource, title: entry.title, isAdded: true, changes: []))
                continue
            }
            let changes = Self.changes(from: before, to: entry)
            if !changes.isEmpty {
                entries.append(
                    Entry(resource: entry.resource, title: entry.title, isAdded: nil, changes: changes))
            }
        }
        for entry in old.entries where new.entry(entry.resource) == nil {
            entries.append(Entry(resource: entry.resource, title: entry.title, isAdded: false, changes: []))
        }
        self.entries = entries
    }

    private static func changes(from old: CatalogEntry, to new: CatalogEntry) -> [Change] {
        let names = Set(old.items.map(\.name))
        let (before, after) = (
            Dictionary(old.items.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first }),
            Set(new.items.map(\.name))
        )
        var changes: [Change] = []
        for item in new.items {
            if !names.contains(item.name) {
                changes.append(.added(name: item.name, type: item.type.catalogName))
            } else if let old = before[item.name], old != item {
                changes.append(.changed(name: item.name, from: old.words, to: item.words))
            }
        }
        for item in old.items where !after.contains(item.name) {
            changes.append(.removed(name: item.name, type: item.type.catalogName))
        }
        for ((name, from), (_, to)) in zip(old.words, new.words) where from != to {
            changes.append(.changed(name: name, from: from, to: to))
        }
        return changes
    }
}

extension ColumnType {
    /// The type as a catalog says it (数据类型).
    package var catalogName: String { rawValue.uppercased() }
}

extension CatalogItem {
    /// Everything but the name, on one line.
    fileprivate var words: String {
        "\(title) \(type.catalogName) \(level.rawValue)\(codeList.map { " \($0)" } ?? "")"
    }
}

extension CatalogEntry {
    /// Its metadata with their names, always in the same order.
    package var words: [(name: String, value: String)] {
        [
            ("信息资源代码", code), ("信息资源名称", title), ("摘要", summary), ("信息资源提供方", provider), ("提供方代码", providerCode),
            ("信息资源格式", format.rawValue), ("共享类型", sharing.rawValue), ("共享条件", condition ?? "–"), ("共享方式", way.rawValue),
            ("开放属性", openness.rawValue), ("更新周期", cycle.rawValue),
            ("发布日期", published.map { CivilDate.text(dayNumber: $0) } ?? "–"),
            ("关联资源代码", related.isEmpty ? "–" : related.joined(separator: " ")), ("汇聚方式", mode?.title ?? "–"),
            ("主管方", steward), ("用途", purpose ?? "–"), ("保存期限", retention ?? "–"), ("质量目标", qualityTarget ?? "–"),
            ("结构版本", "\(schemaVersion)"), ("外部数据", isExternal ? "是" : "否"),
            (
                "共享审批",
                approvals.isEmpty
                    ? "–"
                    : approvals.map {
                        "\($0.consumer) \($0.purpose) (\($0.approvedBy), 至 \(CivilDate.text(dayNumber: $0.until)))"
                    }.joined(separator: "; ")
            ),
        ]
    }
}
