#!/usr/bin/env python3
"""What scripts/bench-analysis.sh does in Python: the questions, the other engines, and the bytes between them.

usage: bench-analysis.py questions
       bench-analysis.py tables OUT DATABASE...
       bench-analysis.py duckdb TABLES WORK ANSWERS
       bench-analysis.py fdw TABLES WORK ANSWERS
       bench-analysis.py bytes LISTEN:TARGET... -- COMMAND...

ANSWERS is what `AnalysisBenchmark ask` prints. Every engine's answer to every question must be ours, group by group; else the exit
code is 1.
"""
import contextlib
import json
import math
import os
import pwd
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time

REPETITIONS = 3
YEAR = {"from": "2025-01-01", "to": "2026-01-01"}
# Lengths are told by the middle of a bucket, 1 percent off at most; persons beyond 1,000 with a standard error of 1.6 percent.
QUANTILE_ERROR, PERSONS_ERROR = 0.01, 0.08

VALID = "NOT t.merged AND t.acceptance <> 'not_accepted'"
IN_YEAR = "{0} >= '2025-01-01' AND {0} < '2026-01-01'"
THREAD = "JOIN ticket AS t ON t.origin = r.origin AND t.global_id = r.global_id"
CLOSED = """t.status IN ('not_accepted', 'transferred_out', 'closed', 'callback_pending', 'called_back', 'evaluated', 'archived',
 'terminated', 'withdrawn')"""
CATEGORY = "split_part(t.service, '.', 1)"
COUNTY = "substr(t.region, 1, 6)"
RATED = f"""evaluation AS r {THREAD} WHERE r.object = 'handling' AND r.counted <> 0 AND r.source <> 'default' AND NOT t.merged
 AND NOT EXISTS (SELECT 1 FROM evaluation AS x WHERE x.origin = r.origin AND x.global_id = r.global_id AND x.object = r.object
  AND x.round = r.round AND x.source <> 'default' AND (r.source = 'proxy' AND x.source <> 'proxy'
   OR (r.source = 'proxy' OR x.source <> 'proxy') AND (x.occurred > r.occurred OR x.occurred = r.occurred AND x.key > r.key)))
 AND {IN_YEAR.format('r.occurred')}"""
DUE = f"ticket AS t WHERE {VALID} AND t.dispatched IS NOT NULL AND {IN_YEAR.format('t.due')}"
HANDLED = f"""ticket AS t WHERE {VALID} AND t.closed >= t.dispatched AND t.closed <= t.dispatched + interval '3652' day
 AND {IN_YEAR.format('t.closed')}"""
REQUESTED = f"ticket AS t WHERE {VALID} AND {IN_YEAR.format('t.requested')}"
ON_TIME = "count(*) FILTER (WHERE t.closed <= t.due), count(*)"

