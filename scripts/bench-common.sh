# What the scripts that measure share. They source it from the top of the repository; `json`, `dir` are theirs.

say() { echo "$*" >&2; }
now() { date +%s.%N; }
calc() { awk "BEGIN { printf \"%.4f\", $1 }"; }
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
