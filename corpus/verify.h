/* verify.h: is a corpus what it claims to be? */
#ifndef CORPUS_VERIFY_H
#define CORPUS_VERIFY_H

#include "corpus/index.h"

enum verify_outcome { VERIFY_OK, VERIFY_PARTLY, VERIFY_FAULT };
/*
 * Hashes, entry and plan; then, where this machine is the target: the artifact
 * loads and is right on check shapes; and where the compiler exists: so is what
 * the source compiles to.  One line about it in *what.
 */
enum verify_outcome verify_entry(const char *folder, bool rebuild, struct strbuf *what);

#endif
