/// The tables of what rules look at.
enum ObservationTables {
    static let create = """
        -- What rules see of each ticket here. `person` is a keyed digest, `text` that of title and content; `row` is the request's id, by
        -- which its text is read, and `seq` when it changed last in a way that matters to a rule.
        CREATE TABLE observation (
          ticket TEXT PRIMARY KEY, "row" INTEGER NOT NULL, at INTEGER NOT NULL, region TEXT, county TEXT, category TEXT,
          person INTEGER, place TEXT, text INTEGER NOT NULL, seq INTEGER NOT NULL) STRICT;
        CREATE INDEX observation_seq ON observation (seq);
        CREATE INDEX observation_person ON observation (person, at) WHERE person IS NOT NULL;
        CREATE INDEX observation_place ON observation (place, at) WHERE place IS NOT NULL;
        CREATE INDEX observation_county ON observation (county, at);

        -- What tickets were before that change, until it was judged.
        CREATE TABLE observation_former (
          seq INTEGER NOT NULL, ticket TEXT NOT NULL, at INTEGER NOT NULL, region TEXT, category TEXT, person INTEGER,
          place TEXT) STRICT;
        CREATE INDEX observation_former_seq ON observation_former (seq);

        -- Tickets by hour (since 1970), of each county, city and province, of all categories ('') and of each at its first level.
        CREATE TABLE observation_hour (
          region TEXT NOT NULL, category TEXT NOT NULL, hour INTEGER NOT NULL, tickets INTEGER NOT NULL,
          PRIMARY KEY (region, category, hour)) STRICT, WITHOUT ROWID;
        CREATE INDEX observation_hour_hour ON observation_hour (hour);

        -- Minutes (since 1970) in which tickets of a node, or news of them, were taken in here.
        CREATE TABLE observation_minute (
          origin TEXT NOT NULL, minute INTEGER NOT NULL, PRIMARY KEY (origin, minute)) STRICT, WITHOUT ROWID;

        -- The alerts of this node by what they are about (`AlertSubject.digest`), so that one that nobody finds any more is withdrawn.
        CREATE TABLE raised_alert (
          alert TEXT PRIMARY KEY, rule TEXT NOT NULL, subject INTEGER NOT NULL, place TEXT, decided_at INTEGER NOT NULL,
          raised_at INTEGER NOT NULL, is_withdrawn INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE INDEX raised_alert_subject ON raised_alert (subject, decided_at);
        CREATE INDEX raised_alert_place ON raised_alert (rule, place, decided_at);

        -- Makes digests of persons where the province's key is not here: they never leave this database, which has the persons too.
        INSERT INTO node VALUES ('person_key', randomblob(32));
        """
}
