#!/usr/bin/env bash
# Builds the node and shows the main job: a province, four cities and a county exchange hotline records over HTTPS, and the
# province answers one question over all of them.
# usage: scripts/quickstart.sh [--keep] [--dir DIR] [--data DIR]
#   --keep      leave the six nodes running; DIR/stop.sh stops them
#   --dir DIR   where their data directories go (default: quickstart-data beside README.md); replaced if quickstart made it
#   --data DIR  import real files from DIR (us311-boston, cn-appeals-tipdm) in place of invented tickets
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd -P)
# Settings of this shell would override those of all six nodes.
unset "${!FEDERATION_NODE_@}"

usage() { sed -n '2,7s/^# \{0,1\}//p' "$0"; }
fail() { echo "quickstart: $*" >&2; exit 1; }
bold=$'\033[1m' plain=$'\033[0m'
[ -t 1 ] || { bold="" plain=""; }
title() { printf '\n%s== %s%s\n' "$bold" "$*" "$plain"; }

keep=no dir=$root/quickstart-data data=""
while [ $# -gt 0 ]; do
  case "$1" in
    --keep) keep=yes; shift ;;
    --dir | --data)
      [ -n "${2:-}" ] || { echo "quickstart: $1 needs a directory" >&2; exit 64; }
      if [ "$1" = --dir ]; then dir=$2; else data=$2; fi
      shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) echo "quickstart: unknown argument $1" >&2; usage >&2; exit 64 ;;
  esac
done

# What can go wrong is found out before the long build.
if [ -n "$data" ]; then
  for file in "$data"/us311-boston/*.csv.gz "$data"/cn-appeals-tipdm/appeals_{replies,votes,unlabelled,labelled_train}.csv.gz; do
    [ -r "$file" ] || fail "$file is missing: --data wants the folders us311-boston and cn-appeals-tipdm"
  done
fi
mkdir -p -- "$dir" || fail "can't make $dir; choose another --dir"
dir=$(cd -- "$dir" && pwd -P)
[ -w "$dir" ] || fail "can't write to $dir; choose another --dir"
[ -f "$dir/.quickstart" ] || [ -z "$(ls -A "$dir")" ] ||
  fail "$dir is not empty and was not made by quickstart; choose another --dir"

# --- Build ------------------------------------------------------------------------------------------------------------
"$root/scripts/install-dependencies.sh"
cd "$root"
title "编译 build"
[ -x .build/release/federation-node ] || echo "首次编译需要 10 到 20 分钟 (the first time takes 10 to 20 minutes on 2 cores)"
build=(swift build -c release --product federation-node)
if [ -t 1 ]; then
  "${build[@]}" || fail "the build failed"
else
  log=$(mktemp)
  "${build[@]}" >"$log" 2>&1 || { grep 'error:' "$log" >&2 || tail -20 "$log" >&2; fail "the build failed, see $log"; }
  rm -f "$log"
fi
node=$(swift build -c release --show-bin-path)/federation-node
echo "$node"
began=$SECONDS

# --- Six data directories ---------------------------------------------------------------------------------------------
if [ -f "$dir/stop.sh" ]; then bash "$dir/stop.sh"; fi
find "$dir" -mindepth 1 -delete
touch "$dir/.quickstart"

codes=(370000 370100 370102 370200 370300 370900)

# The six ports of the example from 7370 up, and six from 7470 up for this machine; where one is taken, 200 further.
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
are_free() { local port; for port in "$@"; do is_free "$port" || return 1; done; }
base=7370
until are_free $(seq $base $((base + 5))) $(seq $((base + 100)) $((base + 105))); do
  base=$((base + 200))
  [ $base -lt 30000 ] || fail "no free ports on 127.0.0.1"
done
topology=$dir/topology.yaml
awk -v base=$base 'match($0, /127\.0\.0\.1:737[0-5]/) {
  $0 = substr($0, 1, RSTART + 9) (base + substr($0, RSTART + 13, 1)) substr($0, RSTART + RLENGTH) } 1' \
  topology/examples/qilu.yaml >"$topology"

cat >"$dir/stop.sh" <<'STOP'
#!/usr/bin/env bash
# Stops the nodes of this folder, by the process ids with which they were started. Does nothing when none runs.
cd "$(dirname "$0")" || exit 1
# Process ids are given out again: is it still this node?
runs() { tr '\0' ' ' <"/proc/$1/cmdline" | grep -qF " serve --config $(pwd -P)/$2/node.yaml"; } 2>/dev/null
signal() {
  local file
  for file in */serve.pid; do
    [ -f "$file" ] && runs "$(cat "$file")" "${file%/*}" && kill "-$1" "$(cat "$file")" 2>/dev/null && echo "${file%/*}"
  done
}
signal TERM >/dev/null
for _ in {1..150}; do
  [ -n "$(signal 0)" ] || break
  sleep 0.1