# The first eight are those of the comparison of engines, in the words of this node: where those search texts for a phrase, here is a
# category, and where they list telephone numbers, here is a number of persons, for the merged view tells neither.
# Each: its name, the options of `query`, the same in SQL with {month:…} and {day:…} for the labels of a time, and which cells are held
# against it with what tolerance; without them the sums behind the measures are, exactly.
QUESTIONS = [
    ("city_category_month", dict(YEAR, measures=["count"], by=["origin", "service:1", "month"]),
     f"SELECT t.origin, {CATEGORY}, {{month:t.requested}}, count(*) FROM {REQUESTED} GROUP BY 1, 2, 3", None),
    ("satisfaction_by_unit", dict(YEAR, measures=["satisfaction_rate"], by=["unit"]),
     f"SELECT t.unit, count(*) FILTER (WHERE r.score5 IN ('3', '4', '5')), count(*) FROM {RATED} GROUP BY 1", None),
    ("overdue_by_county", dict(YEAR, measures=["overdue_rate"], by=["origin", "region:county"]),
     f"""SELECT t.origin, {COUNTY}, count(*) FILTER (WHERE NOT coalesce(t.closed <= t.due, false)), count(*) FROM {DUE}
      GROUP BY 1, 2""", None),
    ("categories_week_over_week",
     {"from": "2025-12-15", "to": "2025-12-22", "measures": ["count"], "by": ["service"], "top": 20, "compare": "previous"},
     f"""SELECT t.service, count(*) FILTER (WHERE t.requested >= '2025-12-15'), count(*) FILTER (WHERE t.requested < '2025-12-15')
      FROM ticket AS t WHERE {VALID} AND t.requested >= '2025-12-08' AND t.requested < '2025-12-22'
      GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 20""", [("count", 0), ("count:former", 0)]),
    ("calls_by_hour_of_week",
     dict(YEAR, measures=["count"], by=["origin", "hour_of_week"], where=["channel=01"]),
     f"""SELECT t.origin, cast(extract(isodow FROM t.requested) AS int) || '-'
       || lpad(cast(cast(extract(hour FROM t.requested) AS int) AS varchar), 2, '0'), count(*)
      FROM {REQUESTED} AND t.channel = '01' GROUP BY 1, 2""", None),
    ("persons_30_days", {"from": "2025-12-01", "to": "2025-12-31", "measures": ["count", "person_count"], "by": ["origin"]},
     f"""SELECT t.origin, count(*), count(DISTINCT t.person) FROM ticket AS t
      WHERE {VALID} AND t.requested >= '2025-12-01' AND t.requested < '2025-12-31' GROUP BY 1""",
     [("count", 0), ("person_count", PERSONS_ERROR)]),
    ("one_category_by_county", dict(YEAR, measures=["count"], by=["origin", "region:county"], where=["service=01.01.01"]),
     f"SELECT t.origin, {COUNTY}, count(*) FROM {REQUESTED} AND t.service = '01.01.01' GROUP BY 1, 2", None),
    ("handling_quantiles_by_county",
     dict(YEAR, measures=["p50_handling_minutes", "p95_handling_minutes"], by=["origin", "region:county"]),
     f"""SELECT t.origin, {COUNTY},
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t.closed - t.dispatched)) / 60,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM t.closed - t.dispatched)) / 60
      FROM {HANDLED} GROUP BY 1, 2""",
     [("p50_handling_minutes", QUANTILE_ERROR), ("p95_handling_minutes", QUANTILE_ERROR)]),
    ("on_time_by_month", dict(YEAR, measures=["on_time_rate"], by=["month"]),
     f"SELECT {{month:t.due}}, {ON_TIME} FROM {DUE} GROUP BY 1", None),
    ("on_time_by_unit", dict(YEAR, measures=["on_time_rate"], by=["unit"]),
     f"SELECT t.unit, {ON_TIME} FROM {DUE} GROUP BY 1", None),
    ("closed_by_category", dict(YEAR, measures=["closed_rate"], by=["service:1"]),
     f"""SELECT {CATEGORY}, count(*) FILTER (WHERE {CLOSED}), count(*) FROM ticket AS t
      WHERE {VALID} AND {IN_YEAR.format('t.dispatched')} GROUP BY 1""", None),
    ("handling_hours_by_county", dict(YEAR, measures=["mean_handling_hours"], by=["origin", "region:county"]),
     f"""SELECT t.origin, {COUNTY}, cast(round(sum(extract(epoch FROM t.closed - t.dispatched) * 1000)) AS bigint), count(*)
      FROM {HANDLED} GROUP BY 1, 2""", None),
    ("channel_and_type", dict(YEAR, measures=["count"], by=["channel", "request_type"]),
     f"SELECT t.channel, t.request_type, count(*) FROM {REQUESTED} GROUP BY 1, 2", None),
    ("days", dict(YEAR, measures=["count"], by=["day"]),
     f"SELECT {{day:t.requested}}, count(*) FROM {REQUESTED} GROUP BY 1", None),
    ("first_contact_by_month", dict(YEAR, measures=["first_contact_rate"], by=["origin", "month"]),
     f"""SELECT t.origin, {{month:t.requested}}, count(*) FILTER (WHERE t.dispatched IS NULL AND {CLOSED}), count(*)
      FROM {REQUESTED} GROUP BY 1, 2""", None),
    ("funnel",
     dict(YEAR, measures=["dispatched_count", "acknowledged_count", "replied_count", "finished_count"], by=["origin"]),
     f"SELECT t.origin, count(t.dispatched), count(t.acknowledged), count(t.replied), count(t.closed) FROM {REQUESTED} GROUP BY 1",
     None),
    ("resolution_by_month", dict(YEAR, measures=["resolution_rate"], by=["origin", "month"]),
     f"""SELECT r.origin, {{month:r.occurred}}, count(*) FILTER (WHERE r.resolved = 'resolved'), count(*)
      FROM callback AS r {THREAD} WHERE r.reached = 'answered' AND r.source <> 'default' AND NOT t.merged
       AND r.resolved IS NOT NULL AND {IN_YEAR.format('r.occurred')} GROUP BY 1, 2""", None),
    ("scores", dict(YEAR, measures=["evaluation_count"], by=["origin", "score"]),
     f"SELECT r.origin, r.score5, count(*) FROM {RATED} GROUP BY 1, 2", None),
    ("response_by_urgency", dict(YEAR, measures=["response_rate"], by=["origin", "urgency"]),
     f"""SELECT t.origin, t.urgency, count(*) FILTER (WHERE h.contacted - t.dispatched <= interval '24' hour
       AND (t.urgency <> 'urgent' OR h.contacted - t.dispatched <= interval '2' hour)), count(*)
      FROM ticket AS t LEFT JOIN (SELECT r.origin, r.global_id, min(r.contacted) AS contacted FROM handling AS r
       WHERE r.contacted IS NOT NULL GROUP BY 1, 2) AS h ON h.origin = t.origin AND h.global_id = t.global_id
      WHERE {VALID} AND {IN_YEAR.format('t.dispatched')} GROUP BY 1, 2""", None),
    ("rework_by_category", dict(YEAR, measures=["rework_rate"], by=["service:1"]),
     f"SELECT {CATEGORY}, count(*) FILTER (WHERE t.round >= 2), count(*) FROM {REQUESTED} AND ({CLOSED} OR t.round >= 2) GROUP BY 1",
     None),
]

