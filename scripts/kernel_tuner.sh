#!/bin/sh
# Kernel Tuner from PyPI in a virtual environment of its own: kernel_tuner.sh FOLDER.  Does nothing when it is there.
set -u
folder=${1:?usage: kernel_tuner.sh FOLDER}
[ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import kernel_tuner' 2>/dev/null && exit 0
echo "kernel_tuner: installing Kernel Tuner from PyPI in '$folder' (400 MiB)" >&2
python3 -m venv "$folder" 2>/dev/null || /usr/bin/python3 -m venv "$folder" || {
	echo "kernel_tuner: error: cannot make a virtual environment in '$folder': install python3-venv" >&2
	exit 3
}
"$folder/bin/pip" install -q 'kernel-tuner==1.5.0' || {
	echo "kernel_tuner: error: cannot install kernel-tuner from PyPI: see above" >&2
	exit 3
}
