#!/usr/bin/env bash
# Measures intake with real files and real processes, against the sqlite3 shell in the same run.
# usage: scripts/bench-intake.sh [--json] [--dir DIR] [--tickets N] [--push N] [--large N] [--rounds N] [--sheet N]
#   --tickets  tickets of the CSV file (default 500000), each with its stages: about five rows a ticket
#   --push     tickets that are pushed over HTTP to the node that holds those of the file (default 100000)
#   --large    tickets of the node on which one is changed (default 1000000)
#   --sheet    tickets of the .xlsx workbook (default 100000)
#   --beside   tickets of the file that is imported beside a service that replicates (default 100000)
#   --rounds   how often import and `.import` take turns (default 3); the median ratio counts
# What the keys of --json mean: docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."

json=no tickets=500000 push=100000 large=1000000 rounds=3 sheet=100000 beside=100000 dir=""
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=yes ;;
    --dir) dir=$2; shift ;;
    --tickets) tickets=$2; shift ;;
    --push) push=$2; shift ;;
    --large) large=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    --sheet) sheet=$2; shift ;;
    --beside) beside=$2; shift ;;
    *) sed -n '2,10p' "$0" >&2; exit 64 ;;
  esac
  shift
done

. scripts/bench-common.sh
prepare IntakeBenchmark
server=""
cleanup() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  stop_all
  [ "$own_dir" = no ] || rm -rf "$dir"
}
trap cleanup EXIT

median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

cat >"$dir/topology.yaml" <<'YAML'
version: 1
name: benchmark
nodes:
  - {code: "370000", name: province, endpoint: "https://127.0.0.1:20370"}
  - {code: "370100", name: city, parent: "370000", endpoint: "https://127.0.0.1:20371"}
YAML
# new_node DIR: the data directory of the city, without a row.
new_node() {
  rm -rf "${1:?}"
  "$bin/federation-node" init --node 370100 --topology "$dir/topology.yaml" --dir "$1" --local-listen 127.0.0.1:0 \
    >/dev/null 2>&1
}