# What the others hold: the same rows, a ticket with its folded state in one, as wide as the questions need. Times are local.
TIMES = {"requested", "dispatched", "due", "acknowledged", "replied", "closed", "occurred", "contacted"}
TABLES = {
    "ticket": (
        """origin varchar, global_id varchar, requested timestamp, channel varchar, request_type varchar, urgency varchar,
         service varchar, region varchar, acceptance varchar, person varchar, status varchar, unit varchar, round int,
         dispatched timestamp, due timestamp, acknowledged timestamp, replied timestamp, closed timestamp, merged boolean""",
        """SELECT t.origin, t.global_id, requested_datetime, channel, request_type, urgency,
          coalesce(s.category, t.service_code), region_code, acceptance, coalesce(reporter_id_number, reporter_phone),
          s.status, s.unit, s.round, s.dispatched_at, s.due_at, s.acknowledged_at, s.replied_at, s.closed_at,
          iif(s.merge_target IS NOT NULL AND s.merged_into IS NOT NULL, 'true', 'false')
         FROM service_request AS t LEFT JOIN ticket_state AS s ON s.global_id = t.global_id WHERE t.deleted = 0"""),
    "evaluation": (
        """origin varchar, global_id varchar, key varchar, occurred timestamp, round int, object varchar, counted int,
         source varchar, score5 varchar""",
        """SELECT ticket_origin, global_id, "key", occurred_at, coalesce(round, 1), object, coalesce(counted, 1),
          coalesce(verdict_source, 'none'), score5 FROM evaluation WHERE deleted = 0"""),
    "callback": (
        "origin varchar, global_id varchar, occurred timestamp, reached varchar, resolved varchar, source varchar",
        """SELECT ticket_origin, global_id, occurred_at, reached, resolved, coalesce(verdict_source, 'none')
         FROM callback WHERE deleted = 0"""),
    "handling": (
        "origin varchar, global_id varchar, contacted timestamp",
        """SELECT ticket_origin, global_id, iif(contacted = 1, coalesce(contact_datetime, occurred_at), NULL)
         FROM handling WHERE deleted = 0"""),
}
INDEXES = ["ticket (global_id)", "ticket (requested)", "ticket (due)", "ticket (dispatched)", "ticket (closed)",
           "evaluation (global_id)", "evaluation (occurred)", "callback (occurred)", "handling (global_id)"]


