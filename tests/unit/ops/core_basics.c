/* Hashes against their standards' vectors, buffers, processes, number conversions. */
#include "ops/core/arena.h"
#include "ops/core/dtype.h"
#include "ops/core/hash.h"
#include "ops/core/kv.h"
#include "ops/core/proc.h"
#include "ops/core/rng.h"
#include "tests/tap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void test_hashes(void)
{
	char hex[65];

	sha256_hex("abc", 3, hex);
	ok(!strcmp(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"), "sha-256 of abc");
	sha256_hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, hex);
	ok(!strcmp(hex, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"), "sha-256 over two blocks");
	ok(crc32c(0, "123456789", 9) == 0xe3069283, "crc-32c check value");
	ok(crc32c(crc32c(0, "1234", 4), "56789", 5) == 0xe3069283, "crc-32c continues");
	ok(philox(0, 0, 0) == 0x6627e8d5 && philox(0, 0, 1) == 0xe169c58d && philox(0, 0, 3) == 0x9b00dbd8,
	   "philox4x32-10 known answer");
}

static void test_dtypes(void)
{
	int bad = 0;

	for (int i = 0; i < 65536; i++) {
		uint16_t h = (uint16_t)i, back;
		for (int k = 0; k < 2; k++) {
			enum dtype d = k ? DTYPE_bf16 : DTYPE_f16;
			double v = dtype_load(d, &h, 0);
			dtype_store(d, &back, 0, v);
			bad += isnan(v) ? !isnan(dtype_load(d, &back, 0)) : back != h;
		}
	}
	ok(!bad, "every f16 and bf16 value survives double and back (%d wrong)", bad);
	ok(dtype_round(DTYPE_bf16, 1 + 0x1p-8) == 1 && dtype_round(DTYPE_bf16, 1 + 3 * 0x1p-8) == 1 + 0x1p-6,
	   "bf16 ties to even");
	ok(dtype_round(DTYPE_f16, 65519) == 65504 && isinf(dtype_round(DTYPE_f16, 65520)), "f16 overflow");
	ok(dtype_load(DTYPE_bool, "\x7f", 0) != 1 && dtype_load(DTYPE_bool, "\1", 0) == 1, "a byte that is neither 0 nor 1 is not true");
	ok(dtype_round(DTYPE_i8, 130) == -126 && dtype_round(DTYPE_i32, -1.9) == -1, "integers truncate, then wrap");
}

static void test_text(void)
{
	struct strbuf sb = STRBUF_INIT, err = STRBUF_INIT;
	struct arena arena = ARENA_INIT;
	struct kv kv;

	strbuf_addf(&sb, "a%db", 7);
	strbuf_replace(&sb, "7", "<seven>");
	ok(!strcmp(sb.buf, "a<seven>b"), "format and replace");
	ok(kv_parse(&arena, "a: 1\nb.c:  x y \n\nempty:\n", "f", &kv, &err) == 0 && kv.count == 3 &&
		   !strcmp(kv_find(&kv, "b.c"), "x y ") && !*kv_find(&kv, "empty"),
	   "key: value lines");
	ok(kv_parse(&arena, "a: 1\nno colon\n", "f", &kv, &err) < 0 && strstr(err.buf, "f:2:"), "a bad line is named");
	strbuf_reset(&sb);
	kv_add(&sb, "k", "one\nforged: two");
	ok(!strcmp(sb.buf, "k: one forged: two\n"), "a value cannot forge a key");
	char *big = arena_alloc(&arena, 1 << 20), *small = arena_alloc(&arena, 8);
	ok(big && small && !big[(1 << 20) - 1] && !((uintptr_t)small & 15), "arena: large and small, zeroed, aligned");
	strbuf_release(&sb);
	strbuf_release(&err);
	arena_release(&arena);
}

static void test_files(void)
{
	struct strbuf got = STRBUF_INIT, err = STRBUF_INIT;
	char folder[] = "/tmp/km-basics.XXXXXX", path[64], deep[96];

	ok(mkdtemp(folder) != NULL, "scratch folder");
	snprintf(path, sizeof(path), "%s/f", folder);
	ok(!file_publish(path, "12\0003", 4, &err) && !strbuf_read_file(&got, path, &err) && got.len == 4,
	   "publish and read back, NUL included");
	snprintf(deep, sizeof(deep), "%s/f/below", folder);
	ok(file_publish(deep, "", 0, &err) < 0 && strstr(err.buf, deep), "a failed write names the file");
	strbuf_reset(&err);
	ok(make_folder(deep, &err) < 0 && err.len, "a folder below a file is an error");
	snprintf(deep, sizeof(deep), "%s/x/y/z", folder);
	strbuf_reset(&err);
	ok(!make_folder(deep, &err) && !make_folder(deep, &err), "mkdir -p twice");
	strbuf_reset(&err);
	strbuf_addf(&err, "rm -rf %s", folder);
	ok(!system(err.buf), "clean up");
	strbuf_release(&got);
	strbuf_release(&err);
}

static void test_processes(void)
{
	struct strbuf out = STRBUF_INIT, errout = STRBUF_INIT, err = STRBUF_INIT;
	struct proc_result r;
	struct proc_limits quick = { .wall_s = 0.2 }, small = { .output_bytes = 10 };

	ok(!proc_run(PROC_ARGV("cat"), "hello", NULL, &r, &out, NULL, &err) && !r.exit_code && !strcmp(out.buf, "hello"), "feed and collect");
	ok(!proc_run(PROC_ARGV("sh", "-c", "echo why >&2; exit 7"), NULL, NULL, &r, NULL, &errout, &err) && r.exit_code == 7 && !strcmp(errout.buf, "why\n"), "exit code and stderr");
	ok(!proc_run(PROC_ARGV("sh", "-c", "kill -SEGV $$"), NULL, NULL, &r, NULL, NULL, &err) && r.signal == 11 && r.exit_code == -1, "a signal is told from an exit");
	ok(!proc_run(PROC_ARGV("sh", "-c", "sleep 9 & sleep 9"), NULL, &quick, &r, NULL, NULL, &err) && r.timed_out && r.wall_s < 2, "the time limit ends the group");
	strbuf_reset(&out);
	ok(!proc_run(PROC_ARGV("seq", "1000"), NULL, &small, &r, &out, NULL, &err) && out.len == 10 && !r.exit_code, "output is capped, not blocked");
	ok(proc_run(PROC_ARGV("km-no-such-program"), NULL, NULL, &r, NULL, NULL, &err) < 0 && strstr(err.buf, "km-no-such-program"), "a missing program is an error that names it");
	strbuf_release(&out);
	strbuf_release(&errout);
	strbuf_release(&err);
}

int main(void)
{
	test_hashes();
	test_dtypes();
	test_text();
	test_files();
	test_processes();
	return done_testing();
}
