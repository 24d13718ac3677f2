/*
 * defence.h: what a judgement stands on, by name.
 *
 * In everything that is built for use defence_stands() is true, a constant.  The test
 * build (KM_OPEN, tests/tests.mk) leaves out those that KM_DEFENCES_OFF="word ..."
 * names, so that tests/trust/cheats.sh can show of each cheat that it wins where its
 * defence is missing.  A defence is a line of defence.def and a question where it acts.
 */
#ifndef OPS_CORE_DEFENCE_H
#define OPS_CORE_DEFENCE_H

#include "ops/core/base.h"

enum defence {
#define X(name, word, does) DEFENCE_##name,
#include "ops/core/defence.def"
#undef X
	DEFENCE_COUNT
};

#ifdef KM_OPEN
bool defence_stands(enum defence defence);
/* "KM_DEFENCES_OFF=..." for a process started without an environment, or NULL. */
char *defence_environment(void);
#else
#define defence_stands(defence) ((void)(defence), true)
#define defence_environment() NULL
#endif

#endif
