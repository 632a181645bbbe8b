#!/usr/bin/env bash
# Measures synchronization with real files, real processes and real TLS, against the sqlite3 shell in the same run.
# usage: scripts/bench-sync.sh [--json] [--dir DIR] [--tickets N] [--large N]
#   --tickets  tickets of each of the five cities (default 100000)
#   --large    tickets of the one large city (default 1000000)
# What the keys of --json mean: docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."

json=no tickets=100000 large=1000000 dir=""
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=yes ;;
    --dir) dir=$2; shift ;;
    --tickets) tickets=$2; shift ;;
    --large) large=$2; shift ;;
    *) sed -n '2,6p' "$0" >&2; exit 64 ;;
  esac
  shift
done

. scripts/bench-common.sh
prepare SyncBenchmark

trap cleanup EXIT

cities=(370100 370200 370300 370400 370500)
nodes=(370000 "${cities[@]}")

seq_of() { sqlite3 "$1" "PRAGMA busy_timeout=5000; SELECT value FROM node WHERE name='seq'" | tail -1; }

# --- 1. Bulk: five cities into one province ---------------------------------------------------------------------------
say "1/4 five cities of $tickets tickets"
make_federation "$dir/bulk" "${cities[@]}"
i=0
for city in "${cities[@]}"; do
  i=$((i + 1))
  "$bin/federation-node" generate --requests-only --tickets "$tickets" --seed "$i" --config "$dir/bulk/$city/node.yaml" \
    >/dev/null 2>&1
