#!/bin/sh
# LightGBM's C library from PyPI's package into a folder: lightgbm.sh FOLDER.  Does nothing when it is there.
set -u
folder=${1:?usage: lightgbm.sh FOLDER}
[ -f "$folder/lib_lightgbm.so" ] && exit 0
work=$(mktemp -d) || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
echo "lightgbm: installing LightGBM's library from PyPI in '$folder'" >&2
python3 -m pip --version >/dev/null 2>&1 && python=python3 || { python3 -m venv "$work/python" >/dev/null 2>&1 && python=$work/python/bin/python; } || {
	echo "lightgbm: not installed: python3 has no pip: install python3-pip" >&2
	exit 3
}
"$python" -m pip download -q --disable-pip-version-check --retries 1 --timeout 10 --no-deps --only-binary=:all: -d "$work" 'lightgbm==4.7.0' &&
	python3 -m zipfile -e "$work"/lightgbm-*.whl "$work/wheel" &&
	mkdir -p "$folder" && cp "$work/wheel/lightgbm/lib/lib_lightgbm.so" "$folder/lib_lightgbm.so.new" && sync "$folder/lib_lightgbm.so.new" &&
	mv -f "$folder/lib_lightgbm.so.new" "$folder/lib_lightgbm.so" || {
	echo "lightgbm: not installed, searches go on without: see above" >&2
	exit 3
}
