#include "evaluate/inspect.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

enum { LOAD_BYTES = 64 << 20, MOST_SEGMENTS = 64 };

struct object {
	Elf *elf;
	GElf_Ehdr head;
	GElf_Phdr segment[MOST_SEGMENTS];
	size_t segment_count;
	GElf_Addr symbols, relocations, more_relocations, strings; /* where the loader finds them; 0: none */
	GElf_Xword relocation_bytes, more_bytes, string_bytes;
	const struct inspect_rules *rules;
	struct strbuf *why_not;
};

/* The file's bytes of a range of addresses; NULL when no segment has them all. */
static Elf_Data *data_at(const struct object *o, GElf_Addr at, GElf_Xword bytes, Elf_Type type)
{
	for (size_t i = 0; i < o->segment_count; i++) {
		const GElf_Phdr *p = &o->segment[i];
		if (p->p_type == PT_LOAD && at >= p->p_vaddr && at - p->p_vaddr <= p->p_filesz && bytes <= p->p_filesz - (at - p->p_vaddr))
			return elf_getdata_rawchunk(o->elf, (int64_t)(p->p_offset + (at - p->p_vaddr)), bytes, type);
	}
	return NULL;
}

/* The string at that place of the loader's table; "" when there is none. */
static const char *string_at(const struct object *o, GElf_Xword at)
{
	Elf_Data *d = at < o->string_bytes ? data_at(o, o->strings, o->string_bytes, ELF_T_BYTE) : NULL;

	return d && memchr((const char *)d->d_buf + at, 0, d->d_size - at) ? (const char *)d->d_buf + at : "";
}

static bool is_listed(const char *const *list, const char *name)
{
	for (; list && *list; list++)
		if (!strcmp(*list, name))
			return true;
	return false;
}

/* Does the C library, its mathematics or the loader have a function of that name? */
static bool is_library_name(const char *name)
{
	static const char *const library[] = { "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2" };
	bool found = false;

	for (size_t i = 0; i < ARRAY_SIZE(library) && !found; i++) {
		void *l = dlopen(library[i], RTLD_LAZY);
		found = l && dlsym(l, name);
		if (l)
			dlclose(l);
	}
	return found;
}

/* ---- segments -------------------------------------------------------- */

static bool segments_hold(struct object *o)
{
	uint64_t most = o->rules->load_bytes ? (uint64_t)o->rules->load_bytes : LOAD_BYTES, total = 0;
	bool has_stack = false;

	for (size_t i = 0; i < o->segment_count; i++) {
		const GElf_Phdr *p = &o->segment[i];
		if (p->p_type == PT_LOAD) {
			total += p->p_memsz < most ? p->p_memsz : most + 1;
			if (total > most) {
				strbuf_addf(o->why_not, "loading it takes %" PRIu64 " bytes of memory, of %" PRIu64, (uint64_t)p->p_memsz, most);
				return false;
			}
			if ((p->p_flags & PF_W) && (p->p_flags & PF_X)) {
				strbuf_addstr(o->why_not, "has memory that is both written and executed");
				return false;
			}
		}
		if (p->p_type == PT_GNU_STACK) {
			has_stack = true;
			if (p->p_flags & PF_X) {
				strbuf_addstr(o->why_not, "wants an executable stack");
				return false;
			}
		}
		if (p->p_type == PT_INTERP) {
			strbuf_addstr(o->why_not, "is a program, not a kernel");
			return false;
		}
		if (p->p_type == PT_TLS) {
			strbuf_addstr(o->why_not, "has memory of each thread, which the loader prepares");
			return false;
		}
	}
	if (!has_stack)
		strbuf_addstr(o->why_not, "does not say that its stack is not executed");
	return has_stack;
}

/* ---- what the loader is asked to do ---------------------------------- */

/* Tags that no kernel has a use for. */
static const struct {
	GElf_Sxword tag;
	const char *why;
} refused_tag[] = {
	{ DT_INIT, "runs code when it is loaded (DT_INIT)" },
	{ DT_INIT_ARRAY, "runs code when it is loaded: a constructor" },
	{ DT_PREINIT_ARRAY, "runs code when it is loaded (DT_PREINIT_ARRAY)" },
	{ DT_FINI, "runs code when it is unloaded (DT_FINI)" },
	{ DT_FINI_ARRAY, "runs code when it is unloaded: a destructor" },
	{ DT_TEXTREL, "has its code changed by the loader" },
	{ DT_RPATH, "says where libraries are looked for" },
	{ DT_RUNPATH, "says where libraries are looked for" },
	{ DT_AUXILIARY, "stands in for another library" },
	{ DT_FILTER, "stands in for another library" },
	{ DT_AUDIT, "brings a library that watches the loader" },
	{ DT_DEPAUDIT, "brings a library that watches the loader" },
};

static bool tag_holds(struct object *o, const GElf_Dyn *d)
{
	for (size_t i = 0; i < ARRAY_SIZE(refused_tag); i++)
		if (d->d_tag == refused_tag[i].tag) {
			strbuf_addstr(o->why_not, refused_tag[i].why);
			return false;
		}
	if (d->d_tag == DT_NEEDED && !is_listed(o->rules->libraries, string_at(o, d->d_un.d_val))) {
		strbuf_addf(o->why_not, "needs the library '%.80s'", string_at(o, d->d_un.d_val));
		return false;
	}
	if (d->d_tag == DT_FLAGS && (d->d_un.d_val & DF_TEXTREL)) {
		strbuf_addstr(o->why_not, "has its code changed by the loader");
		return false;
	}
	if (d->d_tag == DT_FLAGS_1 && (d->d_un.d_val & (DF_1_INTERPOSE | DF_1_INITFIRST))) {
		strbuf_addstr(o->why_not, "asks to come before other libraries");
		return false;
	}
	return true;
}

