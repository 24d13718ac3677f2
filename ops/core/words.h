/* words.h: lists as text, words separated by spaces: "M N K". */
#ifndef OPS_CORE_WORDS_H
#define OPS_CORE_WORDS_H

/* Position of `word` among the words, or -1; NULL `word` counts them. */
int words_index(const char *words, const char *word);

#endif