def columns(table):
    return [tuple(column.split()) for column in TABLES[table][0].split(",")]


def sql(text, month, day):
    for word, form in (("month", month), ("day", day)):
        while (start := text.find("{" + word + ":")) >= 0:
            end = text.index("}", start)
            text = text[:start] + form.format(text[start + len(word) + 2 : end]) + text[end + 1 :]
    return text


def say(*words):
    print(*words, file=sys.stderr, flush=True)


def geometric_mean(values):
    return math.exp(sum(map(math.log, values)) / len(values))


def compare(engine, answers, name, found, cells):
    """Whether an engine's groups are ours, cell by cell."""
    ours = answers[name]
    keys = len(QUESTION[name][0].get("by", []))
    known = {}
    for row, parts in zip(ours["rows"], ours["parts"]):
        if cells:
            values = [row[ours["columns"].index(column)] for column, _ in cells]
        else:
            values = [number for part in parts for number in part]
        known[tuple(row[:keys])] = values
    tolerances = [tolerance for _, tolerance in cells] if cells else None
    others = {tuple(row[:keys]): list(row[keys:]) for row in found}
    if known.keys() != others.keys():
        say(f"{name}: {engine} has other groups: {list(known.keys() ^ others.keys())[:5]}")
        return False
    for key, values in known.items():
        for place, (value, other) in enumerate(zip(values, others[key], strict=True)):
            allowed = tolerances[place] * abs(float(other)) + 0.01 if tolerances and tolerances[place] else 0
            if abs(float(value) - float(other)) > allowed:
                say(f"{name}: {engine} has {other} for {key}, not {value}")
                return False
    return True


QUESTION = {name: (asked, text, cells) for name, asked, text, cells in QUESTIONS}


def answers_in(path):
    with open(path, encoding="utf8") as file:
        return {answer["name"]: answer for answer in json.load(file)["questions"]}


def measure(engine, run, month, day, answers):
    """Each question once, held against ours, then some times more: its median in milliseconds."""
    milliseconds, is_equal = {}, True
    for name, (_, text, cells) in QUESTION.items():
        statement = sql(text, month, day)
        is_equal &= compare(engine, answers, name, run(statement), cells)
        times = []
        for _ in range(REPETITIONS):
            started = time.perf_counter()
            run(statement)
            times.append((time.perf_counter() - started) * 1_000)
        milliseconds[name] = statistics.median(times)
    if not is_equal:
        sys.exit(1)
    return milliseconds


# --- Data -------------------------------------------------------------------------------------------------------------


def export(out, databases):
    os.makedirs(out, exist_ok=True)
    for number, database in enumerate(databases, 1):
        for table, (_, text) in TABLES.items():
            with open(f"{out}/{table}-{number}.csv", "w", encoding="utf8") as file:
                subprocess.run(["sqlite3", "-readonly", "-csv", database, text], stdout=file, check=True)


def load_duckdb(database, tables):
    for table in TABLES:
        given = {name: "BIGINT" if name in TIMES else kind for name, kind in columns(table)}
        wanted = ", ".join(
            f"make_timestamp(({name} + 28800000) * 1000) AS {name}" if name in TIMES else name for name in given)
        database.execute(
            f"CREATE TABLE {table} AS SELECT {wanted} FROM read_csv('{tables}/{table}-*.csv', header = false, "
            f"columns = {given!r}, nullstr = '', quote = '\"', escape = '\"')")
    database.execute("CHECKPOINT")


