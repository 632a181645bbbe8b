#!/usr/bin/env bash
# Measures questions with real files and real processes, against DuckDB and PostgreSQL in the same run, whose answers must be ours.
# usage: scripts/bench-analysis.sh [--json] [--dir DIR] [--tickets N] [--cost N] [--rounds N] [--repetitions N]
#   --tickets      tickets of five cities together, each with its stages (default 5000000)
#   --cost         tickets of the imports with and without rollups (default 200000)
#   --rounds       how often both take turns (default 3); the median of the ratios counts
#   --repetitions  how often each question is asked of warm rollups (default 20)
# What the keys of --json mean: docs/benchmarks.md. DuckDB comes from PyPI, PostgreSQL 15 from the system.
set -euo pipefail
cd "$(dirname "$0")/.."

json=no tickets=5000000 cost=200000 rounds=3 repetitions=20 dir=""
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=yes ;;
    --dir) dir=$2; shift ;;
    --tickets) tickets=$2; shift ;;
    --cost) cost=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --repetitions) repetitions=$2; shift ;;
    *) sed -n '2,8p' "$0" >&2; exit 64 ;;
  esac
  shift
done

. scripts/bench-common.sh
prepare AnalysisBenchmark
trap cleanup EXIT

median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
least() { printf '%s\n' "$@" | sort -n | head -1; }
most() { printf '%s\n' "$@" | sort -n | tail -1; }
at() { local node=$1; shift; "$bin/federation-node" "$@" --config "$node/node.yaml"; }
peak() { awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }

# --- The other engines ------------------------------------------------------------------------------------------------
python=""
if ! python3 -m venv "$dir/venv" >&2; then
  say "python3 can't make a virtual environment: nothing is compared with DuckDB and PostgreSQL"
elif ! "$dir/venv/bin/pip" install -q duckdb 'psycopg[binary]' >&2; then
  say "PyPI is out of reach: nothing is compared with DuckDB and PostgreSQL"
else
  python=$dir/venv/bin/python
fi
postgres=yes
if ! pg_config --version 2>/dev/null | grep -q 'PostgreSQL 15\.' || [ ! -f "$(pg_config --sharedir)/extension/postgres_fdw.control" ]; then
  say "no PostgreSQL 15 with postgres_fdw: nothing is compared with it"
  postgres=no
fi
python3 scripts/bench-analysis.py questions >"$dir/questions.json"
# ask NODE FILE [OPTION...]: the answers to all questions.
ask() { "$bin/AnalysisBenchmark" ask --config "$1/node.yaml" --questions "$dir/questions.json" "${@:3}" >"$2"; }

# --- 1. Rows in five cities -------------------------------------------------------------------------------------------
cities=(370100 370200 370300 370400 370500)
say "1/4 $tickets tickets in five cities that are asked"
home=$dir/federation
mode=logical make_federation "$home" "${cities[@]}"
key=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
for code in 370000 "${cities[@]}"; do echo "$key" >"$home/$code/credentials/token.key"; done
seed=0 databases=()
for city in "${cities[@]}"; do
  seed=$((seed + 1))
  at "$home/$city" generate --tickets $((tickets / 5)) --seed "$seed" --from 2025-01-01 --days 365 >/dev/null 2>&1
  "$bin/AnalysisBenchmark" catch-up --config "$home/$city/node.yaml" >/dev/null
  databases+=("$home/$city/node.db")
done
[ -z "$python" ] || python3 scripts/bench-analysis.py tables "$dir/tables" "${databases[@]}"
for city in "${cities[@]}"; do serve "$home" "$city"; done
for city in "${cities[@]}"; do listening "$home" "$city"; done
ask "$home/370000" "$dir/logical.json" --repetitions "$repetitions"
rss=(); for pid in "${pids[@]}"; do rss+=("$(peak "$pid")"); done
stop_all
fdw="" logical_bytes=""
if [ -n "$python" ] && [ "$postgres" = yes ]; then
  # The same questions once more, with somebody in between who counts; the cities listen elsewhere.
  ways=()
  for city in "${cities[@]}"; do
    port=$(free_port)
    serve "$home" "$city" --set listen="127.0.0.1:$port"
    ways+=("$(sed -n "/\"$city\"/,/endpoint/s/.*127.0.0.1:\([0-9]*\).*/\1/p" "$home/topology.yaml"):$port")
  done
  for city in "${cities[@]}"; do listening "$home" "$city"; done
  logical_bytes=$(number "$(python3 scripts/bench-analysis.py bytes "${ways[@]}" -- "$bin/AnalysisBenchmark" ask \
    --config "$home/370000/node.yaml" --questions "$dir/questions.json" --repetitions 0 --from-rows | tr -d ' ')" bytes)
  stop_all
  chmod a+x "$dir"
  fdw=$("$python" scripts/bench-analysis.py fdw "$dir/tables" "$dir" "$dir/logical.json" | tr -d ' ')
  rm -rf "$dir/postgres"
