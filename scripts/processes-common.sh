# What scripts with real processes share: text, numbers, ports, and the end of what they have started.

say() { echo "$*" >&2; }
now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"%.4f\", $1 }"; }

# Settings of this shell would override those of the nodes.
unset "${!FEDERATION_NODE_@}"

free_port() { # a port nobody listens on, from a range below the ephemeral ones
  local port
  while :; do
    port=$((20000 + RANDOM % 10000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}
