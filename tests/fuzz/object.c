/* Shared objects, candidates' and somebody else's, as they are inspected before anything loads them; and cubins. */
#include "evaluate/inspect.h"
#include "generate/cubin.h"
#include "generate/lang.h"
#include "tests/fuzz.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void add(const char *key, double value, void *user)
{
	(void)user;
	if (!*key || value < 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const imports[] = { "expf", "memcpy", NULL }, *const libraries[] = { "libm.so.6", NULL };
	const struct inspect_rules rules = { .imports = imports, .libraries = libraries };
	struct strbuf why_not = STRBUF_INIT, err = STRBUF_INIT;
	char path[96];

	snprintf(path, sizeof(path), "%s/object", fuzz_folder());
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		abort();
	close(fd);
	int ret = inspect_shared_object(path, &rules, &why_not, &err);
	if ((ret == 0) != (why_not.len > 0) || (ret < 0) != (err.len > 0))
		abort();
	strbuf_reset(&err);
	ret = lang_find("c")->inspect(path, "kernel", add, NULL, &err);
	if (!ret != !err.len)
		abort();
	strbuf_reset(&err);
	ret = cubin_inspect(path, "kernel", add, NULL, &err);
	if (!ret != !err.len)
		abort();
	strbuf_release(&why_not);
	strbuf_release(&err);
	return 0;
}

/* The least that may be loaded: one segment of it all, a symbol it shows and one it imports, a relocation. */
static const struct object {
	Elf64_Ehdr head;
	Elf64_Phdr segment[3];
	Elf64_Dyn dynamic[9];
	Elf64_Sym symbol[3];
	Elf64_Rela relocation[1];
	char strings[32];
	Elf64_Shdr section[2];
} least = {
	.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_DYN, .e_machine = EM_X86_64, .e_version = EV_CURRENT,
		  .e_phoff = offsetof(struct object, segment), .e_shoff = offsetof(struct object, section), .e_ehsize = sizeof(Elf64_Ehdr),
		  .e_phentsize = sizeof(Elf64_Phdr), .e_phnum = 3, .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 2 },
	.segment = { { .p_type = PT_LOAD, .p_flags = PF_R, .p_filesz = sizeof(struct object), .p_memsz = sizeof(struct object), .p_align = 4096 },
		     { .p_type = PT_DYNAMIC, .p_flags = PF_R, .p_offset = offsetof(struct object, dynamic), .p_vaddr = offsetof(struct object, dynamic),
		       .p_filesz = 9 * sizeof(Elf64_Dyn), .p_memsz = 9 * sizeof(Elf64_Dyn), .p_align = 8 },
		     { .p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W } },
	.dynamic = { { DT_NEEDED, { 13 } }, { DT_SYMTAB, { offsetof(struct object, symbol) } }, { DT_STRTAB, { offsetof(struct object, strings) } }, { DT_STRSZ, { 32 } },
		     { DT_RELA, { offsetof(struct object, relocation) } }, { DT_RELASZ, { sizeof(Elf64_Rela) } }, { DT_JMPREL, { offsetof(struct object, relocation) } },
		     { DT_PLTRELSZ, { sizeof(Elf64_Rela) } }, { DT_NULL, { 0 } } },
	.symbol = { { .st_name = 0 }, { .st_name = 1, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 1 }, { .st_name = 8, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC) } },
	.relocation = { { .r_offset = offsetof(struct object, strings), .r_info = ELF64_R_INFO(2, R_X86_64_GLOB_DAT) } },
	.strings = "\0kernel\0expf\0libm.so.6",
	.section = { { .sh_type = SHT_NULL },
		     { .sh_type = SHT_DYNSYM, .sh_addr = offsetof(struct object, symbol), .sh_offset = offsetof(struct object, symbol), .sh_size = 3 * sizeof(Elf64_Sym),
		       .sh_entsize = sizeof(Elf64_Sym) } },
};

/* A cubin as ptxas lays it out: its kernel's code and memory, what it says of registers, and what a launch gives beside. */
static const struct cubin {
	Elf64_Ehdr head;
	Elf64_Shdr section[7];
	Elf64_Sym symbol[3];
	uint32_t info[6], given, code[8];
	char names[96];
} cubin = {
	.head = { .e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC, .e_machine = EM_CUDA, .e_version = EV_CURRENT,
		  .e_shoff = offsetof(struct cubin, section), .e_ehsize = sizeof(Elf64_Ehdr), .e_shentsize = sizeof(Elf64_Shdr), .e_shnum = 7, .e_shstrndx = 1 },
	.section = { { .sh_type = SHT_NULL },
		     { .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct cubin, names), .sh_size = 96 },
		     { .sh_type = SHT_SYMTAB, .sh_offset = offsetof(struct cubin, symbol), .sh_size = 3 * sizeof(Elf64_Sym), .sh_link = 1 },
		     { .sh_name = 1, .sh_type = SHT_PROGBITS, .sh_offset = offsetof(struct cubin, info), .sh_size = 24 },
		     { .sh_name = 10, .sh_type = SHT_PROGBITS, .sh_offset = offsetof(struct cubin, code), .sh_size = 32 },
		     { .sh_name = 23, .sh_type = SHT_NOBITS, .sh_size = 4096 },
		     { .sh_type = SHT_PROGBITS, .sh_offset = offsetof(struct cubin, given), .sh_size = 4 } },
	.symbol = { { .st_name = 0 }, { .st_name = 41, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), .st_shndx = 4 },
		    { .st_name = 48, .st_info = ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), .st_shndx = 6, .st_size = 4 } },
	.info = { 0x00082f04, 1, 32, 0x00081104, 1, 64 },
	.given = 1024,
	.code = { 0x23c },
	.names = "\0.nv.info\0.text.kernel\0.nv.shared.kernel\0kernel\0kernel_shared",
};

void fuzz_seeds(fuzz_add *add_seed, void *user)
{
	add_seed(&least, sizeof(least), user);
	add_seed(&cubin, sizeof(cubin), user);
}
