#!/usr/bin/env bash
# Fuzzes what reads bytes from outside, with libFuzzer and the address sanitizer. It begins with the corpus in Tests/FuzzCorpus; what it
# finds beyond that is kept in the scratch path, so that the next run goes on there.
# usage: scripts/fuzz.sh [--target NAME] [--minutes N] [--scratch-path DIR]
#   --target        one of the folders of Tests/FuzzCorpus (default: each of them, one after the other)
#   --minutes       for each target (default 10)
#   --scratch-path  of the build and what was found (default .build/fuzz)
# Prints a line a target, and names the input of a finding, which belongs into the folder of its target: a test runs it from then on.
# Exit code 1 when there is a finding, or when the fuzzer was blind. The first build takes 15 minutes on 2 cores.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '4,8s/^# \{0,1\}//p' "$0" >&2; exit 64; }
targets=() minutes=10 scratch=.build/fuzz
while [ $# -gt 0 ]; do
  case $1 in
    --target) targets+=("${2:?}"); shift 2 ;;
    --minutes) minutes=${2:?}; shift 2 ;;
    --scratch-path) scratch=${2:?}; shift 2 ;;
    *) usage ;;
  esac
done
corpus=Tests/FuzzCorpus
[ ${#targets[@]} -gt 0 ] || for folder in "$corpus"/*/; do targets+=("$(basename "$folder")"); done
for target in "${targets[@]}"; do [ -d "$corpus/$target" ] || { echo "there is no target $target" >&2; usage; }; done

scripts/install-dependencies.sh
# gold can't link the address sanitizer, and lld drops the counters of the coverage as dead. Of several -sanitize the Swift compiler takes the
# last, so that one names both: else nothing of ours would be counted, and the fuzzer would be blind.
FUZZER=1 swift build -c release --product fuzzer --scratch-path "$scratch" --sanitize fuzzer --sanitize address \
  -Xswiftc -sanitize=fuzzer,address -Xswiftc -use-ld=lld --disable-dead-strip >&2

failed=no
for target in "${targets[@]}"; do
  mkdir -p "$scratch/corpus/$target" "$scratch/found/$target"
  log=$scratch/$target.log
  # A second for an input and 1 GB are far beyond what any needs.
  if FUZZ_TARGET=$target SWIFT_BACKTRACE=enable=no ASAN_OPTIONS=detect_leaks=0 "$scratch/release/fuzzer" \
    "$scratch/corpus/$target" "$corpus/$target" -dict="$corpus/words.dict" -max_total_time=$((minutes * 60)) \
    -max_len=16384 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
    -artifact_prefix="$scratch/found/$target/" >"$log" 2>&1; then
    result="no finding"
    # A fuzzer that does not see what its inputs reach finds nothing, and says only this of it.
    if grep -q 'no interesting inputs were found' "$log"; then
      failed=yes
      result="BLIND: nothing that was reached was counted, see $log"
    fi
  else
    failed=yes
    result="FINDING in $scratch/found/$target, see $log"
  fi
  echo "$target: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1) inputs in $minutes min," \
    "$(grep -o 'cov: [0-9]*' "$log" | tail -1 | cut -d' ' -f2) edges: $result"
done
[ "$failed" = no ]
