#!/usr/bin/env bash
# Installs what is missing, checks the format, builds everything in the one configuration, and runs all tests.
# usage: scripts/test.sh [arguments of `swift test`, for example --filter LocalStoreTests]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install-dependencies.sh
swift format lint --strict -r Sources Tests Benchmarks Package.swift ||
  { echo "scripts/format.sh repairs most of it" >&2; exit 1; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
echo "building everything; the first time takes 10 to 20 minutes on 2 cores"
if ! swift build -c release --build-tests >"$log" 2>&1; then
  grep -E 'error:' "$log" || tail -20 "$log"
  exit 1
fi
# Warnings of packages are theirs; ours are errors.
if grep -E "^$PWD/(Sources|Tests|Benchmarks)/.*: warning:" "$log"; then
  echo "the build has warnings" >&2
  exit 1
fi
swift test -c release --skip-build "$@"