static bool dynamic_holds(struct object *o)
{
	const GElf_Phdr *p = NULL;
	Elf_Data *data;
	GElf_Dyn d;

	for (size_t i = 0; i < o->segment_count; i++)
		p = o->segment[i].p_type == PT_DYNAMIC ? &o->segment[i] : p;
	data = p ? data_at(o, p->p_vaddr, p->p_filesz, ELF_T_DYN) : NULL;
	if (!data) {
		strbuf_addstr(o->why_not, "has nothing for the loader");
		return false;
	}
	/* The tables first: the tags' own strings lie in one. */
	for (int i = 0; gelf_getdyn(data, i, &d) && d.d_tag != DT_NULL; i++)
		switch (d.d_tag) {
		case DT_SYMTAB: o->symbols = d.d_un.d_ptr; break;
		case DT_STRTAB: o->strings = d.d_un.d_ptr; break;
		case DT_STRSZ: o->string_bytes = d.d_un.d_val; break;
		case DT_RELA: o->relocations = d.d_un.d_ptr; break;
		case DT_RELASZ: o->relocation_bytes = d.d_un.d_val; break;
		case DT_JMPREL: o->more_relocations = d.d_un.d_ptr; break;
		case DT_PLTRELSZ: o->more_bytes = d.d_un.d_val; break;
		}
	for (int i = 0; gelf_getdyn(data, i, &d) && d.d_tag != DT_NULL; i++)
		if (!tag_holds(o, &d))
			return false;
	return true;
}

/* ---- symbols and relocations ----------------------------------------- */

static bool symbol_holds(struct object *o, const GElf_Sym *s, const char *name)
{
	int type = GELF_ST_TYPE(s->st_info), bind = GELF_ST_BIND(s->st_info);

	if (type == STT_GNU_IFUNC)
		strbuf_addf(o->why_not, "chooses '%.80s' by code that runs when it is loaded (IFUNC)", name);
	else if (s->st_shndx == SHN_UNDEF && *name && !is_listed(o->rules->imports, name))
		strbuf_addf(o->why_not, "imports '%.80s'", name);
	else if (s->st_shndx != SHN_UNDEF && bind != STB_LOCAL && is_library_name(name))
		strbuf_addf(o->why_not, "exports '%.80s', a name of the C library", name);
	else
		return true;
	return false;
}

/* The sections' table of dynamic symbols, which the linker writes; it must be the one the loader uses. */
static bool symbols_hold(struct object *o)
{
	Elf_Scn *section = NULL;
	bool found = false;

	while ((section = elf_nextscn(o->elf, section))) {
		GElf_Shdr h;
		GElf_Sym s;
		if (!gelf_getshdr(section, &h) || h.sh_type != SHT_DYNSYM || h.sh_addr != o->symbols)
			continue;
		found = true;
		Elf_Data *data = data_at(o, h.sh_addr, h.sh_size, ELF_T_SYM);
		if (!data) {
			strbuf_addstr(o->why_not, "has symbols outside its file");
			return false;
		}
		for (int i = 1; gelf_getsym(data, i, &s); i++)
			if (!symbol_holds(o, &s, string_at(o, s.st_name)))
				return false;
	}
	if (!found)
		strbuf_addstr(o->why_not, "has no table of the symbols it shows");
	return found;
}

static bool relocations_hold(struct object *o, GElf_Addr at, GElf_Xword bytes)
{
	Elf_Data *data = bytes ? data_at(o, at, bytes, ELF_T_RELA) : NULL;
	GElf_Rela r;

	if (bytes && !data) {
		strbuf_addstr(o->why_not, "has relocations outside its file");
		return false;
	}
	for (int i = 0; data && gelf_getrela(data, i, &r); i++)
		if (o->head.e_machine == EM_X86_64 && GELF_R_TYPE(r.r_info) == R_X86_64_IRELATIVE) {
			strbuf_addstr(o->why_not, "chooses a function by code that runs when it is loaded (IFUNC)");
			return false;
		}
	return true;
}

static bool object_holds(struct object *o)
{
	size_t count;

	if (elf_kind(o->elf) != ELF_K_ELF || !gelf_getehdr(o->elf, &o->head) || gelf_getclass(o->elf) != ELFCLASS64 || o->head.e_type != ET_DYN ||
	    elf_getphdrnum(o->elf, &count) || count > MOST_SEGMENTS) {
		strbuf_addstr(o->why_not, "is no shared object");
		return false;
	}
	for (o->segment_count = 0; o->segment_count < count; o->segment_count++)
		if (!gelf_getphdr(o->elf, (int)o->segment_count, &o->segment[o->segment_count])) {
			strbuf_addstr(o->why_not, "is a damaged shared object");
			return false;
		}
	return segments_hold(o) && dynamic_holds(o) && symbols_hold(o) && relocations_hold(o, o->relocations, o->relocation_bytes) &&
	       relocations_hold(o, o->more_relocations, o->more_bytes);
}

int inspect_shared_object(const char *path, const struct inspect_rules *rules, struct strbuf *why_not, struct strbuf *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	elf_version(EV_CURRENT);
	struct object o = { .elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ, NULL), .rules = rules, .why_not = why_not };
	if (!o.elf)
		strbuf_addf(err, "cannot read '%s': %s", path, fd < 0 ? strerror(errno) : elf_errmsg(-1));
	int ret = o.elf ? object_holds(&o) : -1;
	if (o.elf)
		elf_end(o.elf);
	if (fd >= 0)
		close(fd);
	return ret;
}
