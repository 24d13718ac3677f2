/* Objects on disk: whole or not believed; replaced, removed and read at the same time. */
#include "ops/core/proc.h"
#include "ops/core/store.h"
#include "tests/tap.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 50000 };

static char root[] = "/tmp/km-test-store.XXXXXX";
static struct arena arena;
static struct strbuf err = STRBUF_INIT;
static char data[BYTES];

/* The store's renames take their time, so that moments between two of them can be seen. */
int rename(const char *from, const char *to)
{
	usleep(300);
	return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

static const char *at(const char *name) { return arena_printf(&arena, "%s/%s", root, name); }

/* An object that says whose it is, its data all of one byte. */
static int publish(const char *folder, const char *key, char fill)
{
	struct strbuf manifest = STRBUF_INIT;
	struct store_file file[] = { { "data", data, sizeof(data) }, { .name = STORE_MANIFEST } };

	memset(data, fill, sizeof(data));
	kv_add(&manifest, "key", "%s", key);
	store_add_hash(&manifest, &file[0]);
	store_seal(&manifest);
	file[1].data = manifest.buf;
	file[1].size = manifest.len;
	int ret = store_publish(folder, file, 2, &err);
	strbuf_release(&manifest);
	return ret;
}

/* What is there: its status; 'key' and the fill when it is whole. */
static enum store_status look(const char *folder, const char **key, char *fill)
{
	struct store_object object;
	struct strbuf bytes = STRBUF_INIT;

	strbuf_reset(&err);
	enum store_status status = store_open(&arena, folder, &object, &err);
	if (status == STORE_WHOLE)
		status = store_read(&object, "data", &bytes, &err);
	if (status == STORE_WHOLE && key) {
		*key = kv_find(&object.manifest, "key");
		*fill = bytes.buf[0];
	}
	if (status == STORE_WHOLE)
		status = store_check(&object, &err);
	store_close(&object);
	strbuf_release(&bytes);
	return status;
}

static void change(const char *path, off_t place, const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || pwrite(fd, bytes, len, place) != (ssize_t)len)
		abort();
	close(fd);
}

/* Hurts an object in each way; `what` is put right again in between. */
static void test_damage(void)
{
	const char *one = at("ab/one"), *file = at("ab/one/data"), *entry = at("ab/one/" STORE_MANIFEST), *key;
	char fill;

	ok(look(one, NULL, NULL) == STORE_ABSENT, "nothing is there: %s", err.buf);
	strbuf_reset(&err);
	ok(publish(one, "1", 'x') == 1 && look(one, &key, &fill) == STORE_WHOLE && !strcmp(key, "1") && fill == 'x', "what was published is read %s", err.buf);
	ok(publish(one, "1", 'x') == 0, "again: it is there");
	static const struct {
		const char *what;
		bool in_manifest;
		off_t place;
	} flips[] = { { "the first byte", false, 0 }, { "the last byte", false, BYTES - 1 }, { "the key", true, 5 }, { "the hash", true, 30 } };
	for (size_t i = 0; i < ARRAY_SIZE(flips); i++) {
		change(flips[i].in_manifest ? entry : file, flips[i].place, "!", 1);
		ok(look(one, NULL, NULL) == STORE_DAMAGED && strstr(err.buf, "ab/one"), "changed: %s: %s", flips[i].what, err.buf);
		strbuf_reset(&err);
		ok(publish(one, "1", 'x') == 1 && look(one, NULL, NULL) == STORE_WHOLE, "published again, it is whole");
	}
	const char *const both[] = { file, entry };
	for (int i = 0; i < 2; i++)
		for (int to = 0; to < 2; to++) {
			struct stat s;
			int bad = stat(both[i], &s) || truncate(both[i], to ? s.st_size - 1 : 0);
			ok(!bad && look(one, NULL, NULL) == STORE_DAMAGED, "%s %s: %s", i ? "the manifest" : "the data", to ? "a byte short" : "empty", err.buf);
			publish(one, "1", 'x');
		}
	unlink(file);
	ok(look(one, NULL, NULL) == STORE_DAMAGED && publish(one, "1", 'x') == 1, "without its data");
	unlink(entry);
	ok(look(one, NULL, NULL) == STORE_DAMAGED && publish(one, "1", 'x') == 1, "without its manifest");
	publish(at("ab/two"), "2", 'x');
	publish(at("ab/other"), "3", 'y');
	rename(file, at("ab/kept"));
	rename(at("ab/other/data"), file);
	ok(look(one, NULL, NULL) == STORE_DAMAGED, "another's data");
	publish(one, "1", 'x');
	unlink(file);
	int bad = symlink(at("ab/two/data"), file);
	ok(!bad && look(one, NULL, NULL) != STORE_WHOLE, "a link to the right bytes");
	publish(one, "1", 'x');
	rename(one, at("ab/aside"));
	rename(at("ab/two"), one);
	ok(look(one, &key, &fill) == STORE_WHOLE && !strcmp(key, "2"), "another's folder says whose it is");
	ok(!store_remove(one, &err) && look(one, NULL, NULL) == STORE_ABSENT && !store_remove(one, &err), "removed, and once more");
	bad = !fopen(one, "w");
	ok(!bad && look(one, NULL, NULL) == STORE_DAMAGED && publish(one, "1", 'x') == 1 && look(one, NULL, NULL) == STORE_WHOLE, "a file in its place goes");
}

