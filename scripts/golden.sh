#!/usr/bin/env bash
# Writes the golden files that are not there yet: the bytes of every message and of a change-set as this release writes them. Files that
# are there are never made anew; a release that writes something else gets new ones under its own name, beside the old ones.
#
#   scripts/golden.sh
set -euo pipefail
cd "$(dirname "$0")/.."
GOLDEN=write swift test -c release --filter 'GoldenMessageTests|GoldenChangeSetTests|as it is written'
git status --short -- 'Tests/*/Fixtures'
