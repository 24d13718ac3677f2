#!/bin/sh
# Installs what Kernelmill needs from Debian's packages and says how long it took.
#   scripts/setup.sh          for `make` and `make corpus`
#   scripts/setup.sh check    for `make check` too (PyTorch, h5py, test tools)
# As root it installs; otherwise it prints the one command that does, exit 78.
# It does nothing, silently, where all is there.
set -u
what=${1:-corpus}

# package  a command, a file (absolute) or a pkg-config name (pc:NAME) that shows it is there
needed='
gcc                      gcc
make                     make
pkg-config               pkg-config
clang-22                 clang-22
lld-22                   ld.lld-22
llvm-22                  llvm-readelf-22
libhdf5-dev              pc:hdf5-serial
libcjson-dev             pc:libcjson
libseccomp-dev           pc:libseccomp
libopenblas-pthread-dev  /usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so
libdnnl-dev              /usr/include/dnnl.h
'
[ "$what" = check ] && needed="$needed
python3                  /usr/bin/python3
python3-numpy            /usr/lib/python3/dist-packages/numpy
python3-h5py             /usr/lib/python3/dist-packages/h5py
python3-torch            /usr/lib/python3/dist-packages/torch
hdf5-tools               h5dump
"

is_there() {
	case "$1" in
	pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

missing=$(echo "$needed" | while read -r package sign; do
	[ -n "$package" ] && ! is_there "$sign" && printf '%s ' "$package"
done)
[ -z "$missing" ] && exit 0

command="apt-get install -y --no-install-recommends $missing"
if ! command -v apt-get >/dev/null; then
	echo "setup: error: missing: $missing: install them with this system's package manager" >&2
	exit 78
fi
if [ "$(id -u)" != 0 ]; then
	echo "setup: error: missing: $missing: run 'sudo $command'" >&2
	exit 78
fi
start=$(date +%s)
echo "setup: installing $missing" >&2
log=$(mktemp)
export DEBIAN_FRONTEND=noninteractive
if ! { apt-get update && $command; } >"$log" 2>&1; then
	tail -n 15 "$log" >&2
	echo "setup: error: could not install: $missing: see $log" >&2
	exit 3
fi
rm -f "$log"
still=$(echo "$needed" | while read -r package sign; do
	[ -n "$package" ] && ! is_there "$sign" && printf '%s ' "$package"
done)
[ -z "$still" ] || { echo "setup: error: installed, but not found: $still" >&2; exit 3; }
echo "setup: done in $(($(date +%s) - start)) s" >&2
