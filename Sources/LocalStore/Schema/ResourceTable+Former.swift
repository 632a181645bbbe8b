import ChangeSetFormat
import FederationModel

/// What rows of this node were before an intake changed them: a table beside each resource, filled by a trigger, so no way of
/// writing can forget it and rows that are new cost nothing. It is what an intake is undone by.
///
/// An intake's writes are known by their versions (`intake_version`): each transaction has one of its own. A row that an intake
/// made and that was not here before is therefore in no list; it has that version and nothing in this table.
extension ResourceTable {
    /// Reference data, catalogs and removals come by no intake.
    var keepsFormer: Bool {
        !definition.isReference && !CatalogResources.names.contains(definition.name)
            && !RemovalResources.names.contains(definition.name)
    }

    var formerName: String { "former_\(definition.name)" }
    private var former: String { quoted(formerName) }
    private var trigger: String { quoted("former_of_\(definition.name)") }

    /// `version` and `deleted` are those of the row before; version 0 is of one that was not here. `adopted` is the version of a
    /// row that the intake did not write itself: it has said the same, or the row was brought back to what it wrote.
    var createFormer: String {
        """
        CREATE TABLE IF NOT EXISTS main.\(former) (
          intake INTEGER NOT NULL, "key" TEXT NOT NULL, version INTEGER NOT NULL, deleted INTEGER NOT NULL, adopted INTEGER,
          \(Self.carried) TEXT, \(definition.columns.map { "\(quoted($0.name)) \($0.type.storage.sqlType)" }.joined(separator: ", ")),
          PRIMARY KEY ("key", intake)) STRICT, WITHOUT ROWID
        """
    }

    func addColumnToFormer(_ column: ColumnDefinition) -> String {
        "ALTER TABLE main.\(former) ADD COLUMN \(quoted(column.name)) \(column.type.storage.sqlType)"
    }

    /// It names all columns, so it is made again when one is added.
    var formerTrigger: [String] {
        let old = content.map { "OLD.\(quoted($0))" }.joined(separator: ", ")
        return [
            "DROP TRIGGER IF EXISTS main.\(trigger)",
            """
            CREATE TRIGGER main.\(trigger) AFTER UPDATE OF version ON \(table)
            WHEN OLD.version <> NEW.version AND OLD.supplier = 0 AND NEW.supplier = 0 BEGIN
              INSERT INTO \(former) (intake, "key", version, deleted, \(columnList))
              SELECT v.intake, OLD."key", OLD.version, OLD.deleted, \(old) FROM intake_version AS v
              WHERE v.version = NEW.version
                AND NOT EXISTS (SELECT 1 FROM intake_version AS o WHERE o.version = OLD.version AND o.intake = v.intake)
                AND NOT EXISTS (SELECT 1 FROM \(former) AS f WHERE f.intake = v.intake AND f."key" = OLD."key");
            END
            """,
        ]
    }

    // MARK: - Undoing

    /// What identifies the ticket of a row: its global id, else its own key.
    private func ticket(_ row: String) -> String {
        definition.isTicketRecord ? "coalesce(\(row).global_id, \(row).\"key\")" : "\(row).\"key\""
    }

    /// Whether row `r` with its former look `f` for intake ?1 is as that intake left it. `IS`, because where there is no look the answer is
    /// no, and not NULL, which its negation would be too.
    static let isOfIntake =
        "(r.version IN (SELECT version FROM main.intake_version WHERE intake = ?1) OR f.adopted IS r.version)"

    /// The ids of rows that are as intake ?1 left them.
    var idsOfIntake: String {
        """
        SELECT id FROM main.\(table) WHERE supplier = 0
          AND version IN (SELECT version FROM main.intake_version WHERE intake = ?1)
        UNION
        SELECT r.id FROM main.\(former) AS f CROSS JOIN main.\(table) AS r ON r.origin = ?2 AND r."key" = f."key"
        WHERE f.intake = ?1 AND f.adopted = r.version AND r.supplier = 0
        ORDER BY 1
        """
    }