def duckdb_run(tables, work, answers):
    import duckdb

    answers = answers_in(answers)
    os.makedirs(work, exist_ok=True)
    file = f"{work}/analysis.duckdb"
    is_loaded = os.path.exists(file)
    with duckdb.connect(file) as database:
        if not is_loaded:
            load_duckdb(database, tables)
        milliseconds = measure(
            "DuckDB", lambda text: database.execute(text).fetchall(), "strftime({}, '%Y-%m')", "strftime({}, '%Y-%m-%d')",
            answers)
        ratios = {}
        for name, other in milliseconds.items():
            ours = statistics.median(answers[name]["milliseconds"])
            ratios[name] = ours / other
            say(f"  {name}: {ours:.0f} ms, DuckDB {other:.1f} ms, {ratios[name]:.1f}")
    print(json.dumps({"ratio": round(geometric_mean(ratios.values()), 3), "duckdb_version": duckdb.__version__}))


# --- PostgreSQL -------------------------------------------------------------------------------------------------------


def free_port():
    with socket.socket() as some:
        some.bind(("127.0.0.1", 0))
        return some.getsockname()[1]


@contextlib.contextmanager
def postgres(work):
    """A server of our own on loopback with all databases: the cities' and that of the province. It does not run as root."""
    programs = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True, check=True).stdout.strip()
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    user = {}
    if os.geteuid() == 0:
        other = pwd.getpwnam("postgres")
        os.chown(work, other.pw_uid, other.pw_gid)
        user = {"user": other.pw_uid, "group": other.pw_gid, "extra_groups": []}
    port = free_port()
    subprocess.run(
        [f"{programs}/initdb", "-D", f"{work}/data", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
        stdout=subprocess.DEVNULL, cwd=work, check=True, **user)
    with open(f"{work}/data/postgresql.conf", "a", encoding="utf8") as file:
        file.write(
            f"listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = '{work}'\nshared_buffers = '1GB'\n"
            "work_mem = '64MB'\nmaintenance_work_mem = '512MB'\nmax_wal_size = '8GB'\nwal_level = minimal\nmax_wal_senders = 0\n"
            "enable_partitionwise_aggregate = on\nenable_partitionwise_join = on\nlog_min_messages = fatal\n")
    with open(f"{work}/log", "w", encoding="utf8") as log:
        server = subprocess.Popen(
            [f"{programs}/postgres", "-D", f"{work}/data"], stdout=log, stderr=log, cwd=work, **user)
    try:
        for _ in range(600):
            if subprocess.run([f"{programs}/pg_isready", "-q", "-h", work, "-p", str(port)], check=False).returncode == 0:
                break
            if server.poll() is not None:
                sys.exit("PostgreSQL did not start")
            time.sleep(0.1)
        yield port
    finally:
        server.send_signal(2)  # a fast end
        server.wait(60)


def fdw(tables, work, answers):
    import duckdb
    import psycopg

    answers = answers_in(answers)
    with duckdb.connect() as source, postgres(f"{work}/postgres") as port:
        load_duckdb(source, tables)

        def connect(database):
            return psycopg.connect(f"host=127.0.0.1 port={port} user=postgres dbname={database}", autocommit=True)

        origins = sorted(row[0] for row in source.execute("SELECT DISTINCT origin FROM ticket").fetchall())
        with connect("postgres") as admin:
            for origin in origins:
                admin.execute(f"CREATE DATABASE city_{origin}")
        for origin in origins:
            with connect(f"city_{origin}") as city:
                for table in TABLES:
                    city.execute(f"CREATE TABLE {table} ({TABLES[table][0]})")
                    path = f"{work}/{table}.csv"
                    source.execute(f"COPY (SELECT * FROM {table} WHERE origin = '{origin}') TO '{path}' (FORMAT csv, HEADER false)")
                    with open(path, "rb") as file, city.cursor() as cursor:
                        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT csv)") as copy:
                            while part := file.read(1 << 20):
                                copy.write(part)
                    os.unlink(path)
                for index in INDEXES:
                    city.execute(f"CREATE INDEX ON {index}")
                city.execute("VACUUM ANALYZE")
        with connect("postgres") as province:
            province.execute("CREATE EXTENSION postgres_fdw")
            for table in TABLES:
                province.execute(f"CREATE TABLE {table} ({TABLES[table][0]}) PARTITION BY LIST (origin)")
            for origin in origins:
                province.execute(
                    f"CREATE SERVER s{origin} FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.1', port '{port}', "
                    f"dbname 'city_{origin}', async_capable 'true', use_remote_estimate 'true', fetch_size '10000')")
                province.execute(f"CREATE USER MAPPING FOR postgres SERVER s{origin} OPTIONS (user 'postgres')")
                for table in TABLES:
                    province.execute(
                        f"CREATE FOREIGN TABLE {table}_{origin} PARTITION OF {table} FOR VALUES IN ('{origin}') "
                        f"SERVER s{origin} OPTIONS (table_name '{table}')")
            province.execute("ANALYZE")

            def run(text):
                return province.execute(text).fetchall()

            labels = "to_char({}, 'YYYY-MM')", "to_char({}, 'YYYY-MM-DD')"
            milliseconds = measure("postgres_fdw", run, *labels, answers)
            with counting([(free_port(), port)]) as counter:
                for origin in origins:
                    province.execute(f"ALTER SERVER s{origin} OPTIONS (SET port '{counter.listens[0]}')")
                for _, text, _ in QUESTION.values():
                    run(sql(text, *labels))
                moved = counter.bytes
    warm, first = [], []
    for name, other in milliseconds.items():
        ours = statistics.median(answers[name]["milliseconds"])
        warm.append(other / ours)
        first.append(other / answers[name]["firstMS"])
        say(f"  {name}: {ours:.1f} ms, the first time {answers[name]['firstMS']:.0f} ms, postgres_fdw {other:.0f} ms")
    print(json.dumps({
        "ratio": round(geometric_mean(warm), 3), "ratio_first": round(geometric_mean(first), 3), "bytes": moved}))


