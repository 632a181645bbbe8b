#!/usr/bin/env bash
# Measures how one changed row is found among many, by `sync verify` over real TLS, against counting the same rows.
# usage: scripts/bench-verify.sh [--json] [--dir DIR] [--tickets N] [--rounds N]
#   --tickets  rows of the one resource (default 1000000)
# What the keys of --json mean: docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."

json=no tickets=1000000 rounds=3 dir=""
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=yes ;;
    --dir) dir=$2; shift ;;
    --tickets) tickets=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    *) sed -n '2,5p' "$0" >&2; exit 64 ;;
  esac
  shift
done

. scripts/bench-common.sh
prepare federation-node
trap cleanup EXIT

make_federation "$dir" 370100
"$bin/federation-node" generate --requests-only --tickets "$tickets" --config "$dir/370100/node.yaml" >/dev/null 2>&1
for node in 370000 370100; do serve "$dir" "$node"; listening "$dir" "$node"; done
until [ "$(sqlite3 -cmd '.timeout 10000' "$dir/370000/node.db" 'SELECT count(*) FROM service_request')" = "$tickets" ]; do
  sleep 0.2
done
config=(--config "$dir/370000/node.yaml")
until "$bin/federation-node" sync verify --json "${config[@]}" >/dev/null 2>&1; do sleep 0.5; done

# The floor: SQLite reads every field of the same rows, at both ends.
columns=$(sqlite3 "$dir/370000/node.db" \
  "SELECT group_concat('ifnull(length(\"' || name || '\"), 0)', ' + ') FROM pragma_table_info('service_request')")
read_seconds() {
  local started
  started=$(now)
  for node in 370000 370100; do
    sqlite3 "$dir/$node/node.db" "SELECT sum($columns) FROM service_request" >/dev/null
  done
  calc "$(now) - $started"
}
verify_seconds() { # EXIT: what it must end with
  local started code=0
  started=$(now)
  "$bin/federation-node" sync verify --json "${config[@]}" >"$dir/verify.json" || code=$?
  calc "$(now) - $started"
  [ "$code" = "$1" ] || { cat "$dir/verify.json" >&2; exit 1; }
}
reads=() equals=() founds=()
for _ in $(seq 1 "$rounds"); do
  reads+=("$(read_seconds)")
  equals+=("$(verify_seconds 0)")
  equal_bytes=$(number "$(cat "$dir/verify.json")" bytesExchanged)
  sqlite3 -cmd '.timeout 10000' "$dir/370000/node.db" \
    "UPDATE service_request SET title = title || 'x' WHERE id = (SELECT max(id) / 3 FROM service_request)"
  founds+=("$(verify_seconds 4)")
  found_bytes=$(number "$(cat "$dir/verify.json")" bytesExchanged)
  "$bin/federation-node" sync verify --repair --json "${config[@]}" >/dev/null || true
  say "  read ${reads[-1]} s, equal ${equals[-1]} s, found ${founds[-1]} s"
done
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
read=$(median "${reads[@]}") equal=$(median "${equals[@]}") found=$(median "${founds[@]}")
result="{\"rows\":$tickets,\"equal_s\":$equal,\"equal_bytes\":$equal_bytes,\"found_s\":$found,\"found_bytes\":$found_bytes,\
\"equal_vs_read\":$(calc "$equal / $read")}"
if [ "$json" = yes ]; then echo "$result"; else tr -d '{}"' <<<"$result" | tr ',' '\n'; fi
