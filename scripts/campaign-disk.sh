#!/usr/bin/env bash
# Fills the disk of a city to its floor, then those of the city and of the province to the end while records are pushed and exchanged, kills
# both services there, makes the disks read-only, and lets the certificate of another city expire in the middle. Who is in trouble must say
# so and keep nobody else from going on; afterwards both ends of every link must be equal, and each acknowledged record must be there once.
# usage: scripts/campaign-disk.sh [--seconds N]
#   --seconds  that each trouble lasts (default 15)
# NODE=FILE takes another binary than .build/release/federation-node. Needs root. Prints one line; exit code 1 when anything differs, 77
# where nothing can be mounted.
set -euo pipefail
cd "$(dirname "$0")/.."

trouble=15
while [ $# -gt 0 ]; do
  case $1 in
    --seconds) trouble=${2:?}; shift 2 ;;
    *) sed -n '5,8s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
  esac
done
# Mounts stay in here, and go with this process.
if [ -z "${CAMPAIGN_UNSHARED:-}" ]; then
  unshare -m true 2>/dev/null || { echo "nothing can be mounted here: root is needed" >&2; exit 77; }
  CAMPAIGN_UNSHARED=yes exec unshare -m --propagation private "$0" --seconds "$trouble"
fi
. scripts/campaign-common.sh

city=370100 province=370000
tidy() { umount "$dir/$city" "$dir/$province" || true; }
for code in $city $province; do
  mkdir "$dir/$code"
  mount -t tmpfs -o size=160m none "$dir/$code"
done
make_federation 370000 370100:370000 370200:370000 370102:370100
for code in $city $province; do echo 'disk-floor: 16' >>"$dir/$code/node.yaml"; done
for code in "${codes[@]}"; do start "$code"; done
listening "${codes[@]}"
level 60 "${codes[@]}"
load "${!parent[@]}"

fill() { for code in "$@"; do dd if=/dev/zero of="$dir/$code/fill" bs=4k 2>/dev/null || true; done; }
free() { for code in "$@"; do rm -f "$dir/$code/fill"; done; }
count() { wc -l <"$dir/acked.$1"; }
runs() { kill -0 "${pid[$1]}" 2>/dev/null || fail "the service of $1 has ended: $(tail -2 "$dir/log.$1")"; }
says() { # CODE WORD: what is wrong is in its status
  at "$1" status --json 2>&1 | grep -q "$2" || fail "the status of $1 does not say $2"
}
goes_on() { # CODE: acknowledges again
  local before until=$((SECONDS + 60))
  before=$(count "$1")
  until [ "$(count "$1")" -gt "$before" ]; do
    [ $SECONDS -lt $until ] || { fail "$1 acknowledges nothing any more"; return; }
    sleep 0.2
  done
}

say "the disk of the city has 8 MiB left: rows of others wait, its own go on"
dd if=/dev/zero of="$dir/$city/fill" bs=1M count=$(($(df --output=avail -k "$dir/$city" | tail -1) / 1024 - 8)) 2>/dev/null
sleep "$trouble"
says $city E_DISK_FLOOR
goes_on $city
free $city

say "the disk of the city is full"
fill $city
sleep "$trouble"
says $city E_STORE_FULL
runs $city
at $city query --json >/dev/null || fail "a full disk is not read"
goes_on 370200
free $city
goes_on $city

say "the disk of the province is full"
fill $province
sleep "$trouble"
says $province E_STORE_FULL
runs $province
for code in $city 370200; do goes_on $code; done
free $province
level 120 $province || true

say "both, and both are killed"
fill $city $province
for code in $city $province; do end $code KILL; start $code; done
sleep "$trouble"
free $city $province
for code in $city $province; do kill -0 "${pid[$code]}" 2>/dev/null || { wait "${pid[$code]}" || true; start $code; }; done
listening $city $province
goes_on $city

say "both are read-only"
for code in $city $province; do
  end $code KILL
  mount -o remount,ro "$dir/$code"
  at $code query --json >/dev/null || fail "a read-only disk is not read"
  ! at $code generate --tickets 1 >/dev/null 2>"$dir/readonly" || fail "something is written to a read-only disk"
  grep -q E_STORE_READONLY "$dir/readonly" || fail "E_STORE_READONLY is not said: $(cat "$dir/readonly")"
  mount -o remount,rw "$dir/$code"
  start $code
done
listening $city $province
goes_on $city

say "the certificate of another city expires"
credentials=$dir/370200/credentials
good=$(openssl x509 -in "$credentials/node.pem" -noout -serial)
# The same names and key, and half a minute to live.
printf '[ca]\ndefault_ca=c\n[c]\ndatabase=%s\nserial=%s\nnew_certs_dir=%s\ndefault_md=sha256\npolicy=p\ncopy_extensions=copyall\n' \
  "$dir/index" "$dir/serial" "$dir" >"$dir/ca.cnf"
printf 'unique_subject=no\nrand_serial=yes\n[p]\ncommonName=optional\norganizationName=optional\n' >>"$dir/ca.cnf"
: >"$dir/index"
openssl x509 -x509toreq -copy_extensions copyall -in "$credentials/node.pem" -signkey "$credentials/node-key.pem" \
  -out "$dir/short.csr" 2>/dev/null
openssl ca -batch -config "$dir/ca.cnf" -cert "$dir/ca/ca.pem" -keyfile "$dir/ca/ca-key.pem" -in "$dir/short.csr" -notext \
  -startdate "$(date -u -d '-5 minutes' +%Y%m%d%H%M%SZ)" -enddate "$(date -u -d '+30 seconds' +%Y%m%d%H%M%SZ)" \
  -out "$dir/short.pem" 2>"$dir/openssl" || fail "no short-lived certificate: $(cat "$dir/openssl")"
cp "$dir/short.pem" "$credentials/node.pem"
kill -HUP "${pid[370200]}"
until at 370200 status --json | grep -q '"served"\|"certificates"' && [ $SECONDS -gt 0 ]; do sleep 0.2; done
sleep 32
# A session that stands may go on; a new one is refused, on both sides with the reason.
end $province TERM
start $province
listening $province
sleep "$trouble"
is_level 370200 && fail "a node with an expired certificate is let in"
at 370200 status --json | grep -oi '"[^"]*expired[^"]*"' | head -2 >&2 || fail "the status of 370200 does not say that its certificate has expired"
goes_on 370200
"$NODE" ca issue --ca "$dir/ca" --node 370200 --out "$credentials" >/dev/null
[ "$(openssl x509 -in "$credentials/node.pem" -noout -serial)" != "$good" ] || fail "the certificate was not renewed"
level 60 370200 || true

quiet
level 90 "${codes[@]}" || true
verify
all_acked
nothing_aside
verdict "$(acked_rows) pushed rows in $(pushes) pushes, over full and read-only disks and an expired certificate"
