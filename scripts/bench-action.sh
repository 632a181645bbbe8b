#!/usr/bin/env bash
# Measures alerts with real processes: a city takes tickets in live, the province judges them as they arrive. And how long a month's
# report takes over many tickets.
# usage: scripts/bench-action.sh [--json] [--dir DIR] [--history N] [--rate N] [--seconds N] [--reported N]
#   --history  tickets that the province holds already, of the ten weeks before (default 100000)
#   --rate     changes a second that arrive at the province (default 200); a ticket has about five
#   --seconds  how long (default 60)
#   --reported tickets of one node over whose August and September of 2025 reports are made (default 1000000)
# What the keys of --json mean: docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."

json=no history=100000 rate=200 seconds=60 reported=1000000 dir=""
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=yes ;;
    --dir) dir=$2; shift ;;
    --history) history=$2; shift ;;
    --rate) rate=$2; shift ;;
    --seconds) seconds=$2; shift ;;
    --reported) reported=$2; shift ;;
    *) sed -n '2,9p' "$0" >&2; exit 64 ;;
  esac
  shift
done

. scripts/bench-common.sh
scripts/install-dependencies.sh
swift build -c release --product federation-node >&2
bin=$(swift build -c release --show-bin-path)
own_dir=no
[ -n "$dir" ] || { dir=$(mktemp -d); own_dir=yes; }
trap cleanup EXIT
make_federation "$dir/f" 370100
at() { local code=$1; shift; "$bin/federation-node" "$@" --config "$dir/f/$code/node.yaml"; }

say "1/4 $history tickets of the ten weeks before, at the province"
at 370000 generate --tickets "$history" --from "$(date -d '71 days ago' +%F)" --days 70 --requests-only >/dev/null 2>&1
for code in 370000 370100; do
  "$bin/federation-node" serve --config "$dir/f/$code/node.yaml" --set log-level=warning >"$dir/f/$code/serve.log" 2>&1 &
  pids+=("$!")
  [ "$code" != 370000 ] || province=$!
done
for code in 370000 370100; do listening "$dir/f" "$code"; done
db=$dir/f/370000/node.db
sql() { sqlite3 -readonly -cmd '.timeout 10000' "$db" "$1"; }
caught_up() {
  [ "$(sql "SELECT count(*) FROM node AS n WHERE n.name = 'seq' AND EXISTS (SELECT 1 FROM consumer WHERE name = 'detection'
    AND cursor >= n.value)")" = 1 ]
}
until caught_up; do sleep 0.5; done

say "2/4 $rate changes a second for $seconds s"
cpu() { awk '{ print ($14 + $15) / 100 }' "/proc/$province/stat"; }
head_before=$(sql "SELECT value FROM node WHERE name = 'seq'")
began=$(now) cpu_before=$(cpu)
at 370100 generate --live --rate "$(calc "$rate / 5")" --speed 100000 --for "$seconds" >/dev/null 2>&1
cpu_cores=$(calc "($(cpu) - $cpu_before) / ($(now) - $began)")
changes=$(calc "($(sql "SELECT value FROM node WHERE name = 'seq'") - $head_before) / ($(now) - $began)")

say "3/4 until all is judged"
until caught_up; do sleep 0.2; done
# From the moment at which the city wrote the ticket (its version) to that at which the province wrote the alert, of alerts that one
# ticket decides.
lags=$(sql "SELECT w.raised_at - (r.version >> 16) FROM raised_alert AS w
  JOIN alert AS a ON a.alert_id = w.alert AND a.origin = '370000' JOIN json_each(a.evidence, '$.tickets') AS t
  JOIN service_request AS r ON r.global_id = t.value AND r.origin = '370100'
  WHERE w.rule IN ('SENSITIVE', 'EMERGENCY') ORDER BY 1")
count=$(wc -w <<<"$lags")
[ "$count" -gt 0 ] || { echo "no alert was raised" >&2; exit 1; }
p95=$(awk -v n="$count" 'NR == int(n * 0.95 + 0.999) { print }' <<<"$lags")

stop_all
say "4/4 a month's report over $reported tickets"
make_federation "$dir/r"
one() { "$bin/federation-node" "$@" --config "$dir/r/370000/node.yaml"; }
one generate --tickets "$reported" >/dev/null 2>&1
# States are derived once, before anything is measured.
one query --deadline 600000 >/dev/null 2>&1 || true
report() {
  local began
  began=$(now)
  one report make --kind monthly --period "$1" --draft --deadline 600000 --json >/dev/null
  calc "$(now) - $began"
}
first=$(report 2025-08)
again=$(report 2025-08)
next=$(report 2025-09)
if [ "$json" = yes ]; then
  echo "{\"alert_lag_ms_p95\":$p95,\"alert_cpu_cores\":$cpu_cores,\"alerts\":$count,\"changes_per_second\":$changes,\"report_s\":$again,\"report_first_s\":$first,\"report_next_month_s\":$next}"
else
  echo "alerts $count, lag p95 $p95 ms, $changes changes/s, the province's whole service takes $cpu_cores cores"
  echo "a month's report: the first $first s, again $again s, the next month $next s"
fi