# The resources' tables of a node that hold rows, and how many rows they hold.
tables_of() {
  local table
  for table in $(sqlite3 "$1" "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE '%supplier INTEGER%'"); do
    [ "$(sqlite3 "$1" "SELECT EXISTS (SELECT 1 FROM \"$table\")")" = 0 ] || echo "$table"
  done
}

# --- 1. CSV against `.import` -----------------------------------------------------------------------------------------
say "1/5 $tickets tickets as CSV"
new_node "$dir/city"
"$bin/federation-node" generate --tickets "$tickets" --from 2025-01-01 --days 365 --out "$dir/tickets.csv" --format csv \
  --config "$dir/city/node.yaml" >/dev/null 2>&1
import=() shell=() ratio=() rss=0
for round in $(seq "$rounds"); do
  new_node "$dir/city"
  started=$(now)
  "$bin/federation-node" import --resource service_request --mapping mappings/generated-tickets.yaml --json "$dir/tickets.csv" \
    --config "$dir/city/node.yaml" >"$dir/import.json" &
  importer=$!
  peak=0
  while kill -0 "$importer" 2>/dev/null; do
    seen=$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$importer/status" 2>/dev/null || true)
    [ -z "$seen" ] || peak=$seen
    sleep 0.1
  done
  wait "$importer"
  import+=("$(calc "$(number "$(cat "$dir/import.json")" seconds)")")
  rss=$(awk -v a="$rss" -v b="$peak" 'BEGIN { print (a > b ? a : b) }')
  if [ "$round" = 1 ]; then
    # What the import stored, as the CSV files that the shell loads: all columns of the tables, envelope included.
    db="$dir/city/node.db"
    stored=0
    { echo "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;"
      echo "PRAGMA wal_autocheckpoint = 10000;"
      # Without STRICT: the shell gives an empty field as text, which a strict integer column refuses.
      for table in $(tables_of "$db"); do
        sqlite3 "$db" "SELECT sql || ';' FROM sqlite_master WHERE tbl_name = '$table' AND sql IS NOT NULL AND type <> 'trigger'" \
          | sed 's/) STRICT;/);/'
      done
      echo ".mode csv"
      for table in $(tables_of "$db"); do echo ".import $dir/$table.csv $table"; done; } >"$dir/load.sql"
    for table in $(tables_of "$db"); do
      sqlite3 -csv "$db" "SELECT * FROM \"$table\"" >"$dir/$table.csv"
      stored=$((stored + $(sqlite3 "$db" "SELECT count(*) FROM \"$table\"")))
    done
  fi
  rm -f "$dir"/bare.db*
  started=$(now)
  sqlite3 "$dir/bare.db" <"$dir/load.sql" >/dev/null
  shell+=("$(calc "$(now) - $started")")
  ratio+=("$(calc "${shell[-1]} / ${import[-1]}")")
  say "  import ${import[-1]} s ($peak MB), sqlite3 .import ${shell[-1]} s, $stored rows"
done
rm -f "$dir"/bare.db*
import_rate=$(calc "$stored / $(median "${import[@]}")")
shell_rate=$(calc "$stored / $(median "${shell[@]}")")

# --- 2. Push over HTTP ------------------------------------------------------------------------------------------------
say "2/5 $push tickets pushed in batches of 500 by two clients"
"$bin/federation-node" ca init --dir "$dir/ca" >/dev/null
"$bin/federation-node" ca issue --ca "$dir/ca" --node 370100 --out "$dir/city/credentials" >/dev/null
token=$("$bin/federation-node" token create --name benchmark --config "$dir/city/node.yaml" --json \
  | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
: >"$dir/serve.out"
# Without consumers, as during the import, which has none.
"$bin/federation-node" serve --config "$dir/city/node.yaml" --set consumers=off --set log-level=warning \
  --set listen=127.0.0.1:0 >"$dir/serve.out" 2>"$dir/serve.log" &
server=$!
until grep -q '^listening' "$dir/serve.out"; do kill -0 "$server"; sleep 0.1; done
url=$(sed -n 's/.*\(http:\/\/127.0.0.1:[0-9]*\).*/\1/p' "$dir/serve.out")
"$bin/IntakeBenchmark" batches --tickets "$push" --out "$dir/push" --url "$url" --token "$token" >&2
clients=()
started=$(now)
for client in 0 1; do
  curl -K "$dir/push/client-$client" >"$dir/push/answers-$client" &
  clients+=($!)
done
for client in "${clients[@]}"; do wait "$client"; done
push_seconds=$(calc "$(now) - $started")
pushed=$(cat "$dir"/push/answers-* | grep -o '"accepted":[0-9]*' | awk -F: '{ sum += $2 } END { print sum + 0 }')
push_rate=$(calc "$pushed / $push_seconds")
rss_server=$(awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$server/status")
rss=$(awk -v a="$rss" -v b="$rss_server" 'BEGIN { print (a > b ? a : b) }')
kill "$server"; wait "$server" || true; server=""
say "  $pushed records in $push_seconds s, service $rss_server MB"

# --- 3. A workbook ----------------------------------------------------------------------------------------------------
say "3/5 $sheet tickets as .xlsx"
"$bin/federation-node" generate --tickets "$sheet" --from 2025-01-01 --days 365 --out "$dir/sheet.csv" --format csv \
  --config "$dir/city/node.yaml" >/dev/null 2>&1
scripts/csv-to-xlsx.py "$dir/sheet.csv" "$dir/sheet.xlsx"
# seconds_of FILE: how long its import into a new node takes.
seconds_of() {
  new_node "$dir/sheet"
  "$bin/federation-node" import --resource service_request --mapping mappings/generated-tickets.yaml --json "$1" \
    --config "$dir/sheet/node.yaml" >"$dir/sheet.json"
  number "$(cat "$dir/sheet.json")" seconds
}
sheet_rate=() sheet_ratio=()
for round in $(seq "$rounds"); do
  csv_seconds=$(seconds_of "$dir/sheet.csv") sheet_seconds=$(seconds_of "$dir/sheet.xlsx")
  rows=0
  for table in $(tables_of "$dir/sheet/node.db"); do
    rows=$((rows + $(sqlite3 "$dir/sheet/node.db" "SELECT count(*) FROM \"$table\"")))
  done
  sheet_rate+=("$(calc "$rows / $sheet_seconds")")
  sheet_ratio+=("$(calc "$csv_seconds / $sheet_seconds")")
done
say "  ${sheet_rate[*]} rows a second"

# --- 4. Beside a service ----------------------------------------------------------------------------------------------
say "4/5 $beside tickets as CSV, with and without a service that folds and replicates them"
"$bin/federation-node" generate --tickets "$beside" --from 2025-01-01 --days 365 --out "$dir/beside.csv" --format csv \
  --config "$dir/city/node.yaml" >/dev/null 2>&1
# import_beside HOME: how long the import into the city of that federation takes.
import_beside() {
  "$bin/federation-node" import --resource service_request --mapping mappings/generated-tickets.yaml --json \
    "$dir/beside.csv" --config "$1/370100/node.yaml" >"$dir/beside.json"
  number "$(cat "$dir/beside.json")" seconds
}
beside_ratio=()
for round in $(seq "$rounds"); do
  rm -rf "$dir/federation"
  make_federation "$dir/federation" 370100
  alone=$(import_beside "$dir/federation")
  rm -rf "$dir/federation"
  make_federation "$dir/federation" 370100
  for code in 370000 370100; do serve "$dir/federation" "$code" --set consumers=on; listening "$dir/federation" "$code"; done
  accompanied=$(import_beside "$dir/federation")
  stop_all
  beside_ratio+=("$(calc "$alone / $accompanied")")
  say "  alone $alone s, beside the service $accompanied s"
done

# --- 5. One changed ticket --------------------------------------------------------------------------------------------
say "5/5 one changed ticket among $large"
new_node "$dir/large"
"$bin/federation-node" generate --requests-only --tickets "$large" --days 365 --config "$dir/large/node.yaml" >/dev/null 2>&1
fold=$("$bin/IntakeBenchmark" fold --database "$dir/large/node.db")
say "  $fold"

machine="$(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), load $(cut -d' ' -f1 /proc/loadavg)"
result=$(cat <<JSON
{"machine":"$machine","tickets":$tickets,"rows":$stored,
 "import_vs_sqlite_import":$(median "${ratio[@]}"),
 "push_vs_import":$(calc "$push_rate / $import_rate"),
 "rss_mb":$rss,
 "import_beside_service":$(median "${beside_ratio[@]}"),
 "xlsx_rows_s":$(median "${sheet_rate[@]}"),"xlsx_vs_csv":$(median "${sheet_ratio[@]}"),
 "fold_one_ms":$(calc "$(number "$fold" p50_ms)"),"fold_one_ms_p99":$(calc "$(number "$fold" p99_ms)"),
 "import_rows_s":$import_rate,"sqlite_import_rows_s":$shell_rate,"push_rows_s":$push_rate}
JSON
)
if [ "$json" = yes ]; then
  tr -d '\n' <<<"$result"; echo
else
  echo "$result" | tr -d '{}"' | tr ',' '\n' | sed 's/^ *//'
fi
