#!/bin/sh
# Installs what Kernelmill needs from Debian's packages and PyPI and says how long it took.
#   scripts/setup.sh corpus TARGETS   for `make` and `make corpus`; with NVIDIA targets Triton too, and ptxas where there is none
#   scripts/setup.sh check            for `make check` too (PyTorch, h5py, Triton, test tools)
#   scripts/setup.sh triton           Triton and ptxas
# As root it installs; otherwise it prints the one command that does, exit 78.
# It does nothing, silently, where all is there.
set -u
what=${1:-corpus}
case "$what ${2:-}" in
check*|triton*|*nvidia*|*' all '*|*' all') wants_nvidia=1 ;;
*) wants_nvidia= ;;
esac

# package  a command, a file (absolute) or a pkg-config name (pc:NAME) that shows it is there
needed='
gcc                      gcc
make                     make
pkg-config               pkg-config
clang-22                 clang-22
lld-22                   ld.lld-22
llvm-22                  llvm-readelf-22
libclang-rt-22-dev       /usr/lib/llvm-22/lib/clang/22/lib/linux/libclang_rt.asan-x86_64.so
libhdf5-dev              pc:hdf5-serial
libcjson-dev             pc:libcjson
libseccomp-dev           pc:libseccomp
zlib1g-dev               pc:zlib
libcurl4-openssl-dev     pc:libcurl
libelf-dev               pc:libelf
libopenblas-pthread-dev  /usr/lib/x86_64-linux-gnu/openblas-pthread/libopenblas.so
libdnnl-dev              /usr/include/dnnl.h
'
[ "$what" = check ] && needed="$needed
python3                  /usr/bin/python3
python3-numpy            /usr/lib/python3/dist-packages/numpy
python3-h5py             /usr/lib/python3/dist-packages/h5py
python3-torch            /usr/lib/python3/dist-packages/torch
hdf5-tools               h5dump
bubblewrap               bwrap
valgrind                 valgrind
"
[ "$wants_nvidia" ] && needed="$needed
python3                  python3
python3-venv             py:ensurepip
"

is_there() {
	case "$1" in
	py:*) python3 -c "import ${1#py:}" 2>/dev/null ;;
	pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
	/*) [ -e "$1" ] ;;
	*) command -v "$1" >/dev/null ;;
	esac
}

# Triton, and the assembler that it brings: clang finds it in PATH where there is no CUDA toolkit.
# A test that lacks them is skipped, and says so.
nvidia() {
	environment=$HOME/.cache/kernelmill/triton
	"${0%/*}/triton.sh" "$environment" || return
	command -v ptxas >/dev/null || [ -x /usr/local/cuda/bin/ptxas ] && return
	ptxas=$(echo "$environment"/lib/python3*/site-packages/triton/backends/nvidia/bin/ptxas)
	[ "$(id -u)" = 0 ] || {
		echo "setup: error: no ptxas: run 'sudo install $ptxas /usr/local/bin'" >&2
		return 78
	}
	{ install "$ptxas" /usr/local/bin/ptxas.new && sync /usr/local/bin/ptxas.new && mv -f /usr/local/bin/ptxas.new /usr/local/bin/ptxas; } || return 3
}
# What a policy of the search is built on: without it that one proposes nothing.
lightgbm() {
	command -v python3 >/dev/null || return
	"${0%/*}/lightgbm.sh" "$HOME/.cache/kernelmill/lightgbm"
}
finish() {
	lightgbm
	[ "$wants_nvidia" ] || exit 0
	nvidia
	code=$?
	[ "$what" = check ] && exit 0
	exit $code
}

missing=$(echo "$needed" | while read -r package sign; do
	[ -n "$package" ] && ! is_there "$sign" && printf '%s ' "$package"
done)
[ -z "$missing" ] && finish

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
finish
