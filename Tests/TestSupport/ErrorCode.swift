import FederationModel

/// The code of the error that `body` throws, the type's name of one that is not ours, nil when it does not throw.
package func errorCode(_ body: () throws -> Void) -> String? {
    do {
        try body()
        return nil
    } catch {
        return code(of: error)
    }
}

package func errorCode(_ body: () async throws -> Void) async -> String? {
    do {
        try await body()
        return nil
    } catch {
        return code(of: error)
    }
}

private func code(of error: any Error) -> String { (error as? FederationError)?.code ?? "\(type(of: error))" }
