/*
 * strbuf.h: growable bytes, always NUL-terminated; `buf` is never NULL.
 *
 * A strbuf that was only initialised with STRBUF_INIT owns nothing and may be
 * released, so one `out:` label serves every path of a function.
 * Running out of memory ends the program (exit 3).
 */
#ifndef OPS_CORE_STRBUF_H
#define OPS_CORE_STRBUF_H

#include "ops/core/base.h"
#include <stdarg.h>

struct strbuf {
	char *buf;
	size_t len;
	size_t capacity;
};

extern char strbuf_empty[1];
#define STRBUF_INIT { .buf = strbuf_empty }

void strbuf_init(struct strbuf *sb);
/* Frees the contents; *sb is as after strbuf_init(). */
void strbuf_release(struct strbuf *sb);
/* Length 0, memory kept. */
void strbuf_reset(struct strbuf *sb);
/* You now own the returned string (free() it); *sb is empty. */
char *strbuf_detach(struct strbuf *sb);

void strbuf_add(struct strbuf *sb, const void *data, size_t len);
void strbuf_addstr(struct strbuf *sb, const char *s);
void strbuf_addch(struct strbuf *sb, char c);
void strbuf_addf(struct strbuf *sb, const char *fmt, ...) PRINTF(2, 3);
void strbuf_vaddf(struct strbuf *sb, const char *fmt, va_list ap);
/* Replaces every `from` (not empty) by `to`. */
void strbuf_replace(struct strbuf *sb, const char *from, const char *to);

/* Appends the whole file to *sb.  0, or -1 with a line in *err. */
int strbuf_read_file(struct strbuf *sb, const char *path, struct strbuf *err);
/* Appends all that can be read from fd.  0, or -1 with errno set. */
int strbuf_read_fd(struct strbuf *sb, int fd);
/*
 * Publishes data as the file `path`: written aside, fsynced, renamed, folder
 * fsynced; never a half file.  Sweeps first.  0, or -1 with a line in *err.
 */
int file_publish(const char *path, const void *data, size_t len, struct strbuf *err);
/* The same, but what is written aside must pass `check` (0, or -1 with a line in *err) to become the file. */
typedef int file_check(const char *aside, void *user, struct strbuf *err);
int file_publish_checked(const char *path, const void *data, size_t len, file_check *check, void *user, struct strbuf *err);
/* Writes and fsyncs a file that nobody reads yet.  0, or -1 with errno set. */
int file_write(const char *path, const void *data, size_t len);
/* Appends the name of this process for what becomes `path` when whole: path.tmp.<pid>.<boot>. */
void file_aside(struct strbuf *sb, const char *path);
/* Is it such a name, of a process that is gone? */
bool file_is_leftover(const char *name);
/* Removes what killed processes left half written beside `path`. */
void file_sweep(const char *path);
/* Makes a new name in path's folder durable.  0, or -1 with errno set. */
int folder_sync(const char *path);
/* mkdir -p.  0, or -1 with a line in *err. */
int make_folder(const char *path, struct strbuf *err);

/* Bytes of the UTF-8 sequence at text, 0 when it is not one. */
size_t utf8_bytes(const char *text);

#endif
