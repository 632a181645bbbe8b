#!/usr/bin/env bash
# Runs a province and five cities in network namespaces of their own. One city has a line of 1 kB/s; of the four others one loses and
# delays packets for a while, one is cut off, and one has a line of 20 kB/s. The fast cities must be as near as without the slow one, the slow
# one must catch up at 1 kB/s, and afterwards both ends of every link must be equal, with each acknowledged record exactly once.
# usage: scripts/campaign-network.sh [--seconds N] [--seed S]
#   --seconds  of each of the three phases (default 45)
#   --seed     of the losses (default: of the clock)
# NODE=FILE takes another binary than .build/release/federation-node. Needs root, /dev/net/tun and python3. Prints two lines; exit code 1
# when anything differs, 77 where the machine allows no namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."

phase=45 seed=$(date +%s)
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) phase=${2:?}; shift 2 ;;
    --seed) seed=${2:?}; shift 2 ;;
    *) sed -n '5,9s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
# Mounts of namespaces stay in here, and go with this process.
if [ -z "${CAMPAIGN_UNSHARED:-}" ]; then
  unshare -m true 2>/dev/null && [ -c /dev/net/tun ] && command -v ip >/dev/null && command -v python3 >/dev/null ||
    { echo "no network namespaces here: root, /dev/net/tun, iproute2 and python3 are needed" >&2; exit 77; }
  CAMPAIGN_UNSHARED=yes exec unshare -m --propagation private "$0" --seconds "$phase" --seed "$seed"
fi
. scripts/campaign-common.sh
over_at=$((SECONDS + 3 * phase + 300))

fast=(370100 370200 370300 370400)
slow=370900
address[370000]=10.77.0.1
lines=()
tidy() {
  local code line
  for line in ${lines[@]+"${lines[@]}"}; do kill "$line" 2>/dev/null || true; wait "$line" 2>/dev/null || true; done
  for code in "${!within[@]}"; do ip netns del "campaign-$$-$code" || true; done
}
space() { # CODE: a namespace in which the node's programs run from now on
  ip netns add "campaign-$$-$1"
  ip -n "campaign-$$-$1" link set lo up
  within[$1]="ip netns exec campaign-$$-$1"
}
line() { # CODE SETTING...: how the line of a city is from now on
  local code=$1; shift
  echo "$*" >"$dir/line.$code.new"
  mv "$dir/line.$code.new" "$dir/line.$code"
}

mount -t tmpfs none /run/netns 2>/dev/null || { mkdir -p /run/netns && mount -t tmpfs none /run/netns; }
space 370000
number=1
for code in "${fast[@]}" $slow; do
  number=$((number + 1))
  address[$code]=10.77.0.$number
  space "$code"
  line "$code" up=1
  python3 scripts/campaign-line.py "$dir/line.$code" $((seed + number)) \
    "campaign-$$-370000/p$code" "campaign-$$-$code/c$code" >"$dir/out.line.$code" &
  lines+=($!)
  until grep -qs ready "$dir/out.line.$code"; do sleep 0.05; done
  ip -n "campaign-$$-370000" addr add 10.77.0.1 peer "10.77.0.$number" dev "p$code"
  ip -n "campaign-$$-$code" addr add "10.77.0.$number" peer 10.77.0.1 dev "c$code"
  ip -n "campaign-$$-370000" link set "p$code" up
  ip -n "campaign-$$-$code" link set "c$code" up
done
make_federation 370000 370100:370000 370200:370000 370300:370000 370400:370000 370900:370000
at $slow generate --tickets 300 --seed "$seed" --requests-only >/dev/null 2>&1

# How long after its acknowledgement the newest record of a fast city is at the province, again and again, in seconds.
lags() { # CODE FILE
  local code=$1 key known="" since
  while [ ! -e "$dir/lags.over" ]; do
    read -r key since <"$dir/newest.$code" || continue
    [ "$key" != "$known" ] || { sleep 0.02; continue; }
    known=$key
    until [ -n "$(db 370000 "SELECT 1 FROM service_request WHERE origin = '$code' AND \"key\" = '$key'")" ]; do sleep 0.01; done
    echo "$(calc "$EPOCHREALTIME - $since")" >>"$2"
  done
}
measured() { # FILE: how many, their median and the longest
  sort -n "$1" | awk '{ v[NR] = $1 } END { printf "%d %.2f %.2f", NR, v[int((NR + 1) / 2)], v[NR] }'
}
# measure FILE: the lags of the fast cities during one phase.
measure() {
  local code watchers=() watcher
  : >"$1"
  rm -f "$dir/lags.over"
  for code in "${fast[@]}"; do lags "$code" "$1" & watchers+=($!); done
  sleep "$phase"
  touch "$dir/lags.over"
  for watcher in "${watchers[@]}"; do wait "$watcher"; done
}

say "seed $seed; the fast cities alone"
for code in 370000 "${fast[@]}"; do start "$code"; done
listening 370000 "${fast[@]}"
level 60 "${fast[@]}"
load "${fast[@]}"
measure "$dir/alone"

say "with a city at 1 kB/s"
line $slow rate=1000
start $slow
listening $slow
load_slowly() { push_load $slow 2 2; }
: >"$dir/acked.$slow"
echo 0 >"$dir/pushes.$slow"
work load_slowly
measure "$dir/beside"

say "and one that loses packets, one that is cut off, one at 20 kB/s"
line 370200 loss=0.05 delay=0.1 jitter=0.05
line 370300 up=0
line 370400 rate=20000
sleep $((phase * 2 / 3))
is_level 370300 && fail "a city that is cut off is level"
line 370300 up=1
sleep $((phase / 3))
line 370200 up=1
line 370400 up=1

quiet
level 60 "${fast[@]}" || true
waited=$SECONDS
level 240 $slow 370000 || true
say "the slow city has caught up after $((SECONDS - waited)) s"
line $slow up=1
verify
all_acked
nothing_aside
read -r samples alone alone_max <<<"$(measured "$dir/alone")"
read -r _ beside beside_max <<<"$(measured "$dir/beside")"
echo "a record of a fast city is at the province $alone s after it was acknowledged (longest $alone_max, $samples records)," \
  "beside a city at 1 kB/s $beside s (longest $beside_max)"
awk "BEGIN { exit !($beside <= 2 * $alone + 0.2) }" || fail "the slow city slows the others"
verdict "$(acked_rows) pushed rows in $(pushes) pushes over six lines, of which one of 1 kB/s"
