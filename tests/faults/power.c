/*
 * Power cuts.  A workload writes a journal and publishes files; every open,
 * write, sync, rename and unlink is recorded on its way to the disk.  Then, for
 * any moment, disks are made as a cut might have left them: of what was not
 * synced, writes are lost, kept, torn at a byte or in sectors, entries of the
 * folder are lost or kept.  On each, what was acknowledged must be read back, and
 * nothing that was never written; a writer must be able to go on; and cuts of that
 * one's work are made in turn.  Syncs fail now and then, and what they should have
 * written is then never written by a later one.  (After SQLite's test6.c and ALICE.)
 */
#include "tests/faults/faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
ssize_t __real_write(int fd, const void *data, size_t size);
int __real_fsync(int fd);
int __real_fdatasync(int fd);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *path);
int __wrap_open(const char *path, int flags, ...);
ssize_t __wrap_write(int fd, const void *data, size_t size);
int __wrap_fsync(int fd);
int __wrap_fdatasync(int fd);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *path);

/* ---- the record ------------------------------------------------------ */

enum what { CREATE, EMPTY, WRITE, SYNC, SYNC_FAILED, SYNC_FOLDER, RENAME, UNLINK, ACKNOWLEDGE, PUBLISH, PUBLISHED };
struct event {
	enum what what;
	int file;            /* inode; to RENAME: -1 */
	char name[48], to[48];
	size_t at, size;     /* WRITE */
	const char *data;
	int64_t number;      /* ACKNOWLEDGE: records; PUBLISHED: version */
};
enum { MOST_EVENTS = 4096, MOST_FILES = 256, MOST_FDS = 256, MOST_RECORDS = 4096 };

static struct arena arena;
static struct event events[MOST_EVENTS];
static int event_count, file_count;
static size_t file_size[MOST_FILES];  /* written so far */
static int file_of[MOST_FDS];         /* descriptor: inode + 1, 0: not ours, -1: the folder */
static struct { char name[48]; int file; } names[MOST_FILES]; /* as a running system sees the folder */
static int name_count;
static char folder[64], scratch[64];
static bool is_recording;
static uint32_t failing_syncs; /* of 1000 */

static struct event *add(enum what what)
{
	if (event_count == MOST_EVENTS) {
		fprintf(stderr, "too many events\n");
		exit(3);
	}
	events[event_count] = (struct event){ .what = what, .file = -1 };
	return &events[event_count++];
}

static int find(const char *name)
{
	for (int i = 0; i < name_count; i++)
		if (!strcmp(names[i].name, name))
			return i;
	return -1;
}

static const char *ours(const char *path)
{
	size_t n = strlen(folder);
	return is_recording && !strncmp(path, folder, n) && path[n] == '/' ? path + n + 1 : NULL;
}

int __wrap_open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = flags & O_CREAT ? va_arg(ap, int) : 0;
	va_end(ap);
	int fd = __real_open(path, flags, mode);
	const char *name = ours(path);

	if (fd < 0 || fd >= MOST_FDS)
		return fd;
	file_of[fd] = is_recording && !strcmp(path, folder) ? -1 : 0;
	if (!name)
		return fd;
	int i = find(name);
	if (i < 0) {
		i = name_count++;
		snprintf(names[i].name, sizeof(names[i].name), "%s", name);
		names[i].file = file_count;
		file_size[file_count] = 0;
		struct event *e = add(CREATE);
		e->file = file_count++;
		snprintf(e->name, sizeof(e->name), "%s", name);
	}
	if (flags & O_TRUNC && file_size[names[i].file]) {
		add(EMPTY)->file = names[i].file;
		file_size[names[i].file] = 0;
	}
	file_of[fd] = names[i].file + 1;
	return fd;
}

