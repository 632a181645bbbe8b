#!/usr/bin/env bash
# Builds the node and shows the main job: a province, three cities and more exchange hotline records over HTTPS and answer
# one question over all of them.
# usage: scripts/quickstart.sh [--keep] [--dir DIR] [--data DIR]
#   --keep      leave the six nodes running
#   --dir DIR   where their data directories go (default: ./quickstart-data)
#   --data DIR  import real files from DIR (us311-boston, cn-appeals-tipdm) in place of invented tickets
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

keep=no dir=$root/quickstart-data data=""
while [ $# -gt 0 ]; do
  case "$1" in
    --keep) keep=yes ;;
    --dir) dir=${2:?--dir needs a directory}; shift ;;
    --data) data=${2:?--data needs a directory}; shift ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
  shift
done

title() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
fail() { echo "quickstart: $*" >&2; exit 1; }

# --- Build ------------------------------------------------------------------------------------------------------------
"$root/scripts/install-dependencies.sh"
title "构建 build"
echo "the first time takes 10 to 20 minutes on 2 cores"
log=$(mktemp)
if ! (cd "$root" && swift build -c release --product federation-node) >"$log" 2>&1; then
  grep -E 'error:' "$log" >&2 || tail -20 "$log" >&2
  fail "the build failed; its output is in $log"
fi
rm -f "$log"
node=$(cd "$root" && swift build -c release --show-bin-path)/federation-node

# --- Six data directories -------------------------------------------------------------------------------------------
if [ -e "$dir" ] && [ -n "$(ls -A "$dir" 2>/dev/null)" ]; then
  [ -f "$dir/.quickstart" ] || fail "$dir is not empty and not made by quickstart; choose another --dir"
  "$dir/stop.sh" >/dev/null 2>&1 || true
  rm -rf "$dir"
fi
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
touch "$dir/.quickstart"

codes=(370000 370100 370102 370200 370300 370900)

# A base whose twelve ports nobody listens on: 7370 if it is free.
is_free() { ! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }
base=7370
while :; do
  taken=no
  for offset in 0 1 2 3 4 5 100 101 102 103 104 105; do is_free $((base + offset)) || taken=yes; done
  [ "$taken" = yes ] || break
  base=$((base + 200))
  [ "$base" -lt 30000 ] || fail "no free ports on 127.0.0.1"
done
topology=$dir/topology.yaml
sed "s/127\.0\.0\.1:737\([0-9]\)/127.0.0.1:BASE+\1/" "$root/topology/examples/qilu.yaml" >"$topology"
for digit in 0 1 2 3 4 5; do sed -i "s/BASE+$digit/$((base + digit))/" "$topology"; done

"$node" ca init --dir "$dir/ca" >/dev/null
index=0
for code in "${codes[@]}"; do
  "$node" init --node "$code" --topology "$topology" --dir "$dir/$code" \
    --local-listen "127.0.0.1:$((base + 100 + index))" >/dev/null 2>&1
  "$node" ca issue --ca "$dir/ca" --node "$code" --out "$dir/$code/credentials" >/dev/null
  index=$((index + 1))
done

