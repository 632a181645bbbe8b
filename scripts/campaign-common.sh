# What the campaigns with real processes share: a federation, its end, load whose acknowledgements are written down, and the proof that
# nothing was lost. They source it from the top of the repository, after their arguments are read.
# NODE names another binary than that of the release build.

. scripts/processes-common.sh

NODE=${NODE:-$PWD/.build/release/federation-node}
[ -x "$NODE" ] || { say "$NODE is missing: swift build -c release --product federation-node, or set NODE"; exit 64; }
ulimit -c 0
export SWIFT_BACKTRACE=enable=no
dir=$(mktemp -d)
began=$SECONDS
over_at=$((SECONDS + 600)) # whoever still waits then gives up

declare -A pid=()      # of each node's service
declare -A parent=()   # of each node but the province
declare -A address=()  # where a node listens, without its port; else 127.0.0.1
declare -A within=()   # the command that runs a node's programs, where they have a network or a file system of their own
codes=()
workers=()             # processes that make load

fail() { say "FAILED: $*"; touch "$dir/failed"; }
seconds() { echo $((SECONDS - began)); }

# --- The end ------------------------------------------------------------------------------------------------------------
# A campaign may set `tidy`, which is called when everything has stopped.

tidy() { :; }
finish() {
  trap '' INT TERM HUP
  exec 2>/dev/null # bash would name each process that is killed
  local process
  for process in ${workers[@]+"${workers[@]}"}; do kill -9 -- "-$process" 2>/dev/null || true; done
  for process in ${pid[@]+"${pid[@]}"}; do kill "$process" 2>/dev/null || true; done
  for process in ${pid[@]+"${pid[@]}"}; do
    for _ in {1..150}; do kill -0 "$process" 2>/dev/null || break; sleep 0.1; done
    kill -9 "$process" 2>/dev/null || true
  done
  for process in ${workers[@]+"${workers[@]}"} ${pid[@]+"${pid[@]}"}; do wait "$process" 2>/dev/null || true; done
  tidy
  rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# --- A federation -------------------------------------------------------------------------------------------------------

at() { local code=$1; shift; ${within[$code]:-} "$NODE" "$@" --config "$dir/$code/node.yaml"; }

# make_federation PROVINCE CHILD:PARENT...: data directories, certificates and the topology. Lines in `extra` go below a node's own.
declare -A extra=()
make_federation() {
  local node code port
  local -A ports=()
  codes=()
  for node in "$@"; do
    code=${node%%:*}
    codes+=("$code")
    [ "$node" = "$code" ] || parent[$code]=${node#*:}
    for _ in 1 2; do
      port=$(free_port)
      while [[ " ${ports[*]} " = *" $port "* ]]; do port=$(free_port); done
      ports[$code]+=" $port"
    done
  done
  {
    printf 'version: 1\nname: campaign\nnodes:\n'
    for code in "${codes[@]}"; do
      printf '  - code: "%s"\n    name: node %s\n    endpoint: https://%s:%s\n' "$code" "$code" \
        "${address[$code]:-127.0.0.1}" "${ports[$code]##* }"
      [ -z "${parent[$code]:-}" ] || printf '    parent: "%s"\n' "${parent[$code]}"
      printf '%s' "${extra[$code]:-}"
    done
  } >"$dir/topology.yaml"
  "$NODE" ca init --dir "$dir/ca" >/dev/null
  for code in "${codes[@]}"; do
    "$NODE" init --node "$code" --topology "$dir/topology.yaml" --dir "$dir/$code" \
      --local-listen "127.0.0.1:$(cut -d' ' -f2 <<<"${ports[$code]}")" >/dev/null 2>&1
    "$NODE" ca issue --ca "$dir/ca" --node "$code" --out "$dir/$code/credentials" >/dev/null
  done
}

# start CODE: does not wait until the node listens.
start() {
  : >"$dir/out.$1"
  ${within[$1]:-} "$NODE" serve --config "$dir/$1/node.yaml" </dev/null >"$dir/out.$1" 2>>"$dir/log.$1" &
  pid[$1]=$!
}

listening() { # CODE...
  local code
  for code in "$@"; do
    for _ in {1..600}; do
      grep -qs '^listening' "$dir/out.$code" && continue 2
      kill -0 "${pid[$code]}" 2>/dev/null || break
      sleep 0.1
    done
    fail "node $code does not listen: $(tail -2 "$dir/log.$code")"
    return 1
  done
}

# end CODE SIGNAL: ends a service that must run until then.
end() {
  local code=$1 status=0
  kill "-$2" "${pid[$code]}" 2>/dev/null || true
  wait "${pid[$code]}" 2>/dev/null || status=$?
  # 128 and the signal's number; a service that is asked to end does so with 0.
  case $2:$status in
    KILL:137 | TERM:0 | TERM:143) ;;
    *) fail "node $code had ended by itself ($status): $(tail -2 "$dir/log.$code")" ;;
  esac
}

