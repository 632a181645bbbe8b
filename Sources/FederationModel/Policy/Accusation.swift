/// What must never reach whom it accuses, by no transfer, subscription or copy (ground rule 7, 济南条例 Art. 32): reports
/// (举报), and whatever else a protected reporter says.
package enum Accusation {
    /// 举报 in the list of request types.
    package static let reportType = "4"

    package static func isReport(requestType: String?, _ confidentiality: Confidentiality) -> Bool {
        requestType == reportType || confidentiality == .reporterProtected
    }

    /// The nodes that a ticket accuses, without its origin: who took it in has read it.
    ///
    /// A raise of its protection counts for good here, also when its origin takes it back.
    ///
    /// - Parameter thread: records with `request_type`, `respondent_name`, `confidential`, `action` and `target`.
    package static func nodes(accusedBy thread: [TicketEvent], topology: Topology) -> Set<NodeID> {
        guard let request = TicketEvent.request(of: thread), let name = request.text(.respondentName) else { return [] }
        let isReport = thread.contains { record in
            if record.kind == .request && record.origin != request.origin { return false }
            let raised = record.text(.action) == "set_confidential" ? record.text(.target) : nil
            return self.isReport(
                requestType: record.text(.requestType), Confidentiality(record.text(.confidential) ?? raised))
        }
        guard isReport else { return [] }
        return Set(
            topology.nodes.filter { $0.respondentNames.contains(name) && $0.id.code != request.origin }.map(\.id))
    }
}

extension TopologyNode {
    /// What a ticket may call this node that names it as its respondent (被反映主体): its name, also as a link has masked it.
    /// Several nodes may have one masked name; then each of them counts as named.
    package var respondentNames: Set<String> { [name, Masking.name.mask(name)] }
}
