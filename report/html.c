#include "report/html.h"

#include <math.h>

static const char style[] =
	":root{--ink:#1c2024;--soft:#5b6570;--line:#d5dae0;--paper:#fff;--band:#f4f6f8;--link:#0b57a4;"
	"--good:#0a6b3d;--good-bg:#dff3e7;--bad:#9c1c1c;--bad-bg:#fbe4e2;--mid-bg:#fdf3d8;--bar:#2f6fb2}"
	"@media(prefers-color-scheme:dark){:root{--ink:#e6e9ec;--soft:#a3adb8;--line:#3a424b;--paper:#15191d;"
	"--band:#1d2328;--link:#7db7f2;--good:#7fd6a4;--good-bg:#143524;--bad:#f0a09a;--bad-bg:#40201e;"
	"--mid-bg:#3b3217;--bar:#6ea8e0}}"
	"body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);margin:0 auto;"
	"max-width:78rem;padding:1rem 1.5rem 4rem}"
	"h1{font-size:1.6rem;margin:.4rem 0}h2{font-size:1.2rem;margin:2rem 0 .5rem}h3{font-size:1rem;margin:1.4rem 0 .3rem}"
	"a{color:var(--link)}a:focus-visible,summary:focus-visible,th:focus-visible{outline:3px solid var(--link)}"
	".soft{color:var(--soft)}.wrap{overflow-x:auto}"
	"table{border-collapse:collapse;margin:.4rem 0;font-variant-numeric:tabular-nums}"
	"th,td{border:1px solid var(--line);padding:.25rem .6rem;text-align:left;vertical-align:top}"
	"thead th{background:var(--band)}td.n,th.n{text-align:right;white-space:nowrap}"
	"tr:hover td{background:var(--band)}.good{background:var(--good-bg);color:var(--good)}"
	".bad{background:var(--bad-bg);color:var(--bad)}.mid{background:var(--mid-bg)}"
	"pre{background:var(--band);border:1px solid var(--line);padding:.7rem;overflow:auto;max-height:36rem;"
	"font:13px/1.45 ui-monospace,monospace}code{font:13px ui-monospace,monospace}"
	"svg text{fill:var(--ink);font:12px system-ui,sans-serif}svg .axis{stroke:var(--soft)}svg .grid{stroke:var(--line)}"
	"svg .step{stroke:var(--bar);fill:none;stroke-width:2}svg .dot{fill:var(--bar);opacity:.45}svg .fail{fill:var(--bad)}"
	"dl{display:grid;grid-template-columns:max-content auto;gap:.1rem 1rem}dt{color:var(--soft)}dd{margin:0}"
	"input[type=search]{font:inherit;padding:.3rem .5rem;border:1px solid var(--soft);background:var(--paper);color:var(--ink)}";

/* Sorting by a column's header and filtering rows; pages are whole without it. */
static const char script[] =
	"document.querySelectorAll('table.sort').forEach(t=>{"
	"t.querySelectorAll('thead th').forEach((h,c)=>{h.tabIndex=0;h.setAttribute('role','button');h.style.cursor='pointer';"
	"const go=()=>{const up=h.getAttribute('aria-sort')!='ascending';"
	"t.querySelectorAll('th').forEach(x=>x.removeAttribute('aria-sort'));h.setAttribute('aria-sort',up?'ascending':'descending');"
	"const b=t.tBodies[0];[...b.rows].sort((p,q)=>{const v=r=>r.cells[c].dataset.sort??r.cells[c].textContent.trim();"
	"const x=v(p),y=v(q),d=parseFloat(x)-parseFloat(y);return(up?1:-1)*(isNaN(d)?x.localeCompare(y):d)}).forEach(r=>b.append(r))};"
	"h.onclick=go;h.onkeydown=e=>{if(e.key=='Enter'||e.key==' '){e.preventDefault();go()}}});"
	"if(t.tBodies[0].rows.length>8){const i=document.createElement('input');i.type='search';i.placeholder='filter rows';"
	"i.setAttribute('aria-label','filter rows');i.oninput=()=>{for(const r of t.tBodies[0].rows)"
	"r.hidden=!r.textContent.toLowerCase().includes(i.value.toLowerCase())};t.parentNode.before(i)}});";

void html_text(struct strbuf *out, const char *text)
{
	for (; *text; text++)
		switch (*text) {
		case '&': strbuf_addstr(out, "&amp;"); break;
		case '<': strbuf_addstr(out, "&lt;"); break;
		case '>': strbuf_addstr(out, "&gt;"); break;
		case '"': strbuf_addstr(out, "&quot;"); break;
		default: strbuf_addch(out, *text);
		}
}

void html_open(struct strbuf *out, const char *title, const char *where)
{
	strbuf_addstr(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
			   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\"><title>");
	html_text(out, title);
	strbuf_addf(out, " - Kernelmill</title><style>%s</style></head><body>\n", style);
	strbuf_addstr(out, "<nav class=\"soft\" aria-label=\"trail\"><a href=\"index.html\">Kernelmill</a>");
	if (where) {
		strbuf_addstr(out, " / ");
		html_text(out, where);
	}
	strbuf_addstr(out, "</nav>\n<main><h1>");
	html_text(out, title);
	strbuf_addstr(out, "</h1>\n");
}

void html_close(struct strbuf *out)
{
	strbuf_addf(out, "</main><script>%s</script></body></html>\n", script);
}

void html_time(struct strbuf *out, double ns)
{
	if (!(ns > 0) || !isfinite(ns))
		strbuf_addstr(out, "-");
	else if (ns < 1e3)
		strbuf_addf(out, "%.3g ns", ns);
	else if (ns < 1e6)
		strbuf_addf(out, "%.3g µs", ns / 1e3);
	else if (ns < 1e9)
		strbuf_addf(out, "%.3g ms", ns / 1e6);
	else
		strbuf_addf(out, "%.3g s", ns / 1e9);
}

void html_ratio(struct strbuf *out, double ratio)
{
	if (!(ratio > 0) || !isfinite(ratio))
		strbuf_addstr(out, "-");
	else
		strbuf_addf(out, "%.2fx", ratio);
}

void html_percent(struct strbuf *out, double ratio)
{
	if (!(ratio > 0) || !isfinite(ratio))
		strbuf_addstr(out, "-");
	else
		strbuf_addf(out, "%.0f %%", 100 * ratio);
}

static void td(struct strbuf *out, double value, void (*text)(struct strbuf *, double))
{
	strbuf_addf(out, "<td class=\"n\" data-sort=\"%.6g\">", isfinite(value) ? value : 1e99);
	text(out, value);
	strbuf_addstr(out, "</td>");
}

void html_td_time(struct strbuf *out, double ns) { td(out, ns, html_time); }
void html_td_ratio(struct strbuf *out, double ratio) { td(out, ratio, html_ratio); }
void html_td_percent(struct strbuf *out, double ratio) { td(out, ratio, html_percent); }
