#!/usr/bin/env bash
# Breaks one rule at a time, in a copy of the checkout, and shows that the simulation notices. Each file of scripts/mutants is
# one wrong change; it must fit the code, or this fails.
# usage: scripts/mutants.sh [--only NAME] [--seeds N]
# The copy stays in .build/mutants, so that only the first run builds everything.
set -euo pipefail
cd "$(dirname "$0")/.."

only=
seeds=300
while [ $# -gt 0 ]; do
  case $1 in
    --only) only=${2:-}; shift 2 ;;
    --seeds) seeds=${2:-}; shift 2 ;;
    *) echo "usage: scripts/mutants.sh [--only NAME] [--seeds N]" >&2; exit 64 ;;
  esac
done
mutants=("$PWD"/scripts/mutants/*.patch)
if [ -n "$only" ]; then mutants=("$PWD/scripts/mutants/$only.patch"); fi
for mutant in "${mutants[@]}"; do
  [ -f "$mutant" ] || { echo "there is no $mutant" >&2; exit 64; }
done

copy=.build/mutants
mkdir -p "$copy/.build"
git ls-files -z --cached --others --exclude-standard | tar --null --ignore-failed-read -T - -c | tar -x -C "$copy"
# What was fetched for this checkout is not fetched again.
for fetched in checkouts repositories artifacts workspace-state.json; do
  if [ -e ".build/$fetched" ] && [ ! -e "$copy/.build/$fetched" ]; then cp -a ".build/$fetched" "$copy/.build/"; fi
done
cd "$copy"
# A repository of its own, or `git apply` would look for the files in the one around it.
[ -d .git ] || git init -q
log=$(mktemp)
trap 'rm -f "$log"' EXIT

build() { swift build --product simulate >"$log" 2>&1; }
# The same as in scripts/simulate.sh, but for the configuration: this builds more often than it runs.
simulate() { SWIFT_DETERMINISTIC_HASHING=1 "$(swift build --show-bin-path)/simulate" --trace 0 --seeds "$1" >"$log" 2>&1; }

echo "building the simulation; the first time takes some minutes"
build || { grep -E 'error:' "$log" || tail -20 "$log"; exit 1; }
simulate 20 || { cat "$log"; echo "the simulation fails without any mutant" >&2; exit 1; }

caught=0
survivors=()
for mutant in "${mutants[@]}"; do
  name=$(basename "$mutant" .patch)
  git apply --check "$mutant" || { echo "$name does not fit the code any more" >&2; exit 1; }
  git apply "$mutant"
  build || { grep -E 'error:' "$log" || tail -20 "$log"; echo "$name does not build" >&2; git apply -R "$mutant"; exit 1; }
  if simulate "$seeds"; then
    survivors+=("$name")
    echo "$name: SURVIVES $seeds federations"
  else
    caught=$((caught + 1))
    echo "$name: caught. $(grep -m 1 -A 1 -E '^seed ' "$log" | tr '\n' ' ')"
  fi
  git apply -R "$mutant"
done
echo "$caught of ${#mutants[@]} mutants caught"
[ ${#survivors[@]} -eq 0 ]
