import FederationModel

/// What people bring to a hotline, by request type: the two mixes of domain model 7, measured at two hotlines.
package enum TicketMix: String, CaseIterable, Sendable {
    /// 咨询 47 %, 求助 30, 建议 15, 投诉举报 5, 其他 3: people ask.
    case a = "A"
    /// 咨询 41.5 %, 投诉举报 33.3, 求助 19.5, 建议 2.2, 表扬 0.3, 其他 3.2: people complain.
    case b = "B"

    /// Shares in thousandths.
    var types: WeightedTable<String> {
        switch self {
        case .a: mixA
        case .b: mixB
        }
    }
}

private let mixA = WeightedTable([("1", 470), ("2", 300), ("5", 150), ("3", 40), ("4", 10), ("6", 5), ("9", 25)])
private let mixB = WeightedTable([("1", 415), ("3", 300), ("4", 33), ("2", 195), ("5", 22), ("6", 3), ("9", 32)])

/// Channel shares in thousandths (domain model 7): telephone first, 上级派发 0.9 %, 110 0.7 %.
let channelShares = WeightedTable([
    ("01", 700), ("02", 120), ("04", 62), ("03", 50), ("06", 20), ("05", 10), ("08", 9), ("11", 7), ("10", 6),
    ("07", 6), ("13", 5), ("09", 3), ("14", 2),
])
