#!/bin/sh
# A current PyTorch from PyPI in a virtual environment of its own: torch.sh FOLDER.  Does nothing when it is there.
# The wheel for x86-64 brings CUDA's libraries along; the tests use the processor alone.
set -u
folder=${1:?usage: torch.sh FOLDER}
[ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import torch' 2>/dev/null && exit 0
echo "torch: installing a current PyTorch from PyPI in '$folder' (5 GiB)" >&2
python3 -m venv "$folder" 2>/dev/null || /usr/bin/python3 -m venv "$folder" || {
	echo "torch: error: cannot make a virtual environment in '$folder': install python3-venv" >&2
	exit 3
}
"$folder/bin/pip" install -q torch numpy || {
	echo "torch: error: cannot install torch from PyPI: see above" >&2
	exit 3
}
