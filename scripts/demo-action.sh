#!/usr/bin/env bash
# One story from number to action on the quickstart federation: a water outage in two cities, from the first call to the day when
# everybody was told.
# usage: scripts/demo-action.sh [--dir DIR] [--keep]
#   --dir DIR   the federation of `scripts/quickstart.sh --keep --dir DIR` (default: quickstart-data beside README.md); it is made when
#               it is not there, and started when it stands still
#   --keep      leave the nodes running
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd -P)
unset "${!FEDERATION_NODE_@}"
fail() { echo "demo-action: $*" >&2; exit 1; }
title() { printf '\n== %s\n' "$*"; }

dir=$root/quickstart-data keep=no
while [ $# -gt 0 ]; do
  case "$1" in
    --dir) [ -n "${2:-}" ] || { echo "demo-action: --dir needs a directory" >&2; exit 64; }; dir=$2; shift 2 ;;
    --keep) keep=yes; shift ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "demo-action: unknown argument $1" >&2; exit 64 ;;
  esac
done
cd "$root"
[ -f "$dir/370000/serve.pid" ] && kill -0 "$(cat "$dir/370000/serve.pid")" 2>/dev/null ||
  scripts/quickstart.sh --keep --dir "$dir" >"${TMPDIR:-/tmp}/demo-action-$$.log" 2>&1 ||
  { tail -20 "${TMPDIR:-/tmp}/demo-action-$$.log" >&2; fail "the quickstart federation does not start"; }
rm -f "${TMPDIR:-/tmp}/demo-action-$$.log"
dir=$(cd "$dir" && pwd -P)
[ "$keep" = yes ] || trap '"$dir/stop.sh"' EXIT

node=$(swift build -c release --show-bin-path)/federation-node
at() { local code=$1; shift; "$node" "$@" --config "$dir/$code/node.yaml"; }
show() { printf '$ federation-node %s --config %s/node.yaml\n' "${*:2}" "$1"; at "$@"; }
# value NAME: the first value of that name in the JSON on stdin.
value() { sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p" | head -1; }
milliseconds() { echo $(($(date +%s%N) / 1000000)); }
# until_true WHAT SECONDS COMMAND...: asks again until it holds.
until_true() {
  local what=$1 end=$((SECONDS + $2)); shift 2
  until "$@"; do [ $SECONDS -lt $end ] || fail "not in time: $what"; sleep 0.1; done
}

# The place is new on each run, so that each run raises an alert of its own.
street="停水演示路$(date +%s)号"
# call CODE REGION PERSON TEXT
call() {
  at "$1" ticket add --channel 电话 --type 投诉 --title "$4" --address "$street" --region "$2" --phone "1390000$((1000 + $3))" \
    --field service_code=03.03.01 --json
}

title "两市来电 calls about one water outage, in 济南 and in 青岛"
tickets=()
for person in 1 2 3 4; do tickets+=("$(call 370100 370102 "$person" "小区停水" | value id)"); done
call 370200 370102 5 "父母家停水,我在青岛代为反映" >/dev/null
echo "5 persons, one place: ${tickets[*]}"

title "预警 the alert at the province"
began=$(milliseconds)
found() { at 370000 alert list --rule GROUP --json | grep -o '{[^}]*}' | grep -q '"tickets":5'; }
until_true "the alert at the province" 5 found
echo "$(($(milliseconds) - began)) ms after the deciding ticket was taken in"
alert=$(at 370000 alert list --rule GROUP --json | grep -o '{[^}]*}' | grep '"tickets":5' | head -1 | value id)
show 370000 alert show "$alert" | head -24
reached() { at 370100 alert list --json | grep -q "$alert"; }
until_true "the alert at the city" 10 reached
echo "济南市 has it too: $(at 370100 alert list --json | grep -o '{[^}]*}' | grep "$alert" | value state)"
show 370100 alert acknowledge "$alert" --by 值班长

title "情形 it becomes a situation, and the unit is told"
situation=$(at 370100 situation open --from-alert "$alert" --title 停水演示 --json | value id)
show 370100 situation notify "$situation" --form 一键转接 --to 供水集团 --at 370102 --note 请立即核查 >/dev/null
known() { at 370102 situation list --json | grep -q "$situation"; }
until_true "the situation at the county" 10 known
show 370102 situation acknowledge "$situation" --by 供水集团调度
answered() { at 370100 situation show "$situation" --json | grep -q acknowledgedAt; }
until_true "the city hears of it" 10 answered

title "办理 the tickets are dispatched, answered, closed and called back"
for ticket in "${tickets[@]:0:3}"; do
  event() { at 370100 ticket event "$ticket" "$@" >/dev/null; }
  event dispatch --unit 供水集团
  event acknowledge --unit 供水集团
  event handle --unit 供水集团 --field contacted=true --field measures=主管爆裂,已抢修
  event reply --field content_public=供水已恢复
  event close
  event enter-callback
  event call-back --field reached=接通 --field resolved=已解决
done
show 370100 situation follow-up "$situation"

title "公告 an announcement, and the end"
notice=$(at 370100 announcement publish --title 停水通告 --content "$street 供水已恢复" --region 370102 --json | value key)
show 370100 situation answer "$situation" "$notice" --note 停水原因和恢复时间已公告
show 370100 situation close "$situation" --note 爆管抢修完毕
seen() { at 370000 situation show "$situation" --json | grep -q '"state":"closed"'; }
until_true "the province sees that it is closed" 10 seen
show 370000 situation show "$situation"

title "周报 the week's report tells it"
week=$(TZ=Asia/Shanghai date +%G-W%V)
show 370000 report make --kind weekly --period "$week" --draft --format md \
  | sed -n '/预警与应急情形/,/^## /p' | sed '$d'

title "评价 the unit's evaluation counts it"
cat >"$dir/units.yaml" <<YAML
scheme: units
version: $(($(date +%s) / 60 % 1000000 + 1))
title: 承办单位评价
evaluated: unit
criteria:
  - {id: resolution_rate, weight: 0.6, sample_min: 1}
  - {id: closed_rate, weight: 0.4, sample_min: 1}
YAML
at 370000 evaluation publish "$dir/units.yaml" >/dev/null
# A draft: of this week nobody can be judged before it is over.
show 370000 evaluation run --scheme units --period "$week" --draft
counted() { at 370000 evaluation run --scheme units --period "$week" --draft --json | grep -q '"evaluatee":"供水集团"'; }
counted || fail "the evaluation does not count 供水集团"
