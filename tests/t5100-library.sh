#!/bin/sh
# The installed library, as a user's program sees it.
. "${0%/*}/lib.sh"

check 'make install' 'make -C "$ROOT" --no-print-directory install PREFIX="$SCRATCH/usr" >/dev/null'
SANITIZER=
nm -D usr/lib/libkernelmill.so.0 | grep -q __asan && SANITIZER=-fsanitize=address,undefined
check 'only corpus_* is visible in the shared library' '
	nm -D --defined-only usr/lib/libkernelmill.so.0 | grep " T " | grep -v " corpus_" | wc -l | grep -qx 0'
check 'and in the static one' 'nm -g --defined-only usr/lib/libkernelmill.a | grep -E " [TDBR] " | grep -v " corpus_" | wc -l | grep -qx 0'
check 'it needs libc and libm only' '
	! ldd usr/lib/libkernelmill.so.0 | grep -vE "libc\.so|libm\.so|libdl|libpthread|linux-vdso|ld-linux|lib(a|ub)san|libgcc_s|libstdc"'
check 'it can neither print nor exit nor read the environment' '
	! nm -D --undefined-only usr/lib/libkernelmill.so.0 | grep -wE "exit|_exit|printf|puts|stderr|stdout|fprintf|getenv|secure_getenv"'
check 'the header stands alone, in C and in C++' '
	echo "#include <corpus/corpus.h>" >a.c && cc -std=c99 -Wall -Wextra -Werror -pedantic -Iusr/include -c a.c &&
	cp a.c a.cc && { ! command -v c++ >/dev/null || c++ -Wall -Wextra -Werror -Iusr/include -c a.cc; }'
check 'the example is short' '[ $(wc -l <"$ROOT"/tests/example/matmul.c) -lt 60 ]'
check 'the example compiles' 'cc -O1 -Wall -Wextra "$ROOT"/tests/example/matmul.c -Iusr/include -Lusr/lib -lkernelmill -o matmul $SANITIZER'
check 'and against the static library' '
	cc -O1 "$ROOT"/tests/example/matmul.c -Iusr/include usr/lib/libkernelmill.a -lm -ldl -pthread -o matmul-static $SANITIZER'
if "$BUILD"/tests/unit/corpus/corpus make out 2>/dev/null && [ -d out/cells ]; then
	LD_LIBRARY_PATH=$SCRATCH/usr/lib
	export LD_LIBRARY_PATH
	check 'it multiplies with a corpus kernel' 'km-corpus promote out && ./matmul out/corpus 64 48 32 | grep "largest error"'
	check 'so does the static one' './matmul-static out/corpus 64 48 32 | grep "largest error"'
	check 'no kernel: one line' 'exits 1 ./matmul out/corpus 64 48 31 && one_line_error ./matmul out/corpus 64 48 31'
	check 'no corpus: one line' 'exits 1 ./matmul nowhere && one_line_error ./matmul nowhere'
else
	skip 'the example runs' 'this machine is none of the targets'
fi
done_testing