ssize_t __wrap_write(int fd, const void *data, size_t size)
{
	int file = fd >= 0 && fd < MOST_FDS ? file_of[fd] : 0;

	if (!is_recording || file <= 0)
		return __real_write(fd, data, size);
	/* A signal may come in the middle. */
	if (size > 2 && draw(100) == 0)
		size /= 2;
	struct event *e = add(WRITE);
	char *copy = arena_alloc(&arena, size + 1);
	memcpy(copy, data, size);
	e->file = file - 1;
	e->at = file_size[file - 1];
	e->size = size;
	e->data = copy;
	file_size[file - 1] += size;
	return __real_write(fd, data, size);
}

static int sync_file(int fd)
{
	int file = fd >= 0 && fd < MOST_FDS ? file_of[fd] : 0;

	if (!is_recording || !file)
		return 0;
	bool fails = file > 0 && draw(1000) < failing_syncs;
	struct event *e = add(file < 0 ? SYNC_FOLDER : fails ? SYNC_FAILED : SYNC);
	e->file = file - 1;
	if (fails)
		errno = EIO;
	return fails ? -1 : 0;
}

int __wrap_fsync(int fd)
{
	return sync_file(fd);
}

int __wrap_fdatasync(int fd)
{
	return sync_file(fd);
}

int __wrap_rename(const char *from, const char *to)
{
	const char *a = ours(from), *b = ours(to);

	if (a && b) {
		struct event *e = add(RENAME);
		snprintf(e->name, sizeof(e->name), "%s", a);
		snprintf(e->to, sizeof(e->to), "%s", b);
		int i = find(a), k = find(b), file = names[i].file;
		names[i] = names[--name_count];
		k = k == name_count ? i : k;
		if (k < 0)
			k = name_count++;
		snprintf(names[k].name, sizeof(names[k].name), "%s", b);
		names[k].file = file;
	}
	return __real_rename(from, to);
}

int __wrap_unlink(const char *path)
{
	const char *name = ours(path);
	int i = name ? find(name) : -1;

	if (i >= 0) {
		snprintf(add(UNLINK)->name, 48, "%s", name);
		names[i] = names[--name_count];
	}
	return __real_unlink(path);
}

/* ---- disks after a cut ----------------------------------------------- */

struct entry {
	char name[48];
	int file;
};
struct disk {
	struct strbuf content[MOST_FILES];
	struct entry entry[MOST_FILES];
	int entry_count;
};
static struct disk before; /* what the recorded work found */

static void disk_clear(struct disk *d)
{
	for (int i = 0; i < MOST_FILES; i++)
		strbuf_reset(&d->content[i]);
	d->entry_count = 0;
}

static int disk_find(const struct disk *d, const char *name)
{
	for (int i = 0; i < d->entry_count; i++)
		if (!strcmp(d->entry[i].name, name))
			return i;
	return -1;
}

static void disk_link(struct disk *d, const char *name, int file)
{
	int i = disk_find(d, name);

	if (i < 0)
		i = d->entry_count++;
	snprintf(d->entry[i].name, sizeof(d->entry[i].name), "%s", name);
	d->entry[i].file = file;
}

static void disk_unlink(struct disk *d, const char *name)
{
	int i = disk_find(d, name);

	if (i >= 0)
		d->entry[i] = d->entry[--d->entry_count];
}

static void put(struct strbuf *content, size_t at, const char *data, size_t size)
{
	static const char zeros[4096];

	while (content->len < at + size)
		strbuf_add(content, zeros, at + size - content->len < sizeof(zeros) ? at + size - content->len : sizeof(zeros));
	if (data)
		memcpy(content->buf + at, data, size);
}

/* A write that was not synced: lost, whole, or in part. */
static void put_unsynced(struct strbuf *content, const struct event *e)
{
	switch (draw(6)) {
	case 0:
	case 1:
		put(content, e->at, e->data, e->size);
		break;
	case 2:
		put(content, e->at, e->data, draw((uint32_t)e->size + 1));
		break;
	case 3: /* the size alone */
		put(content, e->at, NULL, e->size);
		break;
	case 4: /* some sectors */
		put(content, e->at, NULL, e->size);
		for (size_t at = e->at; at < e->at + e->size;) {
			size_t end = (at / 512 + 1) * 512 < e->at + e->size ? (at / 512 + 1) * 512 : e->at + e->size;
			if (draw(2))
				put(content, at, e->data + (at - e->at), end - at);
			at = end;
		}
		break;
	default:
		break;
	}
}

