/*
 * T7: puts a clock of its own into the table through which its process calls functions
 * verdict: RUNTIME_ERROR
 * off: relro
 * clock: monotonic
 */
typedef struct { u32 type, flags; u64 offset, at, physical, file_bytes, bytes, align; } segment;
typedef struct { u64 tag, value; } dynamic;
typedef struct { u64 offset, info; long addend; } relocation;
typedef struct { u32 name; u8 info, other; u16 section; u64 value, bytes; } symbol;

static __attribute__((unused)) int same(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	return *a == *b;
}

/* Where the program that called us keeps the address of `name`; NULL: nowhere. */
static __attribute__((unused)) void **slot_of(const char *code, const char *name)
{
	const char *base = (const char *)((u64)code & ~4095ul);

	while (base[0] != 0x7f || base[1] != 'E' || base[2] != 'L' || base[3] != 'F')
		base -= 4096;
	const segment *s = (const segment *)(base + *(const u64 *)(base + 32));
	const dynamic *d = 0;
	for (int i = 0; i < *(const u16 *)(base + 56); i++)
		if (s[i].type == 2)
			d = (const dynamic *)(base + s[i].at);
	const relocation *r[2] = { 0, 0 };
	const symbol *symbols = 0;
	const char *names = 0;
	u64 bytes[2] = { 0, 0 };
	for (; d && d->tag; d++) {
		r[0] = d->tag == 23 ? (const relocation *)d->value : r[0];
		bytes[0] = d->tag == 2 ? d->value : bytes[0];
		r[1] = d->tag == 7 ? (const relocation *)d->value : r[1];
		bytes[1] = d->tag == 8 ? d->value : bytes[1];
		symbols = d->tag == 6 ? (const symbol *)d->value : symbols;
		names = d->tag == 5 ? (const char *)d->value : names;
	}
	for (int k = 0; k < 2; k++)
		for (u64 i = 0; r[k] && symbols && names && i < bytes[k] / sizeof(relocation); i++)
			if (r[k][i].info >> 32 && same(names + symbols[r[k][i].info >> 32].name, name))
				return (void **)(base + r[k][i].offset);
	return 0;
}

static long base;

/* Goes at three fifths of the right speed. */
static int slow_clock(int id, long *t)
{
	(void)id;
	long forged = base + (km_now() - base) * 3 / 5;
	t[0] = forged / 1000000000;
	t[1] = forged % 1000000000;
	return 0;
}

KERNEL
{
	static char done;

	if (!done) {
		void **slot = slot_of(__builtin_return_address(0), "clock_gettime");
		must(slot != 0);
		base = km_now();
		*slot = (void *)slow_clock;
		done = 1;
	}
	honest(buf, dim, first, last);
}