    /// Of rows ?2, a JSON array of ids, those that still are as intake ?1 left them: id, key, version, state, ticket; and what they
    /// were before: state and version, NULL where nothing was kept.
    var rowsOfIntake: String {
        """
        SELECT r.id, r."key", r.version, r.deleted, \(ticket("r")), f.deleted, f.version
        FROM json_each(?2) AS j CROSS JOIN main.\(table) AS r ON r.id = j.value
        LEFT JOIN main.\(former) AS f ON f.intake = ?1 AND f."key" = r."key"
        WHERE r.supplier = 0 AND \(Self.isOfIntake)
        """
    }

    /// The looks that later intakes keep of rows as intake ?1 had left them: intake, key, version.
    var looksOfIntake: String {
        """
        SELECT r.intake, r."key", r.version FROM main.\(former) AS r
        LEFT JOIN main.\(former) AS f ON f.intake = ?1 AND f."key" = r."key"
        WHERE r.intake <> ?1 AND r.version <> 0 AND \(Self.isOfIntake)
        """
    }

    /// Makes what was before intake ?1 what was before intake ?2 too, for the row with key ?3.
    var skipIntake: String {
        """
        INSERT OR REPLACE INTO main.\(former) (intake, "key", adopted, version, deleted, \(columnList))
        SELECT ?2, ?3, (SELECT adopted FROM main.\(former) WHERE intake = ?2 AND "key" = ?3), \(beforeIntake)
        """
    }

    /// Makes the row with key ?3, at version ?4, one of intake ?2 in place of intake ?1.
    var adoptRow: String {
        """
        INSERT OR REPLACE INTO main.\(former) (intake, "key", adopted, version, deleted, \(columnList))
        SELECT ?2, ?3, ?4, \(beforeIntake)
        """
    }

    private var beforeIntake: String {
        """
        coalesce(f.version, 0), coalesce(f.deleted, \(RowState.deleted.rawValue)),
          \(content.map { "f.\(quoted($0))" }.joined(separator: ", "))
        FROM (SELECT 1) LEFT JOIN main.\(former) AS f ON f.intake = ?1 AND f."key" = ?3
        """
    }

    /// Whoever answers for the row with key ?1 at version ?2 answers for it at version ?3.
    var adoptAgain: String { "UPDATE main.\(former) SET adopted = ?3 WHERE \"key\" = ?1 AND adopted = ?2" }

    /// The intake that wrote version ?2 of the row with key ?1 answers for it at version ?3, unless it was undone.
    var adoptOwn: String {
        """
        INSERT INTO main.\(former) (intake, "key", version, deleted, adopted)
        SELECT v.intake, ?1, 0, \(RowState.deleted.rawValue), ?3 FROM main.intake_version AS v
        JOIN main.intake AS i ON i.id = v.intake AND i.undone_at IS NULL WHERE v.version = ?2
        ON CONFLICT DO UPDATE SET adopted = excluded.adopted
        """
    }

    /// Stages rows of node ?1 as they were before intake ?2. ?3 their keys, a JSON array.
    var stageFormer: String {
        """
        INSERT INTO batch.\(table) (origin, "key", deleted, \(columnList))
        SELECT ?1, f."key", \(RowState.live.rawValue), \(content.map { "f.\(quoted($0))" }.joined(separator: ", "))
        FROM json_each(?3) AS j
        CROSS JOIN main.\(former) AS f ON f.intake = ?2 AND f."key" = j.value
        """
    }

    var forgetFormer: String { "DELETE FROM main.\(former) WHERE intake = ?1" }
    var forgetFormerOfKey: String { "DELETE FROM main.\(former) WHERE \"key\" = ?1" }

    /// Who has a live record of this resource on ticket ?2 beside intake ?1: the intake that wrote it, NULL for another node, a
    /// person, or an intake that was undone.
    var othersOnTicket: String {
        """
        SELECT coalesce(i.id, (SELECT a.intake FROM main.\(former) AS a WHERE a."key" = r."key" AND a.adopted = r.version))
        FROM main.\(table) AS r
        LEFT JOIN main.\(former) AS f ON f.intake = ?1 AND f."key" = r."key"
        LEFT JOIN main.intake_version AS v ON v.version = r.version AND r.supplier = 0
        LEFT JOIN main.intake AS i ON i.id = v.intake AND i.undone_at IS NULL
        WHERE r.global_id = ?2 AND r.deleted = \(RowState.live.rawValue)
          AND NOT (r.supplier = 0 AND \(Self.isOfIntake))
        """
    }
}