# --- Load ---------------------------------------------------------------------------------------------------------------

# push_load CODE ROWS PAUSE: a local system that pushes batches of ROWS new tickets and three changed ones until `quiet` exists. A batch is
# repeated until it is acknowledged; then its keys and titles are added to `acked.CODE`, and `newest.CODE` has its last key and the time.
push_load() {
  local code=$1 rows=$2 pause=$3 token url batch=0 last=0 status
  token=$(at "$code" token create --name campaign 2>/dev/null)
  url=http://$(sed -n 's/^local-listen: *"\(.*\)"/\1/p' "$dir/$code/node.yaml")/v1/resources/service_request/records
  while [ ! -e "$dir/quiet" ]; do
    batch=$((batch + 1))
    awk -v code="$code" -v batch="$batch" -v last="$last" -v rows="$rows" 'BEGIN {
      for (n = last + 1; n <= last + rows; n++) print n
      if (last) for (n = 1; n <= 3; n++) print 1 + (batch * 7919 + n * 104729) % last
    }' | sort -n -u >"$dir/numbers.$code"
    awk -v code="$code" -v batch="$batch" '{
      printf "{\"key\":\"p%d\",\"service_request_id\":\"p%d\",\"requested_datetime\":\"2026-01-05T09:00:00+08:00\",\"channel\":\"01\",\"request_type\":\"2\"", $1, $1
      printf ",\"urgency\":\"normal\",\"acceptance\":\"accepted\",\"title\":\"state %d\"}\n", batch
    }' "$dir/numbers.$code" >"$dir/body.$code"
    while :; do
      [ $SECONDS -lt "$over_at" ] || { fail "a push to $code is not answered"; return; }
      status=$(${within[$code]:-} curl -s -m 20 -o "$dir/answer.$code" -w '%{http_code}' "$url" -H "Authorization: Bearer $token" \
        -H 'Content-Type: application/x-ndjson' --data-binary "@$dir/body.$code") || status=000
      case $status in
        200) break ;;
        000 | 429 | 503 | 507) sleep 0.2 ;;
        *) fail "node $code answers a push with $status: $(head -c 300 "$dir/answer.$code")"; return ;;
      esac
    done
    echo "$code-p$((last + rows)) $EPOCHREALTIME" >"$dir/newest.$code"
    grep -q '"rejected":0,' "$dir/answer.$code" || {
      fail "node $code refuses rows of a push: $(grep -o '"code":"[^}]*' "$dir/answer.$code" | head -1)"
      return
    }
    awk -v code="$code" -v batch="$batch" '{ printf "%s-p%d|state %d\n", code, $1, batch }' "$dir/numbers.$code" >>"$dir/acked.$code"
    echo "$batch" >"$dir/pushes.$code"
    last=$((last + rows))
    sleep "$pause"
  done
}

# load CODE...: pushes to each of these nodes. Returns when each has acknowledged something.
load() {
  local code
  for code in "$@"; do
    : >"$dir/acked.$code"
    echo 0 >"$dir/pushes.$code"
    work push_load "$code" 20 0.3
  done
  for code in "$@"; do until [ -s "$dir/newest.$code" ]; do sleep 0.1; done; done
}

