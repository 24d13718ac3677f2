#include "ops/core/op.h"

#include <math.h>
#include <stdlib.h>

static double cubic(double x)
{
	x = fabs(x);
	if (x < 1)
		return (1.5 * x - 2.5) * x * x + 1;
	return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

/* Weights of n inputs for output o of m: the filter is widened where the image shrinks (antialiasing), and sums to 1. */
static void weights(int64_t o, int64_t n, int64_t m, double *w)
{
	double scale = (double)n / (double)m, wide = scale > 1 ? scale : 1, centre = scale * ((double)o + 0.5), total = 0;
	int64_t lo = (int64_t)(centre - 2 * wide + 0.5), hi = (int64_t)(centre + 2 * wide + 0.5);

	lo = lo < 0 ? 0 : lo;
	hi = hi > n ? n : hi;
	for (int64_t i = 0; i < n; i++)
		total += w[i] = i >= lo && i < hi ? cubic(((double)i - centre + 0.5) / wide) : 0;
	for (int64_t i = 0; i < n; i++)
		w[i] /= total;
}

static void reference(const struct op_case *c)
{
	int64_t N = c->dim[0], H = c->dim[1], W = c->dim[2], HO = c->dim[3], WO = c->dim[4];
	double *u = malloc((size_t)H * sizeof(*u)), *v = malloc((size_t)W * sizeof(*v));

	if (!u || !v)
		abort();
	for (int64_t i = 0; i < HO; i++)
		for (int64_t j = 0; j < WO; j++) {
			weights(i, H, HO, u);
			weights(j, W, WO, v);
			for (int64_t n = 0; n < N; n++) {
				double sum = 0;
				for (int64_t h = 0; h < H; h++)
					for (int64_t w = 0; w < W; w++)
						sum += u[h] * v[w] * c->in[0][(n * H + h) * W + w];
				c->out[0][(n * HO + i) * WO + j] = sum;
			}
		}
	free(u);
	free(v);
}

const struct op op_upsample_bicubic2d_aa = {
	.name = "upsample_bicubic2d_aa",
	.aliases = "_upsample_bicubic2d_aa",
	.summary = "image at another size, cubic filter, widened where it shrinks",
	.dims = "N H W HO WO",
	.tensor = {
		{ "x", "N H W", OP_IN, "T", OP_REAL, NULL },
		{ "y", "N HO WO", OP_OUT, "T", OP_REAL, NULL },
	},
	/* The reference's window ends where the filter does, at two of its widths: here the filter's own zero is enough. */
	.body = "dh[i<HO,h<H] = abs((h - (i + 0.5) * H / HO + 0.5) / maximum(1.0, H / HO)); "
		"ch[i<HO,h<H] = dh[i,h] < 1 ? (1.5 * dh[i,h] - 2.5) * sq(dh[i,h]) + 1 : dh[i,h] < 2 ? "
		"((-0.5 * dh[i,h] + 2.5) * dh[i,h] - 4) * dh[i,h] + 2 : 0.0; sh[i<HO] = sum(h<H) ch[i,h]; "
		"dw[j<WO,w<W] = abs((w - (j + 0.5) * W / WO + 0.5) / maximum(1.0, W / WO)); "
		"cw[j<WO,w<W] = dw[j,w] < 1 ? (1.5 * dw[j,w] - 2.5) * sq(dw[j,w]) + 1 : dw[j,w] < 2 ? "
		"((-0.5 * dw[j,w] + 2.5) * dw[j,w] - 4) * dw[j,w] + 2 : 0.0; sw[j<WO] = sum(w<W) cw[j,w]; "
		"t[n,h,j<WO] = sum(w) x[n,h,w] * cw[j,w] / sw[j]; "
		"y[n,i<HO,j<WO] = sum(h) t[n,h,j] * ch[i,h] / sh[i]",
	.reference = reference,
	.flop = "2*N*HO*WO*(H+W)",
	.terms = "maximum(H,W)",
	.dtypes = "f32 f64",
	.shape = {
		{ "N=16 H=64 W=64 HO=128 WO=128", OP_FULL, "f32" },
		{ "N=5 H=31 W=37 HO=67 WO=53", OP_HELDOUT, "f32" },
		{ "N=2 H=3 W=5 HO=7 WO=8", OP_CHECK, NULL },
		{ "N=1 H=1 W=1 HO=1 WO=1", OP_CHECK, NULL },
		{ "N=3 H=9 W=7 HO=4 WO=17", OP_CHECK, NULL },
		{ "N=2 H=6 W=5 HO=12 WO=10", OP_CHECK, NULL },
		{ "N=2 H=5 W=11 HO=8 WO=6", OP_CHECK, NULL },
	},
	.torch = "torch.nn.functional.interpolate(x.unsqueeze(0), size=(HO, WO), mode='bicubic', antialias=True).squeeze(0)",
	.source_path = __FILE__,
};
