import Foundation

enum Endpoint {
    /// Whether `text` is `https://HOST:PORT` and nothing more: paths are the protocol's own, and users or passwords have
    /// no place in a file that every node reads.
    static func isValid(_ text: String) -> Bool {
        guard text.utf8.count <= 300, let parts = URLComponents(string: text), parts.scheme == "https",
            let host = parts.host, !host.isEmpty, let port = parts.port, (1...65_535).contains(port)
        else { return false }
        return text == "https://\(host):\(port)"
    }
}
