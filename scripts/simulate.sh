#!/usr/bin/env bash
# Campaigns of the simulation of whole federations (docs/reliability.md); CI runs a slice of it.
# usage: scripts/simulate.sh --seeds N [--first S] [--trace LINES] [--keep-going]
# A seed that fails is named, with the last of what happened; replay it with --seeds 1 --first SEED.
set -euo pipefail
cd "$(dirname "$0")/.."

swift build -c release --product simulate
# Swift's own hashing is random: with it, a seed would not tell one history.
SWIFT_DETERMINISTIC_HASHING=1 exec "$(swift build -c release --show-bin-path)/simulate" "$@"