# --- Bytes ------------------------------------------------------------------------------------------------------------


class Counter:
    """Passes connections on and counts what goes through them, both ways."""

    def __init__(self, ways):
        self.bytes = 0
        self.listens = [listen for listen, _ in ways]
        self.lock = threading.Lock()
        self.sockets = []
        for listen, target in ways:
            server = socket.create_server(("127.0.0.1", listen))
            self.sockets.append(server)
            threading.Thread(target=self.accept, args=(server, target), daemon=True).start()

    def accept(self, server, target):
        while True:
            try:
                one, _ = server.accept()
                other = socket.create_connection(("127.0.0.1", target))
            except OSError:
                return
            for end in (one, other):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets += [one, other]
            for source, sink in ((one, other), (other, one)):
                threading.Thread(target=self.carry, args=(source, sink), daemon=True).start()

    def carry(self, source, sink):
        with contextlib.suppress(OSError):
            while part := source.recv(1 << 18):
                with self.lock:
                    self.bytes += len(part)
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)

    def close(self):
        for one in self.sockets:
            one.close()


@contextlib.contextmanager
def counting(ways):
    counter = Counter(ways)
    try:
        yield counter
    finally:
        counter.close()


def bytes_of(arguments):
    end = arguments.index("--")
    ways = [tuple(int(port) for port in way.split(":")) for way in arguments[:end]]
    with counting(ways) as counter:
        subprocess.run(arguments[end + 1 :], stdout=subprocess.DEVNULL, check=True)
        print(json.dumps({"bytes": counter.bytes}))


def main():
    match sys.argv[1:]:
        case ["questions"]:
            print(json.dumps([dict(asked, name=name) for name, (asked, _, _) in QUESTION.items()], ensure_ascii=False))
        case ["tables", out, *databases] if databases:
            export(out, databases)
        case ["duckdb", tables, work, answers]:
            duckdb_run(tables, work, answers)
        case ["fdw", tables, work, answers]:
            fdw(tables, work, answers)
        case ["bytes", *arguments] if "--" in arguments:
            bytes_of(arguments)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()
