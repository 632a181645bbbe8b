#!/usr/bin/env bash
# Imports files of all forms under mappings, both taken apart and put together wrongly; CI runs a slice of it.
# usage: scripts/fuzz-intake.sh --minutes N [--first SEED]
# Exit code 1 on a crash, a hang, or a value in a message; the seeds are named: replay them with FUZZ_FIRST and FUZZ_SEEDS.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { echo "usage: scripts/fuzz-intake.sh --minutes N [--first SEED]" >&2; exit 64; }
minutes=
first=0
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=${2:-}; shift 2 ;;
    --first) first=${2:-}; shift 2 ;;
    *) usage ;;
  esac
done
[[ $minutes =~ ^[1-9][0-9]*$ && $first =~ ^[0-9]+$ ]] || usage

swift build -c release --build-tests
log=$(mktemp)
trap 'rm -f "$log"' EXIT
seed=$first round=100
while [ "$SECONDS" -lt $((minutes * 60)) ]; do
  FUZZ_FIRST=$seed FUZZ_SEEDS=$round timeout --signal=KILL 900 \
    swift test -c release --skip-build --filter 'Files of wrong structure' >"$log" 2>&1 || {
      tail -40 "$log"
      echo "failed within seeds $seed to $((seed + round - 1))" >&2
      exit 1
    }
  grep -q 'Files of wrong structure.* passed' "$log" || { tail -5 "$log"; echo "no test ran" >&2; exit 1; }
  seed=$((seed + round))
done
echo "$((seed - first)) seeds, from $first, 25 files each"
