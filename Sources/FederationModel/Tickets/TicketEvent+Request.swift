extension TicketEvent {
    /// The request to which a thread belongs. Of several with one global id it is that of the node whose code the id begins with; a
    /// random id belongs to whoever wrote it first. The others take nothing.
    ///
    /// - Returns: nil when none of the records is a request.
    static func request(of thread: some Sequence<TicketEvent>) -> TicketEvent? {
        func rank(_ request: TicketEvent) -> (Int, Int64, RowKey) {
            let id = request.text(.globalID) ?? request.key
            return (
                id.utf8.starts(with: "\(request.origin)-".utf8) ? 0 : 1, request.version,
                RowKey(origin: request.origin, key: request.key)
            )
        }
        return thread.filter { $0.kind == .request }.min { rank($0) < rank($1) }
    }
}
