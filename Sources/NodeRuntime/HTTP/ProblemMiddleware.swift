import FederationModel
import Hummingbird

/// Makes the framework's own refusals look like ours: whoever mistypes a path is told so, with a code.
struct ProblemMiddleware: RouterMiddleware {
    func handle(
        _ request: Request, context: BasicRequestContext,
        next: (Request, BasicRequestContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError where error.status == .notFound {
            return ErrorMapping.response(
                FederationError(
                    "E_NO_ROUTE", "there is nothing at this path for this method", hint: "see docs/openapi.yaml"))
        }
    }
}
