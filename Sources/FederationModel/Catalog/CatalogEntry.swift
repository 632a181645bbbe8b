/// On what terms a resource is shared (共享类型, 政务信息资源目录编制指南).
package enum SharingType: String, CaseIterable, Sendable {
    case unconditional = "无条件共享"
    /// Only to a consumer whose request was approved.
    case conditional = "有条件共享"
    case none = "不予共享"
}

/// How often the provider brings a resource up to date (更新周期).
package enum UpdateCycle: String, CaseIterable, Sendable {
    case realTime = "实时"
    case daily = "每日"
    case weekly = "每周"
    case monthly = "每月"
    case quarterly = "每季度"
    case yearly = "每年"
    case irregular = "不定期"

    /// Hours after which nothing new is overdue; nil when nothing is ever due.
    package var hoursMax: Int64? {
        switch self {
        case .realTime: 1
        case .daily: 24
        case .weekly: 7 * 24
        case .monthly: 31 * 24
        case .quarterly: 92 * 24
        case .yearly: 366 * 24
        case .irregular: nil
        }
    }

    /// Milliseconds without a word of the origin after which a copy of its rows no longer counts as its state; nil when it always
    /// does. What is current by the second is doubtful after minutes, not after the hour in which a row may be due.
    package var staleAfter: Int64? { self == .realTime ? 5 * 60_000 : hoursMax.map { $0 * 3_600_000 } }
}

/// In what form the provider has a resource (信息资源格式).
package enum ResourceFormat: String, CaseIterable, Sendable {
    case database = "数据库"
    case document = "电子文件"
    case spreadsheet = "电子表格"
    case image = "图形图像"
    case stream = "流媒体"
    case selfDescribing = "自描述格式"
    case paper = "纸质"

    /// The ways in which something of this form can be handed over.
    package var ways: [SharingWay] {
        switch self {
        case .database, .selfDescribing: [.platform, .disk]
        case .document, .spreadsheet, .image: [.platform, .disk, .mail]
        case .stream: [.platform, .disk]
        case .paper: [.media]
        }
    }
}

/// How a resource is handed over (共享方式).
package enum SharingWay: String, CaseIterable, Sendable {
    /// By this program: change-sets and analyses.
    case platform = "共享平台"
    /// On a disk that is carried across an air gap (网闸).
    case disk = "拷盘"
    case mail = "邮件"
    /// Paper.
    case media = "介质交换"
}

/// Whether society may have it (开放属性).
package enum Openness: String, CaseIterable, Sendable {
    case unconditional = "无条件开放"
    case conditional = "有条件开放"
    case none = "不予开放"
}

/// One 信息项 of an entry: a column of the resource, or a field of its `ext` that the node has of its own.
package struct CatalogItem: Hashable, Sendable {
    /// What the name of a field of `ext` begins with.
    package static let extensionPrefix = "ext."

    package let name: String
    package let title: String
    package let type: ColumnType
    package let level: ClassificationLevel
    package let codeList: String?

    package init(name: String, title: String, type: ColumnType, level: ClassificationLevel, codeList: String? = nil) {
        self.name = name
        self.title = title
        self.type = type
        self.level = level
        self.codeList = codeList
    }
}

/// A request for a resource that is shared conditionally, and was granted (共享审批).
package struct CatalogApproval: Hashable, Sendable {
    package let consumer: NodeID
    /// What the consumer may use it for.
    package let purpose: String
    package let approvedBy: String
    /// Its last day in China, counted from 1970-01-01.
    package let until: Int64

    package init(consumer: NodeID, purpose: String, approvedBy: String, until: Int64) {
        self.consumer = consumer
        self.purpose = purpose
        self.approvedBy = approvedBy
        self.until = until
    }
}

/// One resource in the catalog of one node: the core metadata of 政务信息资源目录编制指南 (domain model 4.6) and what the
/// node adds to them.
package struct CatalogEntry: Hashable, Sendable {
    package let resource: ResourceName
    /// 信息资源代码: `CLASSIFICATION/NUMBER`, such as 307001/000001.
    package var code: String
    package var title: String
    package var summary: String
    package var provider: String
    package var providerCode: String
    package var format = ResourceFormat.database
    package var sharing = SharingType.unconditional
    /// On what condition, or by which law not at all.
    package var condition: String?
    package var way = SharingWay.platform
    package var openness = Openness.none
    package var cycle = UpdateCycle.realTime
    /// 发布日期, counted from 1970-01-01.
    package var published: Int64?
    /// 关联资源代码.
    package var related: [String] = []
    package var items: [CatalogItem]

    /// How the node's parent takes it; nil at the top.
    package var mode: AggregationMode?
    /// 主管: who answers for it.
    package var steward: String
    package var purpose: String?
    /// How long it is kept, as people say it.
    package var retention: String?
    package var qualityTarget: String?
    /// The revision of the program's declarations that its items are of.
    package var schemaVersion: Int64
    /// Whether it comes from outside the hotline (外部数据).
    package var isExternal = false
    package var approvals: [CatalogApproval] = []

    package init(
        resource: ResourceName, code: String, title: String, summary: String, provider: String, providerCode: String,
        items: [CatalogItem], steward: String, schemaVersion: Int64
    ) {
        self.resource = resource
        self.code = code
        self.title = title
        self.summary = summary
        self.provider = provider
        self.providerCode = providerCode
        self.items = items
        self.steward = steward
        self.schemaVersion = schemaVersion
    }

    /// Whether `text` has the shape of a 信息资源代码: 类 (1 to 3), 项 (2 digits), 目 (3), 细目 (any number), then the number.
    package static func isCode(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        func isDigits(_ part: Substring) -> Bool { part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return parts.count == 2 && parts[0].utf8.count >= 6 && parts[1].utf8.count >= 6 && text.utf8.count <= 40
            && parts.allSatisfy(isDigits) && ["1", "2", "3"].contains(parts[0].prefix(1))
    }
}
