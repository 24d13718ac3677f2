/*
 * fault_shim.c: makes one call of a program fail, for tests/faults/calls.sh (LD_PRELOAD).
 *   KM_FAULT=FUNCTION:N:ERROR   the N-th call of FUNCTION, from 1, fails with ERROR (an errno, SHORT or INTERRUPTED:
 *                               half of it is done, or nothing with EINTR); N 0: none, the calls are counted
 *   KM_FAULT_PROGRAM            in processes of this name alone, not in those they fork
 *   KM_FAULT_LOG                file: "calls<TAB>1 when the fault came", written at the end
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

enum how { NOTHING, FAIL, SHORT };
static char function[32];
static long wanted, calls;
static int error_number;
static enum how kind;
static pid_t owner;
static bool is_on, has_come;

static const struct { const char *name; int number; } errors[] = {
	{ "EIO", EIO }, { "ENOSPC", ENOSPC }, { "ENOMEM", ENOMEM }, { "EINTR", EINTR }, { "EMFILE", EMFILE }, { "EAGAIN", EAGAIN }, { "EDQUOT", EDQUOT }, { "EROFS", EROFS },
};

__attribute__((constructor)) static void begin(void)
{
	const char *fault = getenv("KM_FAULT"), *program = getenv("KM_FAULT_PROGRAM");
	char error[16];

	if (!fault || !program || strcmp(program, program_invocation_short_name) || sscanf(fault, "%31[^:]:%ld:%15s", function, &wanted, error) != 3)
		return;
	kind = !strcmp(error, "SHORT") ? SHORT : FAIL;
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (!strcmp(errors[i].name, error))
			error_number = errors[i].number;
	owner = getpid();
	is_on = true;
}

__attribute__((destructor)) static void end(void)
{
	const char *log = getenv("KM_FAULT_LOG");
	char text[64];

	if (!is_on || !log || getpid() != owner)
		return;
	is_on = false;
	int n = snprintf(text, sizeof(text), "%ld\t%d\n", calls, has_come), fd = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd >= 0 && syscall(SYS_write, fd, text, n) == n)
		syscall(SYS_close, fd);
}

/* What becomes of this call. */
static enum how fate(const char *name)
{
	if (!is_on || strcmp(name, function) || getpid() != owner)
		return NOTHING;
	if (__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED) != wanted)
		return NOTHING;
	has_come = true;
	errno = error_number;
	return kind;
}

#define REAL(name) (*(__typeof__(&name))real(#name, &real_##name))
static void *real(const char *name, void **at)
{
	if (!*at)
		*at = dlsym(RTLD_NEXT, name);
	return *at;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	va_start(ap, flags);
	int mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;
	va_end(ap);
	return fate("open") ? -1 : (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

ssize_t write(int fd, const void *data, size_t size)
{
	enum how how = fate("write");

	if (how == FAIL)
		return -1;
	return syscall(SYS_write, fd, data, how == SHORT && size > 1 ? size / 2 : size);
}

ssize_t read(int fd, void *data, size_t size)
{
	enum how how = fate("read");

	if (how == FAIL)
		return -1;
	return syscall(SYS_read, fd, data, how == SHORT && size > 1 ? (size + 1) / 2 : size);
}

#define SYSTEM(name, parameters, arguments) \
	int name parameters { return fate(#name) ? -1 : (int)syscall arguments; }
SYSTEM(fsync, (int fd), (SYS_fsync, fd))
SYSTEM(fdatasync, (int fd), (SYS_fdatasync, fd))
SYSTEM(rename, (const char *from, const char *to), (SYS_rename, from, to))
SYSTEM(mkdir, (const char *path, mode_t mode), (SYS_mkdir, path, mode))
SYSTEM(ftruncate, (int fd, off_t size), (SYS_ftruncate, fd, size))
SYSTEM(fallocate, (int fd, int mode, off_t at, off_t size), (SYS_fallocate, fd, mode, at, size))
SYSTEM(flock, (int fd, int how), (SYS_flock, fd, how))
SYSTEM(pipe2, (int fd[2], int flags), (SYS_pipe2, fd, flags))

void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	return fate("mmap") ? MAP_FAILED : (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

static void *real_fork;
pid_t fork(void)
{
	return fate("fork") ? -1 : REAL(fork)();
}

static void *real_memfd_create;
int memfd_create(const char *name, unsigned flags)
{
	return fate("memfd_create") ? -1 : REAL(memfd_create)(name, flags);
}

/*
 * Memory that the program, or cJSON for it, asks for: what libraries do without is theirs (libhdf5 ends the process,
 * libseccomp frees twice).
 */
static bool is_ours(const void *caller)
{
	static _Thread_local bool is_asking; /* dladdr may allocate */
	Dl_info info;
	bool ours = false;

	if (!is_on || is_asking || strcmp(function, "malloc"))
		return false;
	is_asking = true;
	if (dladdr(caller, &info) && info.dli_fname) {
		const char *slash = strrchr(info.dli_fname, '/');
		slash = slash ? slash + 1 : info.dli_fname;
		ours = !strcmp(slash, program_invocation_short_name) || !strncmp(slash, "libcjson", 8);
	}
	is_asking = false;
	return ours;
}
#define MEMORY_FAILS (is_ours(__builtin_return_address(0)) && fate("malloc"))

void *malloc(size_t size)
{
	return MEMORY_FAILS ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return MEMORY_FAILS ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return MEMORY_FAILS ? NULL : __libc_realloc(old, size);
}

/* HDF5, by what trace_write.c and trace_read.c call; handles are 64 bits, statuses are not looked at beyond their sign. */
#define HDF5(name) \
	static void *real_##name; \
	int64_t name(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g); \
	int64_t name(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f, int64_t g) \
	{ \
		return fate("H5") ? -1 : (*(int64_t (*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t))real(#name, &real_##name))(a, b, c, d, e, f, g); \
	}
#define HDF5_INT(name) \
	static void *real_##name; \
	int name(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f); \
	int name(int64_t a, int64_t b, int64_t c, int64_t d, int64_t e, int64_t f) \
	{ \
		return fate("H5") ? -1 : (*(int (*)(int64_t, int64_t, int64_t, int64_t, int64_t, int64_t))real(#name, &real_##name))(a, b, c, d, e, f); \
	}
HDF5(H5Fcreate)
HDF5(H5Fopen)
HDF5(H5Fget_file_image)
HDF5(H5Gcreate2)
HDF5(H5Gopen2)
HDF5(H5Dcreate2)
HDF5(H5Dopen2)
HDF5(H5Acreate2)
HDF5(H5Screate)
HDF5(H5Screate_simple)
HDF5(H5Pcreate)
HDF5(H5Tcopy)
HDF5_INT(H5Dwrite)
HDF5_INT(H5Dread)
HDF5_INT(H5Awrite)
HDF5_INT(H5Fflush)
HDF5_INT(H5Pset_chunk)
HDF5_INT(H5Pset_fletcher32)
HDF5_INT(H5Pset_deflate)
HDF5_INT(H5Pset_shuffle)
HDF5_INT(H5Pset_userblock)
HDF5_INT(H5Pset_obj_track_times)
