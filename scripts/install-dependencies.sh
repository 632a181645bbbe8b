#!/usr/bin/env bash
# Installs the Debian packages that building and testing need and that are missing. Does nothing when none is.
set -euo pipefail

packages=(
  libcurl4-openssl-dev libminizip-dev libsqlite3-dev libssl-dev libxlsxwriter-dev libxml2-dev libzstd-dev pkg-config
  zlib1g-dev
  sqlite3 openssl curl
)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
  command -v apt-get >/dev/null || { echo "this is not Debian; install what corresponds to: ${missing[*]}" >&2; exit 1; }
  as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || {
      echo "these packages are missing; as root: apt-get install ${missing[*]}" >&2
      exit 1
    }
    as_root=(sudo)
  fi
  echo "installing ${missing[*]}" >&2
  ${as_root[@]+"${as_root[@]}"} apt-get update -qq
  DEBIAN_FRONTEND=noninteractive ${as_root[@]+"${as_root[@]}"} apt-get install -y -qq "${missing[@]}" >/dev/null
fi
command -v swift >/dev/null || { echo "no Swift toolchain on the PATH: install Swift 6.1 or later from swift.org" >&2; exit 1; }