cat >"$dir/stop.sh" <<'STOP'
#!/usr/bin/env bash
# Stops the nodes of this folder, by the process ids that they were started with.
cd "$(dirname "$0")" || exit 1
for file in */serve.pid; do
  [ -f "$file" ] || continue
  pid=$(cat "$file")
  # Only if it is still that node: process ids are given out again.
  if { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -q "federation-node serve"; then
    kill "$pid"
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  fi
  rm -f "$file"
done
STOP
chmod +x "$dir/stop.sh"
trap '"$dir/stop.sh"' EXIT

# --- Six processes ----------------------------------------------------------------------------------------------------
title "启动六个节点 six nodes, mutual TLS on loopback"
start() {
  "$node" serve --config "$dir/$1/node.yaml" >"$dir/$1/serve.out" 2>"$dir/$1/serve.log" &
  echo $! >"$dir/$1/serve.pid"
}
for code in "${codes[@]}"; do start "$code"; done
for code in "${codes[@]}"; do
  for _ in $(seq 200); do
    grep -q '^listening' "$dir/$code/serve.out" && break
    kill -0 "$(cat "$dir/$code/serve.pid")" 2>/dev/null || { tail -3 "$dir/$code/serve.log" >&2; fail "node $code did not start"; }
    sleep 0.1
  done
  echo "$code $(cat "$dir/$code/serve.out")"
done

# --- Records ----------------------------------------------------------------------------------------------------------
at() { local code=$1; shift; "$node" "$@" --config "$dir/$code/node.yaml"; }
import() { at "$1" import --resource service_request --mapping "$root/mappings/$2.yaml" "$3"; }
if [ -n "$data" ]; then
  title "导入真实数据 real records"
  [ -d "$data/us311-boston" ] && [ -d "$data/cn-appeals-tipdm" ] ||
    fail "$data has no us311-boston and cn-appeals-tipdm"
  # Boston's rows are dealt to four nodes; its fields hold no line breaks, so a line is a row.
  boston=(370100 370200 370900 370102)
  for i in 0 1 2 3; do
    zcat "$data"/us311-boston/*.csv.gz | awk -v i="$i" 'NR == 1 || NR % 4 == i' >"$dir/boston-$i.csv"
    echo "${boston[$i]} $(import "${boston[$i]}" us311-boston "$dir/boston-$i.csv")"
  done
  for file in "$data"/cn-appeals-tipdm/appeals_{replies,votes,unlabelled,labelled_train}.csv.gz; do
    echo "370300 $(basename "$file") $(import 370300 cn-appeals-tipdm "$file")"
  done
else
  title "生成诉求工单 invented tickets, the same on every run"
  generate() { echo "$1 $(at "$1" generate --tickets "$2" --seed "$1" "${@:3}" 2>/dev/null)"; }
  generate 370100 1200 --calls
  generate 370200 800
  generate 370300 500
  generate 370900 300
  generate 370102 200 --showcase
fi

# --- Level ------------------------------------------------------------------------------------------------------------
title "等待链路一致 until every link is level"
started=$(date +%s)
is_level() { # every link of every node, and every copy that the province answers from
  local code status
  for code in "${codes[@]}"; do
    status=$(at "$code" status --json) || return 1
    [ "$(grep -o '"state":"[a-z]*"' <<<"$status" | sort -u)" = '"state":"level"' ] || return 1
    [ "$(grep -o '"lagRows":[0-9]*' <<<"$status" | sort -u)" = '"lagRows":0' ] || return 1
  done
  at 370000 query --json >/dev/null
}
until is_level; do
  [ $(($(date +%s) - started)) -lt 120 ] || { at 370000 status; fail "the links are not level after two minutes"; }
  sleep 0.2
done
echo "$(($(date +%s) - started)) s"

# --- What the province sees ---------------------------------------------------------------------------------------------
title "拓扑 topology"
at 370000 topology graph
title "链路状态 links of the province"
at 370000 status --all
title "全省诉求，按市按月 the merged view by city and month"
question=(query --by region:city --by month --measure count --measure closed --measure on_time_rate --measure satisfaction_rate)
[ -z "$data" ] || question=(query --by origin --by month --measure count --measure closed --measure on_time_rate --top 24)
at 370000 "${question[@]}"

title "一件区县工单的八个环节 a county's ticket, stage by stage, on the province"
ticket=$(sqlite3 -readonly "$dir/370102/node.db" "SELECT global_id FROM service_request ORDER BY id LIMIT 1")
at 370000 ticket show "$ticket"

title "淄博停机后再问一次 the same question with 淄博 stopped"
pid=$(cat "$dir/370300/serve.pid")
kill "$pid"
while kill -0 "$pid" 2>/dev/null; do sleep 0.1; done
code=0
at 370000 "${question[@]}" || code=$?
echo "exit code $code (3: answered, but not complete)"
[ "$code" -eq 3 ] || fail "expected exit code 3"

if [ "$keep" = yes ]; then
  start 370300
  trap - EXIT
  title "继续运行 still running"
  cat <<TEXT
数据目录 $dir/{370000,370100,370102,370200,370300,370900}
  $node status --config $dir/370000/node.yaml
  $node query --by origin --by status --config $dir/370000/node.yaml
  curl http://127.0.0.1:$((base + 100))/metrics
停止 $dir/stop.sh
TEXT
else
  "$dir/stop.sh"
  trap - EXIT
fi
