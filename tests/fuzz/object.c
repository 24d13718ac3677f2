/* Shared objects, candidates' and somebody else's, as they are inspected before anything loads them. */
#include "evaluate/inspect.h"
#include "tests/fuzz.h"

#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

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

void fuzz_seeds(fuzz_add *add, void *user)
{
	add(&least, sizeof(least), user);
}
