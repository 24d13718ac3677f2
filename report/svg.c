#include "report/svg.h"
#include "report/html.h"

#include <math.h>

enum { WIDTH = 640, HEIGHT = 240, LEFT = 52, RIGHT = 12, TOP = 12, BOTTOM = 34 };

struct scale {
	double low, high; /* log2 of fitness */
	size_t count;
};

static double x_of(const struct scale *s, size_t i)
{
	double share = s->count > 1 ? (double)i / (double)(s->count - 1) : 0.5;
	return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct scale *s, double fitness)
{
	double share = (log2(fitness) - s->low) / (s->high - s->low);
	return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
}

static void axes(struct strbuf *out, const struct scale *s)
{
	double step = ceil((s->high - s->low) / 6);

	for (double e = ceil(s->low); e <= s->high; e += step < 1 ? 1 : step) {
		double y = y_of(s, exp2(e));
		strbuf_addf(out, "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
				 "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.3gx</text>",
			    LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, exp2(e));
	}
	strbuf_addf(out, "<line class=\"axis\" x1=\"%d\" x2=\"%d\" y1=\"%d\" y2=\"%d\"/>", LEFT, WIDTH - RIGHT,
		    HEIGHT - BOTTOM, HEIGHT - BOTTOM);
	strbuf_addf(out, "<text x=\"%d\" y=\"%d\">1</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">trial %zu</text>",
		    LEFT, HEIGHT - 14, WIDTH - RIGHT, HEIGHT - 14, s->count);
}

void svg_search_curve(struct strbuf *out, const double *fitness, size_t count, const char *label)
{
	struct scale s = { INFINITY, -INFINITY, count };

	for (size_t i = 0; i < count; i++)
		if (fitness[i] > 0) {
			s.low = fmin(s.low, log2(fitness[i]));
			s.high = fmax(s.high, log2(fitness[i]));
		}
	if (!isfinite(s.low)) {
		strbuf_addstr(out, "<p class=\"soft\">No trial was timed.</p>\n");
		return;
	}
	s.low = floor(s.low - 0.1);
	s.high = ceil(s.high + 0.1);
	strbuf_addf(out, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" style=\"max-width:100%%\" aria-label=\"", WIDTH,
		    HEIGHT, WIDTH);
	html_text(out, label);
	strbuf_addstr(out, "\">");
	axes(out, &s);
	double best = 0;
	struct strbuf path = STRBUF_INIT;
	for (size_t i = 0; i < count; i++) {
		if (fitness[i] > 0)
			strbuf_addf(out, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>", x_of(&s, i),
				    y_of(&s, fitness[i]));
		else
			strbuf_addf(out, "<rect class=\"fail\" x=\"%.1f\" y=\"%d\" width=\"2\" height=\"7\"/>",
				    x_of(&s, i) - 1, HEIGHT - BOTTOM);
		if (fitness[i] > best) {
			if (best > 0)
				strbuf_addf(&path, "H%.1fV%.1f", x_of(&s, i), y_of(&s, fitness[i]));
			else
				strbuf_addf(&path, "M%.1f %.1f", x_of(&s, i), y_of(&s, fitness[i]));
			best = fitness[i];
		}
	}
	strbuf_addf(out, "<path class=\"step\" d=\"%sH%d\"/></svg>\n", path.buf, WIDTH - RIGHT);
	strbuf_release(&path);
}

enum { NARROW = 480 };

void svg_lines(struct strbuf *out, const struct svg_line *line, size_t count, const char *unit, const char *label)
{
	double most = 0, width = NARROW - LEFT - RIGHT, height = HEIGHT - TOP - BOTTOM;

	for (size_t i = 0; i < count; i++)
		if (line[i].count)
			most = fmax(most, line[i].x[line[i].count - 1]);
	strbuf_addf(out, "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" style=\"max-width:100%%\" aria-label=\"", NARROW, HEIGHT, NARROW);
	html_text(out, label);
	strbuf_addstr(out, "\">");
	for (int percent = 0; percent <= 100; percent += 25) {
		double y = HEIGHT - BOTTOM - percent * height / 100;
		strbuf_addf(out, "<line class=\"%s\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%d %%</text>",
			    percent ? "grid" : "axis", LEFT, NARROW - RIGHT, y, y, LEFT - 6, y + 4, percent);
	}
	strbuf_addf(out, "<text x=\"%d\" y=\"%d\">0</text><text x=\"%d\" y=\"%d\" text-anchor=\"end\">%.4g %s</text>", LEFT, HEIGHT - 14, NARROW - RIGHT, HEIGHT - 14,
		    most, unit);
	for (size_t i = 0; i < count; i++) {
		const struct svg_line *l = &line[i];
		if (!l->count || !(most > 0))
			continue;
		strbuf_addf(out, "<path class=\"step\" style=\"opacity:.7\" d=\"M%.1f %.1f", LEFT + l->x[0] / most * width, HEIGHT - BOTTOM - l->y[0] * height);
		for (size_t k = 1; k < l->count; k++)
			if (l->y[k] > l->y[k - 1])
				strbuf_addf(out, "H%.1fV%.1f", LEFT + l->x[k] / most * width, HEIGHT - BOTTOM - l->y[k] * height);
		strbuf_addf(out, "H%.1f\"/>", LEFT + l->x[l->count - 1] / most * width);
	}
	strbuf_addstr(out, "</svg>\n");
}
