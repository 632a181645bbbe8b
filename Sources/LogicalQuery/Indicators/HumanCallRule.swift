/// Which calls asked for a human (人工请求): one that was abandoned in less than so many seconds did not (domain 3.1). No standard says how many,
/// so it is a setting.
package struct HumanCallRule: Hashable, Sendable {
    /// Of the indicators that are made with it.
    package let version: Int
    /// 0 for none.
    package let shortAbandonSeconds: Int

    package init(version: Int, shortAbandonSeconds: Int) {
        self.version = version
        self.shortAbandonSeconds = shortAbandonSeconds
    }

    package static let standard = HumanCallRule(version: 1, shortAbandonSeconds: 0)
}
