#!/usr/bin/env bash
# Measures `topology plan` for a province of 16 cities and 136 counties in which one county moves, and two cities change.
# usage: scripts/bench-topology.sh [--json] [--dir DIR] [--rounds N]
#   --rounds  how often it is planned (default 9); the median counts
# What the keys of --json mean: docs/benchmarks.md.
set -euo pipefail
cd "$(dirname "$0")/.."

json=no dir="" rounds=9
while [ $# -gt 0 ]; do
  case "$1" in
    --json) json=yes ;;
    --dir) dir=$2; shift ;;
    --rounds) rounds=$2; shift ;;
    *) sed -n '2,5p' "$0" >&2; exit 64 ;;
  esac
  shift
done

. scripts/bench-common.sh
prepare federation-node
trap '[ "$own_dir" = no ] || rm -rf "$dir"' EXIT

# topology VERSION PARENT: 370000 above 370100 to 371600, each with 8 or 9 counties; county 370101 is below PARENT.
topology() {
  local city county counties parent
  echo "version: $1"; echo "name: benchmark"; echo "nodes:"
  echo "  - {code: \"370000\", name: 省, endpoint: \"https://127.0.0.1:20370\"}"
  for city in $(seq 3701 3716); do
    echo "  - {code: \"${city}00\", name: 市${city}, parent: \"370000\", region: \"370000\"}"
    counties=8
    [ "$city" -gt 3708 ] || counties=9
    for county in $(seq 1 $counties); do
      parent="${city}00"
      [ "$city$county" != 37011 ] || parent=$2
      echo "  - {code: \"${city}0$county\", name: 县${city}$county, parent: \"$parent\", region: \"${city}0$county\"}"
    done
  done
}
topology 1 370100 >"$dir/now.yaml"
topology 2 370200 >"$dir/new.yaml"
"$bin/federation-node" init --node 370000 --topology "$dir/now.yaml" --dir "$dir/370000" --local-listen 127.0.0.1:0 \
  >/dev/null 2>&1
times=() floors=()
for _ in $(seq 1 "$rounds"); do
  started=$(now)
  "$bin/federation-node" topology plan "$dir/new.yaml" --json --config "$dir/370000/node.yaml" >"$dir/plan.json"
  times+=("$(calc "($(now) - $started) * 1000")")
  # The floor: the process, its files and its database, without a plan.
  started=$(now)
  "$bin/federation-node" topology show --json --config "$dir/370000/node.yaml" >/dev/null
  floors+=("$(calc "($(now) - $started) * 1000")")
done
median() { printf '%s\n' "$@" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
nodes=$(grep -c 'code:' "$dir/new.yaml")
links=$(grep -o '"sender":"[0-9]*"' "$dir/plan.json" | sort -u | wc -l)
result="{\"nodes\":$nodes,\"senders_concerned\":$links,\"plan_ms\":$(median "${times[@]}"),\"show_ms\":$(median "${floors[@]}")}"
if [ "$json" = yes ]; then echo "$result"; else tr -d '{}"' <<<"$result" | tr ',' '\n'; fi
