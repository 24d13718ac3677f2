#!/bin/sh
# Triton and CuTe's Python from PyPI in a virtual environment of their own: triton.sh FOLDER.  Does nothing when they are there.
# Triton brings ptxas along, which printed CUDA needs too; neither needs a device.
set -u
folder=${1:?usage: triton.sh FOLDER}
[ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import triton, numpy, cutlass' 2>/dev/null && exit 0
echo "triton: installing Triton and CuTe from PyPI in '$folder' (1 GiB)" >&2
python3 -m venv "$folder" 2>/dev/null || /usr/bin/python3 -m venv "$folder" || {
	echo "triton: error: cannot make a virtual environment in '$folder': install python3-venv" >&2
	exit 3
}
# Its interpreter takes arrays of one element for numbers, which NumPy no longer does from 2.4 on.
"$folder/bin/pip" install -q 'triton==3.6.0' 'nvidia-cutlass-dsl==4.8.1' 'numpy<2.4' || {
	echo "triton: error: cannot install triton and nvidia-cutlass-dsl from PyPI: see above" >&2
	exit 3
}
