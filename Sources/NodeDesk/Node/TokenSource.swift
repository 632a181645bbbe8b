import NodeIdentity
import Synchronization

/// The key of tokens, read when it is first needed: a policy that tokenises may come while the node runs.
final class TokenSource: Sendable {
    private let path: String
    private let key = Mutex<TokenKey?>(nil)

    init(path: String) { self.path = path }

    /// - Throws: `E_TOKEN_KEY`.
    func load() throws { _ = try loaded() }

    /// - Throws: `E_TOKEN_KEY`.
    func token(of text: String) throws -> String { try loaded().token(of: text) }

    private func loaded() throws -> TokenKey {
        try key.withLock { key in
            if let key { return key }
            let read = try TokenKey.load(from: path)
            key = read
            return read
        }
    }
}
