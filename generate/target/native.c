#include "generate/target.h"

static int probe(void)
{
	return target_of_this_machine() != NULL;
}

const struct target target_native = {
	.name = "native",
	.summary = "this machine: stands for the named target it is",
	.alias = "native",
	.probe = probe,
};
