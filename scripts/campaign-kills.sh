#!/usr/bin/env bash
# Kills the services of a federation of a province, three cities and two counties with SIGKILL, at random moments, while records are pushed
# and imported, tickets are transferred and an initial load is under way. Afterwards both ends of every link must be equal, and each record
# that was acknowledged to whoever pushed it must be there exactly once and in its last state.
# usage: scripts/campaign-kills.sh [--kills N] [--seed S]
#   --kills  how many (default 200)
#   --seed   of victims and moments (default: of the clock)
# NODE=FILE takes another binary than .build/release/federation-node. Prints one line; exit code 1 when anything differs. 10 minutes at most.
set -euo pipefail
cd "$(dirname "$0")/.."

kills=200 seed=$(date +%s)
while [ $# -gt 0 ]; do
  case $1 in
    --kills) kills=${2:?}; shift 2 ;;
    --seed) seed=${2:?}; shift 2 ;;
    *) sed -n '5,8s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
. scripts/campaign-common.sh
RANDOM=$seed
deadline=$((SECONDS + 400)) over_at=$((SECONDS + 480))

make_federation 370000 370100:370000 370200:370000 370300:370000 370102:370100 370202:370200
at 370100 generate --tickets 3000 --seed "$seed" >/dev/null 2>&1
at 370300 generate --tickets 2000 --seed "$seed" --out "$dir/tickets.csv" --requests-only >/dev/null 2>&1
for code in "${codes[@]}"; do start "$code"; done
listening "${codes[@]}"

# Tickets that 济南 hands over to 青岛.
transfers() {
  local id
  : >"$dir/transferred"
  while [ ! -e "$dir/quiet" ]; do
    id=$(at 370100 ticket add --channel 电话 --type 2 --title transfer --region 370202 --json | sed 's/.*"id":"\([^"]*\)".*/\1/')
    at 370100 transfer offer "$id" --to 370200 --reason campaign >/dev/null
    # It must come, whatever is killed meanwhile.
    until at 370200 transfer accept "$id" >/dev/null 2>&1; do
      [ $SECONDS -lt "$over_at" ] || { fail "the transfer of $id did not arrive"; return; }
      sleep 1
    done
    echo "$id" >>"$dir/transferred"
  done
}

# An import that is killed itself, and begun again.
imports() {
  local import
  echo 0 >"$dir/imports"
  for _ in 1 2 3 4; do
    at 370300 import --resource service_request --mapping mappings/generated-tickets.yaml "$dir/tickets.csv" >/dev/null 2>&1 &
    import=$!
    sleep "0.$((RANDOM % 9 + 1))"
    kill -9 $import 2>/dev/null || true
    wait $import 2>/dev/null || true
    echo $(($(cat "$dir/imports") + 1)) >"$dir/imports"
    sleep 3
  done
  at 370300 import --resource service_request --mapping mappings/generated-tickets.yaml "$dir/tickets.csv" >"$dir/imported" 2>&1
}

load "${!parent[@]}"
work transfers
work imports

say "seed $seed"
killed=0
while [ $killed -lt "$kills" ] && [ ! -e "$dir/failed" ]; do
  [ $SECONDS -lt $deadline ] || { fail "only $killed kills in time"; break; }
  sleep "$(calc "($RANDOM % 1000) / 1000")"
  victims=("${codes[RANDOM % ${#codes[@]}]}")
  # One in five times a neighbour too, within a moment.
  other=${codes[RANDOM % ${#codes[@]}]}
  [ $((RANDOM % 5)) -ne 0 ] || [ "$other" = "${victims[0]}" ] || victims+=("$other")
  for code in "${victims[@]}"; do
    end "$code" KILL
    killed=$((killed + 1))
  done
  # It may be killed again before it listens.
  for code in "${victims[@]}"; do start "$code"; done
  [ $((killed % 50)) -gt 1 ] || say "$killed kills, $(acked_rows) rows acknowledged, $(seconds) s"
done

listening "${codes[@]}" || true
quiet
level 90 "${codes[@]}" || true
verify
all_acked
nothing_aside
imported=$(db 370300 "SELECT count(*) FROM service_request WHERE \"key\" NOT LIKE '370300-p%'")
[ "$imported" = 2000 ] && [ "$(db 370000 "SELECT count(*) FROM service_request WHERE origin = '370300' AND \"key\" NOT LIKE '370300-p%'")" = 2000 ] ||
  fail "of 2000 imported tickets $imported are there"
while read -r id; do
  for code in 370000 370100 370200; do
    at "$code" ticket show "$id" --json >"$dir/ticket.json" && grep -q '"owner":"370200"' "$dir/ticket.json" &&
      grep -q '"conflicts":\[\]' "$dir/ticket.json" || fail "the transfer of $id has not come out at $code"
  done
done <"$dir/transferred"
verdict "$killed kills, $(acked_rows) pushed rows in $(pushes) pushes, $(wc -l <"$dir/transferred") transfers," \
  "$(cat "$dir/imports") imports killed"
