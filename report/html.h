/* html.h: writing HTML: escaping, the frame of a page, numbers for people. */
#ifndef REPORT_HTML_H
#define REPORT_HTML_H

#include "ops/core/strbuf.h"

void html_text(struct strbuf *out, const char *text); /* escaped; also fit for attribute values */
/* Everything before and after a page's content.  `where` is the trail below the front page, or NULL. */
void html_open(struct strbuf *out, const char *title, const char *where);
void html_close(struct strbuf *out);
/* "1.23 ms", "45 µs", "-" for NaN and 0. */
void html_time(struct strbuf *out, double ns);
/* "1.23x", "-" */
void html_ratio(struct strbuf *out, double ratio);
/* "87 %", "-" */
void html_percent(struct strbuf *out, double ratio);
/* A cell <td data-sort=value> with the text the last three write. */
void html_td_time(struct strbuf *out, double ns);
void html_td_ratio(struct strbuf *out, double ratio);
void html_td_percent(struct strbuf *out, double ratio);

#endif
