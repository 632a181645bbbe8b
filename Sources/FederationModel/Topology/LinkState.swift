/// The state of one direction of a link in one word, as the protocol, `status`, the metrics and the database say it.
package enum LinkState: String, Hashable, Sendable, Codable, CaseIterable {
    /// No contact yet.
    case connecting
    /// The first sweep of the sender's present epoch.
    case bootstrapping
    /// A later sweep: policy or topology changed.
    case sweeping
    /// Changes are waiting or on their way.
    case behind
    /// The receiver has acknowledged everything that is granted to it.
    case level
    /// Stopped, or waiting because the receiver asked for it.
    case paused
    /// A person must act; the link's last error says on what.
    case refused
    case unreachable
    /// Nothing is heard over a network, and files are carried by hand.
    case ferried

    /// Whether it can be true only while the other end is heard.
    package var needsContact: Bool {
        switch self {
        case .bootstrapping, .sweeping, .behind, .level, .paused: true
        case .connecting, .refused, .unreachable, .ferried: false
        }
    }

    package var title: String {
        switch self {
        case .connecting: "连接中"
        case .bootstrapping: "初始化"
        case .sweeping: "全量核对"
        case .behind: "追赶中"
        case .level: "一致"
        case .paused: "暂停"
        case .refused: "被拒绝"
        case .unreachable: "不可达"
        case .ferried: "摆渡"
        }
    }
}
