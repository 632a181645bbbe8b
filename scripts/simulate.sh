#!/usr/bin/env bash
# Campaigns of the simulation in which nodes go back to older databases; CI runs a slice of it.
# usage: scripts/simulate.sh --seeds N [--first S]
# A seed that fails is named; replay it with --seeds 1 --first SEED.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { echo "usage: scripts/simulate.sh --seeds N [--first S]" >&2; exit 64; }
seeds=
first=0
while [ $# -gt 0 ]; do
  case $1 in
    --seeds) seeds=${2:-}; shift 2 ;;
    --first) first=${2:-}; shift 2 ;;
    *) usage ;;
  esac
done
[[ $seeds =~ ^[0-9]+$ && $first =~ ^[0-9]+$ ]] || usage

swift build -c release --build-tests
SIMULATION_FIRST=$first SIMULATION_SEEDS=$seeds \
  swift test -c release --skip-build --filter 'RestoreSimulationTests|go back to older databases'