done
for code in $(signal KILL); do echo "$code did not stop in 15 s and was killed" >&2; done
rm -f ./*/serve.pid
STOP
chmod +x "$dir/stop.sh"
# A second Ctrl-C must not keep them from being stopped.
trap 'trap "" INT TERM HUP; "$dir/stop.sh"' EXIT
trap 'echo "停止 stopping" >&2; exit 130' INT
trap 'exit 143' TERM HUP

at() { local code=$1; shift; "$node" "$@" --config "$dir/$code/node.yaml"; }
show() { printf '$ federation-node %s --config %s/node.yaml\n' "${*:2}" "$1"; at "$@"; }

"$node" ca init --dir "$dir/ca" >/dev/null
for index in "${!codes[@]}"; do
  code=${codes[$index]}
  said=$("$node" init --node "$code" --topology "$topology" --dir "$dir/$code" \
    --local-listen "127.0.0.1:$((base + 100 + index))" 2>&1) || fail "$said"
  "$node" ca issue --ca "$dir/ca" --node "$code" --out "$dir/$code/credentials" >/dev/null
done

# --- Six processes ----------------------------------------------------------------------------------------------------
title "启动六个节点 six nodes, mutual TLS on loopback"
start() {
  local code
  for code in "$@"; do
    # In a session of its own: Ctrl-C and the end of the terminal are not for the node.
    setsid "$node" serve --config "$dir/$code/node.yaml" \
      </dev/null >"$dir/$code/serve.out" 2>"$dir/$code/serve.log" &
    echo $! >"$dir/$code/serve.pid"
  done
  for code in "$@"; do
    for _ in {1..300}; do
      grep -qs '^listening' "$dir/$code/serve.out" && continue 2
      kill -0 "$(cat "$dir/$code/serve.pid")" 2>/dev/null || break
      sleep 0.1
    done
    tail -3 "$dir/$code/serve.log" >&2
    fail "node $code did not start"
  done
}
start "${codes[@]}"
for code in "${codes[@]}"; do echo "$code $(cat "$dir/$code/serve.out")"; done

# --- Records ----------------------------------------------------------------------------------------------------------
if [ -n "$data" ]; then
  title "导入真实数据 real records"
  import() { echo "$1 $(basename "$3") $(at "$1" import --resource service_request --max-rejects 80 --mapping "mappings/$2.yaml" "$3")"; }
  # Boston's rows are dealt to four nodes; its fields hold no line breaks, so a line is a row.
  boston=(370100 370102 370200 370900)
  for i in "${!boston[@]}"; do
    zcat "$data"/us311-boston/*.csv.gz | awk -v i="$i" 'NR == 1 || NR % 4 == i' >"$dir/boston-$i.csv"
    import "${boston[$i]}" us311-boston "$dir/boston-$i.csv"
  done
  for file in "$data"/cn-appeals-tipdm/appeals_{replies,votes,unlabelled,labelled_train}.csv.gz; do
    import 370300 cn-appeals-tipdm "$file"
  done
  ticket=$(at 370102 ticket list --origin 370102 --status closed --limit 1 --json | sed 's/.*"id":"\([^"]*\)".*/\1/')
