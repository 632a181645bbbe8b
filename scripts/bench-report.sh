#!/usr/bin/env bash
# Measures how long a month's report takes over many tickets, copied and of a node's own.
# usage: scripts/bench-report.sh [--tickets N] [--dir DIR] [--json]
#   report_first_s  the first report, when nothing is kept of its questions yet
#   report_s        a month's report when the days before are kept (汇总块), as each later one is
set -euo pipefail
cd "$(dirname "$0")/.."
tickets=1000000 dir="" json=no
while [ $# -gt 0 ]; do
  case "$1" in
    --tickets) tickets=$2; shift 2 ;;
    --dir) dir=$2; shift 2 ;;
    --json) json=yes; shift ;;
    -h | --help) sed -n '2,5s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "bench-report: unknown argument $1" >&2; exit 64 ;;
  esac
done
. scripts/bench-common.sh
prepare federation-node
trap cleanup EXIT

make_federation "$dir/one"
at() { "$bin/federation-node" "$@" --config "$dir/one/370000/node.yaml"; }
echo "generating $tickets tickets" >&2
at generate --tickets "$tickets" >/dev/null
# States are derived once, before anything is measured.
at query --deadline 600000 >/dev/null 2>&1 || true
seconds() {
  local began=$EPOCHREALTIME
  at report make --kind monthly --period "$1" --draft --deadline 600000 --json >"$dir/report.json" 2>"$dir/report.err"
  awk -v from="$began" -v to="$EPOCHREALTIME" 'BEGIN { printf "%.3f", to - from }'
}
first=$(seconds 2025-08)
again=$(seconds 2025-08)
next=$(seconds 2025-09)
if [ "$json" = yes ]; then
  echo "{\"tickets\":$tickets,\"report_first_s\":$first,\"report_s\":$again,\"report_next_month_s\":$next}"
else
  echo "$tickets tickets: first $first s, again $again s, the next month $next s"
fi