/* Two processes replace an object by turns, and one may remove it; another must never read a mixture, and none where there always is one. */
static void test_together(bool removes)
{
	const char *one = at("cd/one");
	int64_t end = clock_ns() + 400000000;
	pid_t pid[3];
	int status, bad = 0, whole = 0, absent = 0;

	publish(one, "0", '0');
	for (int i = 0; i < 3; i++) {
		pid[i] = fork();
		while (i == 2 && !removes && !pid[i] && clock_ns() < end)
			if (access(one, F_OK)) {
				fprintf(stderr, "for a moment there was none\n");
				_exit(1);
			}
		while (!pid[i] && clock_ns() < end)
			if (i < 2 ? publish(one, i ? "1" : "0", i ? '1' : '0') < 0 : store_remove(one, &err)) {
				fprintf(stderr, "%s\n", err.buf);
				_exit(1);
			} else if (i == 2) {
				usleep(2000);
			}
		if (!pid[i])
			_exit(0);
	}
	while (clock_ns() < end) {
		const char *key;
		char fill = 0;
		enum store_status s = look(one, &key, &fill);
		whole += s == STORE_WHOLE && key[0] == fill;
		absent += s == STORE_ABSENT;
		if (s == STORE_WHOLE ? key[0] != fill : s != STORE_ABSENT || !(removes || strstr(err.buf, "was removed meanwhile"))) {
			bad++;
			fprintf(stderr, "%d: %s\n", s, err.buf);
		}
	}
	for (int i = 0; i < 3; i++)
		bad += waitpid(pid[i], &status, 0) < 0 || status;
	ok(!bad && whole, "two replace, %s, one reads: %d whole, %d absent, %d bad", removes ? "one removes" : "none removes", whole, absent, bad);
	publish(one, "1", '1');
	struct strbuf left = STRBUF_INIT;
	struct proc_result result;
	proc_run(PROC_ARGV("ls", "-A", at("cd")), NULL, NULL, &result, &left, NULL, &err);
	ok(!strcmp(left.buf, "one\n"), "and nothing is left aside: %s", left.buf);
	strbuf_release(&left);
}

/* A process that died while it wrote: the next that publishes there cleans up. */
static void test_leftovers(void)
{
	struct strbuf aside = STRBUF_INIT;
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	strbuf_addf(&aside, "%s/cd/.one.0", root);
	struct strbuf mine = STRBUF_INIT;
	file_aside(&mine, "");
	strbuf_addf(&aside, ".tmp.%ld%s", (long)pid, strrchr(mine.buf, '.'));
	int bad = mkdir(aside.buf, 0777) || file_write(arena_printf(&arena, "%s/data", aside.buf), "x", 1);
	publish(at("cd/two"), "2", '2');
	ok(!bad && access(aside.buf, F_OK), "what a dead process left half written is gone");
	strbuf_reset(&err);
	ok(publish("/proc/no/such/place", "1", 'x') < 0 && err.len && !strchr(err.buf, '\n'), "nowhere to write: %s", err.buf);
	strbuf_release(&aside);
	strbuf_release(&mine);
}

int main(void)
{
	struct proc_result result;

	if (!mkdtemp(root))
		return 1;
	test_damage();
	test_together(false);
	test_together(true);
	test_leftovers();
	proc_run(PROC_ARGV("rm", "-rf", root), NULL, NULL, &result, NULL, NULL, &err);
	strbuf_release(&err);
	arena_release(&arena);
	return done_testing();
}