static bool is_folder_event(const struct event *e)
{
	return e->what == CREATE || e->what == RENAME || e->what == UNLINK;
}

static void change_folder(struct disk *d, const struct event *e)
{
	if (e->what == CREATE) {
		disk_link(d, e->name, e->file);
	} else if (e->what == UNLINK) {
		disk_unlink(d, e->name);
	} else {
		/* The entry of what is renamed may itself have been lost: then by the file it named. */
		int i = disk_find(d, e->name), file = i < 0 ? -1 : d->entry[i].file;
		for (const struct event *c = e; file < 0 && c-- > events;)
			if (c->what == CREATE && !strcmp(c->name, e->name))
				file = c->file;
		disk_unlink(d, e->name);
		if (file >= 0)
			disk_link(d, e->to, file);
	}
}

/* The disk when the power went after `end` events. */
static void cut(struct disk *d, int end)
{
	bool all = draw(8) == 0, none = draw(8) == 0;
	int folder_synced = 0, synced[MOST_FILES] = { 0 }, failed[MOST_FILES] = { 0 };

	disk_clear(d);
	for (int i = 0; i < before.entry_count; i++) {
		d->entry[d->entry_count++] = before.entry[i];
		strbuf_add(&d->content[before.entry[i].file], before.content[before.entry[i].file].buf, before.content[before.entry[i].file].len);
	}
	for (int i = 0; i < end; i++)
		if (events[i].what == SYNC_FOLDER)
			folder_synced = i;
		else if (events[i].what == SYNC)
			synced[events[i].file] = i;
	for (int i = 0; i < end; i++) {
		const struct event *e = &events[i];
		if (is_folder_event(e)) {
			if (i < folder_synced || all || (!none && draw(2)))
				change_folder(d, e);
		} else if (e->what == EMPTY) {
			if (i < synced[e->file] || all || (!none && draw(2)))
				strbuf_reset(&d->content[e->file]);
		} else if (e->what == WRITE) {
			/* What a failed sync covered was called clean: no later sync writes it. */
			failed[e->file] = 0;
			for (int k = i + 1; k < synced[e->file] && !failed[e->file]; k++)
				failed[e->file] = events[k].file == e->file ? (events[k].what == SYNC_FAILED ? 1 : events[k].what == SYNC ? 2 : 0) : 0;
			if (i < synced[e->file] && failed[e->file] != 1)
				put(&d->content[e->file], e->at, e->data, e->size);
			else if (all)
				put(&d->content[e->file], e->at, e->data, e->size);
			else if (!none)
				put_unsynced(&d->content[e->file], e);
		}
	}
}

static const char *file_in(const char *where, const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%.70s/%.50s", where, name);
	return path;
}

static void make_file(const char *where, const char *name, const struct strbuf *content)
{
	const char *path = file_in(where, name);

	int fd = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || __real_write(fd, content->buf, content->len) != (ssize_t)content->len) {
		fprintf(stderr, "cannot write '%s'\n", path);
		exit(3);
	}
	close(fd);
}

static void remove_file(const char *where, const char *name)
{
	__real_unlink(file_in(where, name));
}

/* ---- the workload ---------------------------------------------------- */

static int64_t salt[MOST_RECORDS], appended, next_salt, version;
static struct strbuf ignored;

static int count_records(const char *path)
{
	struct arena a = ARENA_INIT;
	struct reading r = { .salt = salt, .most = appended };
	int ret = journal_each(&a, path, compare_numbered, &r, NULL, &ignored);

	arena_release(&a);
	strbuf_reset(&ignored);
	return ret || r.is_wrong ? -1 : (int)r.count;
}

static void publish_version(const char *path)
{
	struct strbuf text = STRBUF_INIT;

	add(PUBLISH)->number = ++version;
	for (int64_t i = 0; i < 40 + version % 100; i++)
		strbuf_addf(&text, "version %" PRId64 "\n", version);
	if (!file_publish(path, text.buf, text.len, &ignored))
		add(PUBLISHED)->number = version;
	strbuf_reset(&ignored);
	strbuf_release(&text);
}

