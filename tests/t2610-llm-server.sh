#!/bin/sh
# A server of language models from hell: tests/llm/server.py.  Bounded time and memory, the key never written.
. "${0%/*}/lib.sh"

export SANITIZED BUILD SCRATCH
/usr/bin/python3 "$ROOT/tests/llm/hostile.py"
