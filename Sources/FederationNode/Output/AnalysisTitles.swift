import FederationModel
import LogicalQuery
import NodeDesk

// How tables for people name what JSON and CSV name by words and codes.

extension Analysis.Dimension {
    var title: String {
        switch self {
        case .origin: "来源"
        case .region(nil): "事发地"
        case .region(.province): "省"
        case .region(.city): "市"
        case .region(.county): "区县"
        case .region(.town): "街镇"
        case .service: "问题分类"
        case .requestType: "诉求类型"
        case .channel: "受理渠道"
        case .urgency: "紧急程度"
        case .handlingOwner: "承办归属节点"
        case .unit: "承办单位"
        case .status: "状态"
        case .day: "日期"
        case .week: "周"
        case .month: "月份"
        }
    }

    /// A value as people read it: the name of a code, if it has one.
    func text(of value: String, _ desk: NodeDesk) -> String {
        switch self {
        case .origin, .handlingOwner:
            NodeID(value).flatMap { desk.topology.node($0) }.map { "\(value) \($0.name)" } ?? value
        case .region: desk.reference.regions.title(of: value).map { "\(value) \($0)" } ?? value
        case .requestType, .channel, .urgency: desk.reference.lists.named(name)?.title(of: value) ?? value
        case .status: TicketStatus(rawValue: value)?.title ?? value
        case .service: desk.reference.services.title(of: value).map { "\(value) \($0)" } ?? value
        case .unit, .day, .week, .month: value
        }
    }
}

extension Analysis.Measure {
    /// With the unit, where it is not a count of tickets.
    var title: String {
        switch self {
        case .count: "诉求量"
        case .closed: "已办结"
        case .open: "未办结"
        case .overdue: "超期未办结"
        case .onTimeRate: "按期办结率%"
        case .satisfactionRate: "满意率%"
        case .meanHandlingHours: "平均办理小时"
        }
    }
}