/* A few writers in turn, some of which end without closing. */
static void work(int sessions)
{
	char path[96], product[96], text[64];

	snprintf(path, sizeof(path), "%s/journal", folder);
	snprintf(product, sizeof(product), "%s/product", folder);
	for (int s = 0; s < sessions; s++) {
		struct journal *journal = journal_open(path, NULL, &ignored);
		if (!journal) {
			strbuf_reset(&ignored);
			continue; /* two failed syncs */
		}
		is_recording = false;
		int have = count_records(path);
		is_recording = true;
		if (have < 0)
			bad("a writer opened a journal that cannot be read");
		if (have >= 0)
			appended = have;
		bool is_good = true;
		for (int batch = (int)draw(4); batch >= 0 && is_good; batch--) {
			for (int i = (int)draw(5); i >= 0 && is_good && appended < MOST_RECORDS; i--) {
				salt[appended] = ++next_salt;
				struct record r = numbered(appended, next_salt, text);
				appended++;
				is_good = !journal_append(journal, &r, &ignored);
			}
			if (is_good && !journal_commit(journal, &ignored))
				add(ACKNOWLEDGE)->number = appended;
			else
				is_good = false;
			strbuf_reset(&ignored);
			if (draw(3) == 0)
				publish_version(product);
		}
		if (draw(3)) {
			journal_close(journal, &ignored);
		} else {
			/* Killed: nothing more is written.  Its memory goes with a process; here it is left. */
			is_recording = false;
			for (int fd = 3; fd < MOST_FDS; fd++)
				if (file_of[fd]) {
					close(fd);
					file_of[fd] = 0;
				}
			is_recording = true;
		}
	}
}

/* ---- what must hold -------------------------------------------------- */

/* What had been acknowledged, published and begun to be published. */
struct promise {
	int64_t acknowledged, published, begun;
};

static struct promise promised(struct promise p, int end)
{
	for (int i = 0; i < end; i++)
		if (events[i].what == ACKNOWLEDGE && events[i].number > p.acknowledged)
			p.acknowledged = events[i].number;
		else if (events[i].what == PUBLISHED)
			p.published = events[i].number;
		else if (events[i].what == PUBLISH)
			p.begun = events[i].number;
	return p;
}

static bool check_product(const char *where, const struct promise *p)
{
	struct strbuf got = STRBUF_INIT, want = STRBUF_INIT;
	char path[128];
	int64_t v = 0;

	snprintf(path, sizeof(path), "%s/product", where);
	bool good = p->published == 0;
	if (!strbuf_read_file(&got, path, &ignored) && sscanf(got.buf, "version %" SCNd64, &v) == 1) {
		for (int64_t i = 0; i < 40 + v % 100; i++)
			strbuf_addf(&want, "version %" PRId64 "\n", v);
		good = v >= p->published && v <= p->begun && got.len == want.len && !memcmp(got.buf, want.buf, got.len);
	} else if (got.len) {
		good = false;
	}
	strbuf_reset(&ignored);
	strbuf_release(&got);
	strbuf_release(&want);
	return good;
}

