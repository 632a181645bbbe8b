import FederationModel

/// Which threads records have left. Changes are taken in by the threads that their records are of now; by this, the thread that one came
/// from is known too.
extension ResourceTable {
    static let leftThreads = "left_thread"

    /// Notes the thread that a row leaves for another one. What an action names besides, a ticket that it repeats or was merged into, is
    /// left with the action's kind as well.
    var leavingTriggers: [String] {
        guard let thread = definition.thread else { return [] }
        var noted = [(column: thread.column, by: [thread.column])]
        if definition.name == BuiltInResources.ticketAction.name { noted.append(("target", ["target", "action"])) }
        return noted.flatMap { column, deciding in
            let name = quoted("left_\(column)_of_\(definition.name)")
            func values(_ row: String) -> String { deciding.map { "\(row).\(quoted($0))" }.joined(separator: ", ") }
            return [
                "DROP TRIGGER IF EXISTS main.\(name)",
                """
                CREATE TRIGGER main.\(name) AFTER UPDATE OF \(deciding.map(quoted).joined(separator: ", ")) ON \(table)
                WHEN (\(values("OLD"))) IS NOT (\(values("NEW"))) AND OLD.\(quoted(column)) IS NOT NULL BEGIN
                  INSERT INTO \(Self.leftThreads) (seq, kind, thread) VALUES (NEW.seq, '\(thread.kind)', OLD.\(quoted(column)));
                END
                """,
            ]
        }
    }
}
