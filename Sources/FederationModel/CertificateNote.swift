/// What the running service last said of a certificate that it shows.
package struct CertificateNote: Codable, Hashable, Sendable {
    package enum Use: String, Codable, Hashable, Sendable {
        /// To other nodes.
        case node
        /// To local systems, on `intake-listen`.
        case intake
    }

    package let use: Use
    package let serial: String?
    package let notBefore: UnixMilliseconds
    package let notAfter: UnixMilliseconds
    /// Why the one on the disk is not in use; nil when it is.
    package let problem: String?

    package init(
        use: Use, serial: String?, notBefore: UnixMilliseconds, notAfter: UnixMilliseconds, problem: String?
    ) {
        self.use = use
        self.serial = serial
        self.notBefore = notBefore
        self.notAfter = notAfter
        self.problem = problem
    }
}