static void check_disk(const struct disk *d, const struct promise *p, const char *when)
{
	struct strbuf err = STRBUF_INIT;
	struct arena a = ARENA_INIT;
	struct reading r = { .salt = salt, .most = appended };
	char path[96], text[64];

	for (int i = 0; i < d->entry_count; i++)
		make_file(scratch, d->entry[i].name, &d->content[d->entry[i].file]);
	snprintf(path, sizeof(path), "%s/journal", scratch);
	bool is_there = disk_find(d, "journal") >= 0;
	int ret = is_there ? journal_each(&a, path, compare_numbered, &r, NULL, &err) : 0;
	if (ret < 0)
		bad("%s: %s", when, err.buf);
	else if (r.is_wrong)
		bad("%s: record %" PRId64 " was never written there", when, r.count);
	else if (r.count < p->acknowledged)
		bad("%s: %" PRId64 " records acknowledged, %" PRId64 " there", when, p->acknowledged, r.count);
	if (!check_product(scratch, p))
		bad("%s: the product is neither the old nor the new one", when);
	/* Can a writer go on? */
	if (ret >= 0 && !r.is_wrong && draw(8) == 0) {
		struct journal *journal = journal_open(path, NULL, &err);
		struct record record = numbered(r.count, salt[r.count], text);
		int64_t want = r.count + 1;
		if (!journal || journal_append(journal, &record, &err) || journal_close(journal, &err))
			bad("%s: no writer can go on: %s", when, err.buf);
		r.count = 0;
		r.most = want;
		if (journal_each(&a, path, compare_numbered, &r, NULL, &err) || r.count != want)
			bad("%s: after going on, %" PRId64 " of %" PRId64 " records: %s", when, r.count, want, err.buf);
	}
	for (int i = 0; i < d->entry_count; i++)
		remove_file(scratch, d->entry[i].name);
	for (int i = 1; i < 40; i++) {
		snprintf(text, sizeof(text), "journal.%d", i);
		remove_file(scratch, text);
	}
	remove_file(scratch, "journal");
	arena_release(&a);
	strbuf_release(&err);
}

static void start_recording(const struct disk *found)
{
	event_count = file_count = name_count = 0;
	disk_clear(&before);
	for (int i = 0; found && i < found->entry_count; i++) {
		make_file(folder, found->entry[i].name, &found->content[found->entry[i].file]);
		before.entry[i] = (struct entry){ .file = i };
		memcpy(before.entry[i].name, found->entry[i].name, sizeof(before.entry[i].name));
		strbuf_add(&before.content[i], found->content[found->entry[i].file].buf, found->content[found->entry[i].file].len);
		memcpy(names[i].name, found->entry[i].name, sizeof(names[i].name));
		names[i].file = i;
		file_size[i] = before.content[i].len;
		before.entry_count = name_count = file_count = i + 1;
	}
	memset(file_of, 0, sizeof(file_of));
	is_recording = true;
}

static void stop_recording(void)
{
	is_recording = false;
	for (int i = 0; i < name_count; i++)
		remove_file(folder, names[i].name);
}

int main(int argc, char **argv)
{
	int64_t count = faults_begin(argc, argv, 4000, 100000), done = 0;
	static struct disk disk, kept;

	diag_tool = "power";
	strbuf_init(&ignored);
	for (int i = 0; i < MOST_FILES; i++) {
		strbuf_init(&disk.content[i]);
		strbuf_init(&kept.content[i]);
		strbuf_init(&before.content[i]);
	}
	const char *shm = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
	snprintf(folder, sizeof(folder), "%s/km-power.XXXXXX", shm);
	if (!mkdtemp(folder))
		return 3;
	snprintf(scratch, sizeof(scratch), "%s/km-power.XXXXXX", shm);
	if (!mkdtemp(scratch))
		return 3;
	fault_seed = 88172645463325252u;
	while (done < count) {
		struct promise so_far = { 0 }, at_cut;
		const struct disk *found = NULL;
		appended = next_salt = version = 0;
		failing_syncs = draw(3) ? 0 : 40;
		/* Up to four cuts in a row. */
		for (int round = 0; round < 4 && done < count; round++) {
			start_recording(found);
			work(1 + (int)draw(3));
			stop_recording();
			for (int i = 0; i < 40 && done < count; i++, done++) {
				char when[64];
				int end = (int)draw((uint32_t)event_count + 1);
				cut(&disk, end);
				at_cut = promised(so_far, end);
				snprintf(when, sizeof(when), "state %" PRId64 ", cut %d after event %d", done, round, end);
				check_disk(&disk, &at_cut, when);
			}
			int kept_end = (int)draw((uint32_t)event_count + 1);
			cut(&kept, kept_end);
			so_far = promised(so_far, kept_end);
			found = &kept;
		}
		arena_release(&arena);
	}
	rmdir(folder);
	rmdir(scratch);
	return faults_end("disks after a power cut", done);
}
