import FederationModel

/// 跨节点流转 (domain model 6.3).
extension TicketWriter {
    /// The owner offers the ticket; the partner takes it over, sends it back, or has not looked at it yet.
    ///
    /// - Returns: whether somebody goes on with it.
    mutating func writeTransfer(to partner: TicketRecipe.Partner) throws(PeriodOver) -> Bool {
        let origin = owner
        func step(_ step: String) -> [String: FieldValue] {
            [
                "transfer_id": .text("\(globalID)-T1"), "step": .text(step), "to_node": .text(partner.node.code),
                "kind": .text(transferKind(from: origin, to: partner.node)), "ordinal": .integer(1),
            ]
        }
        passOfficeTime(minutes: 5...120)
        try add(
            "transfer", actor: seat, step("offer").merging(["basis": .text("事权属于\(partner.name)")]) { $1 })
        passOfficeTime(minutes: 20...600)
        switch random.below(100) {
        case ..<55:
            let number = Self.number(
                region: String(partner.node.code.prefix(6)), dayNumber: ShanghaiTime.dayNumber(time), channel: "15",
                sequence: random.int(1...9_999))
            try add(
                "transfer", by: partner.node, actor: "\(partner.name)12345",
                step("accept").merging(["target_request_id": .text(number)]) { $1 })
            owner = partner.node
            ownerName = partner.name
            return true
        case ..<85:
            try add(
                "transfer", by: partner.node, actor: "\(partner.name)12345",
                step("return").merging(["reason": .text("不属于本地管辖")]) { $1 })
            return true
        default: return false
        }
    }
}