else
  title "生成诉求工单 invented tickets, the same on every run"
  generate() { echo "$1 $(at "$1" generate --seed "$1" --tickets "${@:2}")"; }
  generate 370100 1200 --calls
  generate 370200 800
  generate 370300 500
  generate 370900 300
  said=$(generate 370102 200 --showcase)
  echo "$said"
  ticket=${said##*showcase }
fi

# --- Level ------------------------------------------------------------------------------------------------------------
title "等待链路一致 until every link is level"
waiting=$SECONDS
is_level() { # every link of every node, and every copy that the province answers from
  local code status
  for code in "${codes[@]}"; do
    # What is said of certificates has a state of its own.
    status=$(at "$code" status --json | sed 's/"certificates":\[[^]]*\],//') || return 1
    [ "$(grep -o '"state":"[a-z]*"' <<<"$status" | sort -u)" = '"state":"level"' ] || return 1
    [ "$(grep -o '"lagRows":[0-9]*' <<<"$status" | sort -u)" = '"lagRows":0' ] || return 1
  done
  # The three parts into which 诉求量 divides what was made.
  at 370000 query --measure count --measure merged_count --measure not_accepted_count --json >"$dir/total.json"
}
until is_level; do
  [ $((SECONDS - waiting)) -lt 120 ] || { at 370000 status; fail "the links are not level after two minutes"; }
  sleep 0.2
done
echo "$((SECONDS - waiting)) s"
counted=$(sed -n 's/.*"rows":\[\[\([0-9]*\),\([0-9]*\),\([0-9]*\)\]\].*/\1 + \2 + \3/p' "$dir/total.json")
[ -n "$data" ] || [ $((counted)) -eq 3000 ] ||
  fail "3000 tickets were made, but the province counts otherwise: $(cat "$dir/total.json")"

# --- What the province sees -------------------------------------------------------------------------------------------
title "拓扑 topology"
show 370000 topology graph
title "链路状态 links of the province"
show 370000 status

title "全省诉求，按市按月 the merged view by city and month, with its coverage"
question=(query --by region:city --by month --measure count --measure closed --measure on_time_rate
  --measure satisfaction_rate)
if [ -n "$data" ]; then # its places are not in Shandong, and its months are of ten years
  question=(query --by origin --measure count --measure closed --measure on_time_rate)
  show 370000 query --by origin --by month --top 24 | sed '/^覆盖/,$d'
fi
show 370000 "${question[@]}"

title "一件区县工单的八个环节 a county's ticket, stage by stage, seen on the province"
show 370000 ticket show "$ticket"

title "停掉淄博，同一个问题 the same question with 淄博 stopped"
pid=$(cat "$dir/370300/serve.pid")
kill "$pid"
wait "$pid" || true
code=0
show 370000 "${question[@]}" || code=$?
[ "$code" -eq 3 ] || fail "exit code $code in place of 3"
echo "退出码 exit code 3: 答案不完整，缺谁点名，不给数 (answered, but not complete: the missing are named, no rows)"
echo
echo "有多少给多少 what there is, all the same:"
show 370000 query --by region:city --best-effort || [ $? -eq 3 ]

echo
echo "全程 $((SECONDS - began)) 秒，不含编译 (seconds, without the build)"
if [ "$keep" = yes ]; then
  start 370300
  trap - EXIT
  title "继续运行 still running"
  cat <<TEXT
alias federation-node='$node'
cd '$dir'
federation-node status --config 370000/node.yaml
federation-node query --by origin --by status --config 370000/node.yaml
federation-node ticket list --origin 历下 --config 370000/node.yaml
curl http://127.0.0.1:$((base + 100))/metrics
./stop.sh    # 停止 stops all six
TEXT
fi
