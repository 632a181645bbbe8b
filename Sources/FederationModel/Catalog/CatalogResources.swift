/// The catalog as resources, so that it goes to the other nodes like everything else (5.3-3): each can see what the others have
/// and on what terms, whatever else it may have of them. Each release is a set of rows of its own, and an earlier one can be
/// read again.
package enum CatalogResources {
    package static let all: [ResourceDefinition] = [release, entry, item, approval]
    package static let names = Set(all.map(\.name))

    /// One line for each release, written with its rows: a node that does not have all `row_count` of them waits.
    package static let release = ResourceDefinition(
        "catalog_release", "数据资源目录版本",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("published_at", "发布时间", .timestamp, level: .open, required: true),
            .init("row_count", "条目数", .integer, level: .open, required: true),
        ], flow: .everywhere)

    package static let entry = ResourceDefinition(
        "catalog_entry", "数据资源目录条目",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("ordinal", "序号", .integer, level: .open, required: true),
            .init("resource", "资源", level: .open, required: true, bytesMax: 64),
            .init("code", "信息资源代码", level: .open, required: true, bytesMax: 40),
            .init("title", "信息资源名称", level: .open, required: true, bytesMax: 400),
            .init("summary", "摘要", level: .open, bytesMax: 2_000),
            .init("provider", "信息资源提供方", level: .open, required: true, bytesMax: 400),
            .init("provider_code", "提供方代码", level: .open, required: true, bytesMax: 40),
            .init("format", "信息资源格式", level: .open, required: true, bytesMax: 64),
            .init("sharing", "共享类型", level: .open, required: true, bytesMax: 64),
            .init("condition", "共享条件", level: .open, bytesMax: 2_000),
            .init("way", "共享方式", level: .open, required: true, bytesMax: 64),
            .init("openness", "开放属性", level: .open, required: true, bytesMax: 64),
            .init("cycle", "更新周期", level: .open, required: true, bytesMax: 64),
            .init("published", "发布日期", level: .open, bytesMax: 10),
            .init("related", "关联资源代码", level: .open, bytesMax: 2_000),
            .init("mode", "汇聚方式", level: .open, bytesMax: 32),
            .init("steward", "主管方", level: .open, required: true, bytesMax: 400),
            .init("purpose", "用途", level: .open, bytesMax: 2_000),
            .init("retention", "保存期限", level: .open, bytesMax: 400),
            .init("quality_target", "质量目标", level: .open, bytesMax: 400),
            .init("schema_version", "结构版本", .integer, level: .open, required: true),
            .init("external", "外部数据", .boolean, level: .open, required: true),
        ], flow: .everywhere)

    package static let item = ResourceDefinition(
        "catalog_item", "数据资源目录信息项",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("ordinal", "序号", .integer, level: .open, required: true),
            .init("resource", "资源", level: .open, required: true, bytesMax: 64),
            .init("name", "信息项", level: .open, required: true, bytesMax: 80),
            .init("title", "名称", level: .open, required: true, bytesMax: 400),
            .init("type", "数据类型", level: .open, required: true, bytesMax: 32),
            .init("level", "级别", .integer, level: .open, required: true),
            .init("code_list", "代码表", level: .open, bytesMax: 64),
        ], flow: .everywhere)

    package static let approval = ResourceDefinition(
        "catalog_approval", "数据资源共享审批",
        columns: [
            .init("release", "版本", .integer, level: .open, required: true),
            .init("resource", "资源", level: .open, required: true, bytesMax: 64),
            .init("consumer", "使用方", level: .open, required: true, bytesMax: 12),
            .init("purpose", "用途", level: .open, required: true, bytesMax: 2_000),
            .init("approved_by", "批准方", level: .open, required: true, bytesMax: 400),
            .init("until", "有效期至", level: .open, required: true, bytesMax: 10),
        ], flow: .everywhere)
}