# work COMMAND...: runs a function that makes load beside everything else.
work() {
  set -m # in a group of its own, which can be ended as one
  "$@" </dev/null &
  workers+=("$!")
  set +m
}

# Lets the load come to its end.
quiet() {
  local worker
  touch "$dir/quiet"
  for worker in ${workers[@]+"${workers[@]}"}; do wait "$worker" || fail "a worker ended with $?"; done
  workers=()
}

# --- The proof ----------------------------------------------------------------------------------------------------------

db() { sqlite3 -cmd '.timeout 20000' "$dir/$1/node.db" "$2"; }

is_level() { # CODE...: every link of these nodes
  local code status
  for code in "$@"; do
    # What is said of certificates has a state of its own.
    status=$(at "$code" status --json 2>/dev/null | sed 's/"certificates":\[[^]]*\],//') || return 1
    [ "$(grep -o '"state":"[a-z]*"' <<<"$status" | sort -u)" = '"state":"level"' ] || return 1
    [ "$(grep -o '"lagRows":[0-9]*' <<<"$status" | sort -u)" = '"lagRows":0' ] || return 1
  done
}

level() { # SECONDS CODE...
  local until=$((SECONDS + $1)); shift
  until is_level "$@"; do
    [ $SECONDS -lt $until ] || { fail "the links are not level"; at "${codes[0]}" status >&2 || true; return 1; }
    sleep 0.5
  done
}

# Both ends of every link hold the same rows.
verify() {
  local code status
  for code in "${codes[@]}"; do
    for _ in {1..20}; do
      status=0
      at "$code" sync verify --json >"$dir/verify.json" 2>"$dir/verify.err" || status=$?
      # 3: a link could not be compared, because it was busy.
      [ $status -eq 3 ] || break
      sleep 1
    done
    [ $status -eq 0 ] || fail "verify at $code ends with $status: $(head -c 500 "$dir/verify.json" "$dir/verify.err")"
  done
}

# all_acked: each acknowledged row is there exactly once and in its last state, at its origin and at every node above it.
all_acked() {
  local file origin holder
  for file in "$dir"/acked.*; do
    origin=${file##*.}
    awk -F'|' '{ state[$1] = $2 } END { for (key in state) print key "|" state[key] }' "$file" | sort >"$dir/expected"
    holder=$origin
    while :; do
      db "$holder" "SELECT \"key\", title FROM service_request WHERE origin = '$origin' AND \"key\" LIKE '$origin-p%' AND deleted = 0" |
        sort >"$dir/found"
      cmp -s "$dir/expected" "$dir/found" ||
        fail "rows of $origin at $holder are not those that were acknowledged: $(diff "$dir/expected" "$dir/found" | head -3)"
      [ -n "${parent[$holder]:-}" ] || break
      holder=${parent[$holder]}
    done
  done
}

# Nothing is put aside, nothing is lost, and no service has said what must not be said.
nothing_aside() {
  local code
  for code in "${codes[@]}"; do
    [ "$(db "$code" 'SELECT count(*) FROM quarantine')" = 0 ] || fail "rows are put aside at $code"
    ! at "$code" status --json | grep -oE '"lost":[1-9][0-9]*' || fail "rows are lost at $code"
    ! grep -nE 'Fatal error|Crash|Illegal instruction' "$dir/log.$code" || fail "node $code has crashed"
  done
}

acked_rows() { cat "$dir"/acked.* | cut -d'|' -f1 | sort -u | wc -l; }
pushes() { cat "$dir"/pushes.* | awk '{ n += $1 } END { print n + 0 }'; }

# verdict TEXT: the last line, and the exit code.
verdict() {
  if [ -e "$dir/failed" ]; then echo "FAILED: $*, $(seconds) s"; exit 1; fi
  echo "equal: $*, $(seconds) s"
}
