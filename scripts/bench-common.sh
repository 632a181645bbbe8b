# What the scripts that measure share. They source it from the top of the repository; `json`, `dir` are theirs.

. scripts/processes-common.sh

number() { sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p" <<<"$1"; }

# prepare PRODUCT: installs what is missing and builds the node and PRODUCT. Sets bin, dir, and own_dir to yes when the
# folder is to go at the end.
prepare() {
  scripts/install-dependencies.sh
  swift build -c release --product federation-node >&2
  swift build -c release --product "$1" >&2
  bin=$(swift build -c release --show-bin-path)
  own_dir=no
  [ -n "$dir" ] || { dir=$(mktemp -d); own_dir=yes; }
  mkdir -p "$dir"
}

# --- Federations of real processes ---

pids=()
stop_all() {
  local pid
  for pid in ${pids[@]+"${pids[@]}"}; do kill "$pid" 2>/dev/null || true; done
  for pid in ${pids[@]+"${pids[@]}"}; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
cleanup() { stop_all; [ "$own_dir" = no ] || rm -rf "$dir"; }

# make_federation DIR CODE...: data directories, certificates and a topology with a province and cities; with `mode` set, cities of that
# mode.
make_federation() {
  local home=$1; shift
  mkdir -p "$home"
  { echo "version: 1"; echo "name: benchmark"; echo "nodes:"
    for code in 370000 "$@"; do
      echo "  - code: \"$code\""; echo "    name: node $code"; echo "    endpoint: https://127.0.0.1:$(free_port)"
      [ "$code" = 370000 ] || echo "    parent: \"370000\""
      [ "$code" = 370000 ] || [ -z "${mode:-}" ] || echo "    mode: $mode"
    done; } >"$home/topology.yaml"
  "$bin/federation-node" ca init --dir "$home/ca" >/dev/null
  for code in 370000 "$@"; do
    "$bin/federation-node" init --node "$code" --topology "$home/topology.yaml" --dir "$home/$code" \
      --local-listen 127.0.0.1:0 >/dev/null 2>&1
    "$bin/federation-node" ca issue --ca "$home/ca" --node "$code" --out "$home/$code/credentials" >/dev/null
  done
}

# serve DIR CODE [OPTION...]: starts a node, without consumers unless an option says otherwise; its pid is $!.
serve() {
  "$bin/federation-node" serve --config "$1/$2/node.yaml" --set consumers=off --set log-level=warning "${@:3}" \
    >"$1/$2/serve.log" 2>&1 &
  pids+=("$!")
}
listening() { until grep -q '^listening' "$1/$2/serve.log" 2>/dev/null; do sleep 0.02; done; }
