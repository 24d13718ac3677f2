#!/bin/sh
# Triton from PyPI in a virtual environment of its own: triton.sh FOLDER.  Does nothing when it is there.
# It brings ptxas along, which printed CUDA needs too, and runs without a device.
set -u
folder=${1:?usage: triton.sh FOLDER}
[ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import triton, numpy' 2>/dev/null && exit 0
echo "triton: installing Triton from PyPI in '$folder' (0.7 GiB)" >&2
python3 -m venv "$folder" 2>/dev/null || /usr/bin/python3 -m venv "$folder" || {
	echo "triton: error: cannot make a virtual environment in '$folder': install python3-venv" >&2
	exit 3
}
# Its interpreter takes arrays of one element for numbers, which NumPy no longer does from 2.4 on.
"$folder/bin/pip" install -q 'triton==3.6.0' 'numpy<2.4' || {
	echo "triton: error: cannot install triton from PyPI: see above" >&2
	exit 3
}