fi

# --- 2. The same rows, copied to the province -------------------------------------------------------------------------
say "2/4 the same rows, copied to their province"
sed -e 's/^version: 1$/version: 2/' -e '/mode: logical/d' "$home/topology.yaml" >"$home/copied.yaml"
for code in 370000 "${cities[@]}"; do serve "$home" "$code"; done
for code in 370000 "${cities[@]}"; do listening "$home" "$code"; done
at "$home/370000" topology apply "$home/copied.yaml" --confirm --wait 60 >"$dir/apply.log"
held() { sqlite3 -readonly -cmd '.timeout 10000' "$home/370000/node.db" "SELECT count(*) FROM service_request"; }
levels() { at "$home/370000" status --json | grep -o '"state":"level"' | wc -l; }
until [ "$(held)" -ge $((tickets / 5 * 5)) ] && [ "$(levels)" -ge 5 ]; do sleep 1; done
"$bin/AnalysisBenchmark" catch-up --config "$home/370000/node.yaml" >/dev/null
ask "$home/370000" "$dir/warm.json" --repetitions "$repetitions"
ask "$home/370000" "$dir/rows.json" --repetitions 1 --from-rows
stop_all
rss+=("$(number "$(cat "$dir/warm.json")" rssMB)" "$(number "$(cat "$dir/rows.json")" rssMB)")
rollup_p95=$(python3 -c 'import json, sys
times = sorted(ms for answer in json.load(open(sys.argv[1]))["questions"] for ms in answer["milliseconds"])
print(round(times[-(-len(times) * 95 // 100) - 1], 2))' "$dir/warm.json")
duckdb=""
[ -z "$python" ] || duckdb=$("$python" scripts/bench-analysis.py duckdb "$dir/tables" "$dir/duckdb" "$dir/rows.json" | tr -d ' ')

# --- 3. Export to ClickHouse ------------------------------------------------------------------------------------------
say "3/4 export to ClickHouse"
# start_clickhouse: a server of our own on loopback; sets its address.
start_clickhouse() {
  local http tcp
  http=$(free_port) tcp=$(free_port) clickhouse=$dir/clickhouse
  mkdir -p "$clickhouse"
  cat >"$clickhouse/config.xml" <<XML
<yandex><logger><level>warning</level><log>$clickhouse/log</log><errorlog>$clickhouse/errors</errorlog></logger>
<http_port>$http</http_port><tcp_port>$tcp</tcp_port><listen_host>127.0.0.1</listen_host><path>$clickhouse/data/</path>
<tmp_path>$clickhouse/tmp/</tmp_path><mark_cache_size>268435456</mark_cache_size><users_config>$clickhouse/users.xml</users_config>
<default_profile>default</default_profile><default_database>default</default_database></yandex>
XML
  cat >"$clickhouse/users.xml" <<XML
<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password/><profile>default</profile>
<quota>default</quota><networks><ip>127.0.0.1</ip></networks></default></users></yandex>
XML
  (cd "$clickhouse" && exec clickhouse-server --config-file="$clickhouse/config.xml") >"$clickhouse/output" 2>&1 &
  pids+=("$!")
  address=http://127.0.0.1:$http
  until curl -sf "$address/ping" >/dev/null; do kill -0 "${pids[-1]}"; sleep 0.2; done
}
export_rate=null clickhouse_answers=""
if ! "$bin/federation-node" --help | grep -q '^ *warehouse '; then
  say "  this release has no warehouse: nothing is exported"
elif ! command -v clickhouse-server >/dev/null; then
  say "  clickhouse-server is not installed: nothing is exported"
else
  start_clickhouse
  warehouse() { at "$home/370000" warehouse "$@" --set analysis-engine=clickhouse --set clickhouse-url="$address"; }
  begun=$(now)
  warehouse backfill >&2
  seconds=$(calc "$(now) - $begun")
  exported=$(warehouse status --json | python3 -c 'import json, sys
print(sum(rows for shard in json.load(sys.stdin)["shards"] for rows in shard["rows"].values()))')
  warehouse verify >/dev/null
  if [ -n "$python" ]; then
    printf 'analysis-engine: clickhouse\nclickhouse-url: %s\n' "$address" >>"$home/370000/node.yaml"
    ask "$home/370000" "$dir/clickhouse.json" --repetitions 3 --from-warehouse
    clickhouse_answers=$("$python" scripts/bench-analysis.py duckdb "$dir/tables" "$dir/duckdb" "$dir/clickhouse.json" | tr -d ' ')
  fi
  export_rate=$(calc "$exported / $seconds")
  stop_all
  rm -rf "$clickhouse"
fi

# --- 4. What rollups cost ---------------------------------------------------------------------------------------------
say "4/4 $cost tickets taken in and applied, with and without rollups"
rm -rf "$home" "$dir/tables" "$dir/duckdb"
make_federation "$dir/cost" 370100
at "$dir/cost/370100" generate --tickets "$cost" --from 2025-01-01 --days 365 --out "$dir/cost.csv" --format csv >/dev/null 2>&1
# A node keeps rollups from the first question with a beginning and an end on.
want() { [ "$2" = no ] || at "$1" query --from 2025-01-01 --to 2025-02-01 --best-effort >/dev/null 2>&1 || true; }
cursor() { sqlite3 -readonly -cmd '.timeout 10000' "$1/node.db" "SELECT count(*) FROM node AS n JOIN consumer AS c
  ON c.name = 'rollup' AND c.cursor = n.value WHERE n.name = 'seq' AND n.value >= $2"; }
# costs WANTED: seconds of an import with its fold, and of applying the same rows with theirs.
costs() {
  local begun taken
  rm -rf "$dir/cost"
  make_federation "$dir/cost" 370100
  want "$dir/cost/370100" "$1"
  begun=$(now)
  at "$dir/cost/370100" import --resource service_request --mapping mappings/generated-tickets.yaml "$dir/cost.csv" >/dev/null 2>&1
  "$bin/AnalysisBenchmark" catch-up --config "$dir/cost/370100/node.yaml" >/dev/null
  taken=$(calc "$(now) - $begun")
  want "$dir/cost/370000" "$1"
  serve "$dir/cost" 370100; listening "$dir/cost" 370100
  begun=$(now)
  serve "$dir/cost" 370000 --set consumers=on
  until [ "$(cursor "$dir/cost/370000" "$cost")" = 1 ]; do sleep 0.05; done
  echo "$taken $(calc "$(now) - $begun")"
  stop_all
}
intake=() apply=()
for _ in $(seq "$rounds"); do
  read -r intake_without apply_without < <(costs no)
  read -r intake_with apply_with < <(costs yes)
  intake+=("$(calc "$intake_without / $intake_with")")
  apply+=("$(calc "$apply_without / $apply_with")")
  say "  intake $intake_without s, with rollups $intake_with s; apply $apply_without s, with rollups $apply_with s"
done
intake_cost=$(median "${intake[@]}") apply_cost=$(median "${apply[@]}")

or_null() { [ -n "$1" ] && echo "$1" || echo null; }
bytes_ratio=""
[ -z "$fdw" ] || bytes_ratio=$(awk -v ours="$logical_bytes" -v theirs="$(number "$fdw" bytes)" 'BEGIN { printf "%.6f", ours / theirs }')
machine="$(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), load $(cut -d' ' -f1 /proc/loadavg)"
result=$(cat <<JSON
{"machine":"$machine","tickets":$tickets,
 "rollup_ms_p95":$rollup_p95,
 "rows_vs_duckdb":$(or_null "$(number "$duckdb" ratio)"),
 "clickhouse_vs_duckdb":$(or_null "$(number "$clickhouse_answers" ratio)"),
 "logical_vs_postgres_fdw":$(or_null "$(number "$fdw" ratio)"),
 "logical_first_vs_postgres_fdw":$(or_null "$(number "$fdw" ratio_first)"),
 "logical_bytes_vs_postgres_fdw":$(or_null "$bytes_ratio"),
 "logical_bytes":$(or_null "$logical_bytes"),"postgres_fdw_bytes":$(or_null "$(number "$fdw" bytes)"),
 "rollup_cost":$(least "$intake_cost" "$apply_cost"),"rollup_cost_intake":$intake_cost,"rollup_cost_apply":$apply_cost,
 "rss_mb":$(most "${rss[@]}"),
 "export_rows_s":$export_rate}
JSON
)
if [ "$json" = yes ]; then
  tr -d '\n' <<<"$result"; echo
else
  echo "$result" | tr -d '{}"' | tr ',' '\n' | sed 's/^ *//'
fi
