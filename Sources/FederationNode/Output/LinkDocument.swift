import FederationModel
import NodeDesk
import Verification

/// One direction of one link as JSON and as a line of a table.
struct LinkDocument: Encodable {
    let peer: String
    let name: String
    let role: String
    let direction: String
    let state: LinkState
    let mode: [String: String]
    let cursor: Seq
    let lagRows: Int64
    let lagSeconds: Double
    let lastContact: String?
    /// When a file was last written for the peer, or taken from it.
    let ferriedAt: String?
    let lastError: Problem?
    let quarantined: Int
    /// Rows that the receiver got from the sender and that the sender no longer has.
    let lost: Int
    /// When both ends were last found to hold the same rows.
    let verifiedEqualAt: String?
    /// Where the receiver's cursor stood then.
    let verifiedEqualCursor: Seq?
    /// When they were last held against each other, and how many rows differed.
    let verifiedAt: String?
    let differences: Int?

    init(_ report: LinkReport) {
        peer = report.peer.id.code
        name = report.peer.name
        role = report.role.rawValue
        direction = report.direction.rawValue
        state = report.state
        mode = Dictionary(uniqueKeysWithValues: report.modes.map { ($0.key.text, $0.value.rawValue) })
        cursor = report.cursor
        lagRows = report.lagRows
        lagSeconds = report.lagSeconds.rounded(toPlaces: 3)
        lastContact = report.lastContact.map { ShanghaiTime.rfc3339($0) }
        ferriedAt = report.ferriedAt.map { ShanghaiTime.rfc3339($0) }
        lastError = report.error.map(Problem.init)
        quarantined = report.quarantined
        lost = report.lost
        verifiedEqualAt = report.verification?.equalAt.map { ShanghaiTime.rfc3339($0) }
        verifiedEqualCursor = report.verification?.equalSeq
        verifiedAt = report.verification.map { ShanghaiTime.rfc3339($0.at) }
        differences = report.verification?.differences
    }

    private enum CodingKeys: String, CodingKey {
        case peer, name, role, direction, state, mode, cursor, lagRows, lagSeconds, lastContact, ferriedAt, lastError
        case quarantined, lost, verifiedEqualAt, verifiedEqualCursor, verifiedAt, differences
    }

    /// Keys without a value are written as null: scripts may rely on them.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(peer, forKey: .peer)
        try container.encode(name, forKey: .name)
        try container.encode(role, forKey: .role)
        try container.encode(direction, forKey: .direction)
        try container.encode(state, forKey: .state)
        try container.encode(mode, forKey: .mode)
        try container.encode(cursor, forKey: .cursor)
        try container.encode(lagRows, forKey: .lagRows)
        try container.encode(lagSeconds, forKey: .lagSeconds)
        try container.encode(lastContact, forKey: .lastContact)
        try container.encode(ferriedAt, forKey: .ferriedAt)
        try container.encode(lastError, forKey: .lastError)
        try container.encode(quarantined, forKey: .quarantined)
        try container.encode(lost, forKey: .lost)
        try container.encode(verifiedEqualAt, forKey: .verifiedEqualAt)
        try container.encode(verifiedEqualCursor, forKey: .verifiedEqualCursor)
        try container.encode(verifiedAt, forKey: .verifiedAt)
        try container.encode(differences, forKey: .differences)
    }

    /// - Parameter areLastKnown: whether the service does not run, so that the states are those from before it ended.
    static func table(_ links: [LinkDocument], areLastKnown: Bool) -> String {
        let state = areLastKnown ? "状态(停止前)" : "状态"
        var table = TextTable(header: ["对端", "名称", "角色", "方向", "方式", state, "游标", "滞后行", "滞后秒", "最近联系"])
        for link in links {
            let modes = Set(link.mode.values)
            let mode = modes.count > 1 ? "混合" : AggregationMode(rawValue: modes.first ?? "")?.title ?? "–"
            table.append([
                link.peer, link.name, roles[link.role] ?? link.role, link.direction == "sending" ? "发送" : "接收",
                mode, link.state.title, "\(link.cursor)", "\(link.lagRows)", "\(link.lagSeconds)",
                link.lastContact.map { String($0.prefix(19)) } ?? "–",
            ])
        }
        return table.text
    }

    private static let roles = ["parent": "上级", "child": "下级", "peer": "对等"]

    /// A line for each trouble of the link, with what is to be done.
    var troubles: String {
        var text = ""
        if let ferriedAt, state == .ferried {
            let act = direction == "sending" ? "上次导出" : "上次导入"
            text += "\n\(name)(\(peer)) 摆渡\(act) \(ferriedAt.prefix(19))"
        }
        if let error = lastError, state != .level {
            text += "\n\(name)(\(peer)) \(error.code): \(error.message)"
            if let hint = error.hint { text += "\n  → \(hint)" }
        }
        if quarantined > 0 {
            let place = direction == "sending" ? "对端" : "本节点"
            text += "\n\(name)(\(peer)) \(place)隔离 \(quarantined) 行，见\(place) quarantine list"
        }
        if let differences, differences > 0 { text += "\n\(name)(\(peer)) 核对发现 \(differences) 行不一致，见 sync verify" }
        if lost > 0 { text += "\n\(name)(\(peer)) 发送方已失 \(lost) 行，由接收方保留" }
        return text
    }
}
