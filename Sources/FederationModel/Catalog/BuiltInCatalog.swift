extension Catalog {
    /// The catalog of a node that says nothing of its own: every resource of the program, shared without condition, in
    /// real time. So a node without a file hands on what it always did.
    ///
    /// - Parameter node: its provider and steward; its modes are those of the link to its parent.
    package static func builtIn(
        of node: TopologyNode, resources: [ResourceDefinition] = BuiltInResources.all
    ) -> Catalog {
        Catalog(
            resources.filter { !Catalog.exempt.contains($0.name) }.map { resource in
                var entry = CatalogEntry(
                    resource: resource.name, code: code(of: resource.name), title: resource.title,
                    summary: "\(node.name)政务服务便民热线\(resource.title)", provider: node.name,
                    providerCode: node.id.code,
                    items: resource.columns.map {
                        CatalogItem(
                            name: $0.name, title: $0.title, type: $0.type, level: $0.level, codeList: $0.codeList)
                    }, steward: node.name, schemaVersion: Int64(BuiltInResources.schemaRevision))
                entry.mode = node.parent == nil || resource.isReference ? nil : node.mode(of: resource.name)
                return entry
            })
    }

    /// 部门 (3), 政务服务 (07), 热线 (001), and the resource's number there.
    private static func code(of resource: ResourceName) -> String {
        let number = (numbered.firstIndex(of: resource) ?? numbered.count) + 1
        return "307001/\(String(repeating: "0", count: 6 - "\(number)".count))\(number)"
    }

    /// A resource's code is its place here, for ever: new ones join at the end.
    package static let numbered: [ResourceName] = [
        "service_request", "assignment", "acknowledgement", "return_request", "return_decision", "extension_request",
        "extension_decision", "handling", "reply", "supervision", "closure", "callback", "evaluation", "ticket_action",
        "transfer", "call_record", "recording", "reference_release", "code_list_entry", "work_calendar", "limit_rule",
        "announcement", "attachment", "alert", "alert_action", "situation", "situation_step", "finding", "measure",
        "evaluation_result", "evaluation_objection", "knowledge_article", "detection_rule",
        "indicator_file", "external_dataset", "external_record", "report", "report_subscription",
        "evaluation_scheme",
    ]
}