done
total=$((tickets * ${#cities[@]}))

# The floor: the same rows into the same schema with the same indexes, by the sqlite3 shell, one transaction a city.
columns=$(sqlite3 "$dir/bulk/370100/node.db" \
  "SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('service_request') WHERE name NOT IN ('id', 'seq')")
bare_seconds() {
  local db=$dir/bulk/bare.db started offset=0
  rm -f "$db" "$db-wal" "$db-shm"
  sqlite3 "$db" "PRAGMA journal_mode=WAL" "$(sqlite3 "$dir/bulk/370100/node.db" '.schema service_request')" >/dev/null
  local sql=("PRAGMA synchronous=NORMAL" "PRAGMA cache_size=-65536" "PRAGMA wal_autocheckpoint=10000")
  for city in "${cities[@]}"; do
    sql+=("ATTACH '$dir/bulk/$city/node.db' AS source"
      "INSERT INTO main.service_request ($columns, seq) SELECT $columns, seq + $offset FROM source.service_request"
      "DETACH source")
    offset=$((offset + tickets))
  done
  started=$(now)
  sqlite3 "$db" "${sql[@]}" >/dev/null
  calc "$(now) - $started"
}
apply_seconds() {
  rm -f "$dir"/bulk/apply.db*
  local sources=() result
  for city in "${cities[@]}"; do sources+=("$city=$dir/bulk/$city/node.db"); done
  result=$("$bin/SyncBenchmark" apply --into "$dir/bulk/apply.db" "${sources[@]}")
  calc "$(number "$result" decode_s) + $(number "$result" apply_s)"
}
# In turn, so that both see the same machine; the medians are compared.
bare=() apply=()
for _ in 1 2 3; do
  bare+=("$(bare_seconds)")
  apply+=("$(apply_seconds)")
  say "  bare ${bare[-1]} s, apply ${apply[-1]} s"
done
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
bare_median=$(median "${bare[@]}")
apply_median=$(median "${apply[@]}")

ends=()
for _ in 1 2 3; do
  rm -rf "$dir/bulk/370000"/node.db*
  rm -rf "$dir/bulk/370000.new"
  "$bin/federation-node" init --node 370000 --topology "$dir/bulk/topology.yaml" --dir "$dir/bulk/370000.new" \
    --local-listen 127.0.0.1:0 >/dev/null 2>&1
  mv "$dir/bulk/370000.new/node.db" "$dir/bulk/370000/node.db"
  serve "$dir/bulk" 370000
  listening "$dir/bulk" 370000
  started=$(now)
  for city in "${cities[@]}"; do serve "$dir/bulk" "$city"; done
  until [ "$(seq_of "$dir/bulk/370000/node.db")" -ge "$total" ]; do sleep 0.05; done
  ends+=("$(calc "$(now) - $started")")
  say "  end to end over TLS ${ends[-1]} s"
  port=$(sed -n 's/.*http:\/\/127.0.0.1:\([0-9]*\) .*/\1/p' "$dir/bulk/370000/serve.log")
  exec 3<>"/dev/tcp/127.0.0.1/$port"
  printf 'GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n' >&3
  wire=$(awk '/^federation_change_set_bytes_total/ { sum += $2 } END { print sum }' <&3)
  exec 3>&-
  stop_all
done
end_median=$(median "${ends[@]}")
raw=0
for city in "${cities[@]}"; do
  bytes=$(sqlite3 -csv "$dir/bulk/$city/node.db" "SELECT $columns FROM service_request" | wc -c)
  raw=$((raw + bytes))
done

# --- 2. One large city: memory, and whether it slows down -------------------------------------------------------------
say "2/4 one city of $large tickets"
rm -rf "$dir/bulk"
make_federation "$dir/large" 370100
"$bin/federation-node" generate --requests-only --tickets "$large" --days 365 --config "$dir/large/370100/node.yaml" \
  >/dev/null 2>&1
serve "$dir/large" 370000; receiver=$!
listening "$dir/large" 370000
serve "$dir/large" 370100; sender=$!
first_mark="" before_last="" begun=""
while :; do
  seq=$(seq_of "$dir/large/370000/node.db")
  time=$(now)
  [ -n "$begun" ] || { [ "$seq" -eq 0 ] || begun="$time $seq"; }
  [ -n "$first_mark" ] || { [ "$seq" -lt $((large / 10)) ] || first_mark="$time $seq"; }
  [ -n "$before_last" ] || { [ "$seq" -lt $((large / 10 * 9)) ] || before_last="$time $seq"; }
  [ "$seq" -lt "$large" ] || { end_mark="$time $seq"; break; }
  sleep 0.02
done
per_row() { awk -v a="$1" -v b="$2" 'BEGIN { split(a, x); split(b, y); print (y[1] - x[1]) / (y[2] - x[2]) }'; }
slope=$(calc "$(per_row "$before_last" "$end_mark") / $(per_row "$begun" "$first_mark")")
large_seconds=$(awk -v a="$begun" -v b="$end_mark" 'BEGIN { split(a, x); split(b, y); print y[1] - x[1] }')
rss() { awk '/^VmHWM/ { printf "%.1f", $2 / 1024 }' "/proc/$1/status"; }
rss_sender=$(rss "$sender")
rss_receiver=$(rss "$receiver")
say "  $large_seconds s, last tenth $slope of the first, sender $rss_sender MB, receiver $rss_receiver MB"

# --- 3. One ticket on an idle link ------------------------------------------------------------------------------------
say "3/4 one ticket on an idle link"
visible=$("$bin/SyncBenchmark" visible --city "$dir/large/370100/node.db" --province "$dir/large/370000/node.db")
stop_all

# --- 4. Policies ------------------------------------------------------------------------------------------------------
say "4/4 a filter with three masked fields, a grant of one row in a hundred, tickets that leave the filter"
policy=$("$bin/SyncBenchmark" policy --city 370100 --database "$dir/large/370100/node.db" --scratch "$dir/large")

machine="$(nproc) cores, $(awk -F': ' '/model name/ { print $2; exit }' /proc/cpuinfo), $(awk '/MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), load $(cut -d' ' -f1 /proc/loadavg)"
result=$(cat <<JSON
{"machine":"$machine","tickets":$total,
 "bulk_apply_vs_bare_sqlite":$(calc "$bare_median / $apply_median"),
 "bulk_end_to_end_vs_bare_sqlite":$(calc "$bare_median / $end_median"),
 "bare_sqlite_rows_s":$(calc "$total / $bare_median"),
 "bulk_apply_rows_s":$(calc "$total / $apply_median"),
 "bulk_end_to_end_rows_s":$(calc "$total / $end_median"),
 "wire_bytes_vs_raw":$(calc "$wire / $raw"),
 "wire_bytes_per_row":$(calc "$wire / $total"),
 "large_tickets":$large,"large_rows_s":$(calc "$large / $large_seconds"),
 "rss_mb_sender":$rss_sender,"rss_mb_receiver":$rss_receiver,
 "last_tenth_vs_first_tenth":$slope,
 "filtered_extract_vs_unfiltered":$(calc "$(number "$policy" filtered_extract_vs_unfiltered)"),
 "sparse_grant_vs_full":$(calc "$(number "$policy" sparse_grant_vs_full)"),
 "scope_change_vs_update":$(calc "$(number "$policy" scope_change_vs_update)"),
 "idle_visible_ms_p50":$(calc "$(number "$visible" p50_ms)"),"idle_visible_ms_p99":$(calc "$(number "$visible" p99_ms)")}
JSON
)
if [ "$json" = yes ]; then
  tr -d '\n' <<<"$result"; echo
else
  echo "$result" | tr -d '{}"' | tr ',' '\n' | sed 's/^ *//'
fi
