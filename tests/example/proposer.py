#!/usr/bin/python3
"""An agent outside that writes whole sources: C for elementwise and row-wise operators of f32, the way a model would be asked
to, one more idea an answer (generate/ask.h tells the rest).  What it writes is judged like everything else."""
import json, sys

rows = [json.loads(line) for line in sys.stdin]
problem = next(r for r in rows if r["kind"] == "problem")
tried = sum(r["kind"] == "trial" and r["policy"].startswith("exec:") for r in rows)
HEAD = """void KMSYMBOL_main(void *const *buf, const long *dim, long first, long last, void *scratch)
{
	const float *restrict x = __builtin_assume_aligned(buf[0], 64);
	float *restrict y = __builtin_assume_aligned(buf[1], 64);
	(void)scratch;
"""
RELU = HEAD + """	const long n = dim[0] * dim[1], begin = first * %(block)d, end = last * %(block)d < n ? last * %(block)d : n;
	for (long i = begin; i < end; i++)
		y[i] = x[i] > 0 || x[i] != x[i] ? x[i] : 0; /* NaN stays */
}
"""
# There is no libm for kernels: 2^k times a polynomial.
EXP = """static inline float KMSYMBOL_exp(float v)
{
	union { float f; unsigned u; } k = { v * 1.442695041f + 12582912.0f }, p;
	float r = v - (k.f - 12582912.0f) * 0.693145752f - (k.f - 12582912.0f) * 1.428606765e-6f;

	p.f = 1 + r * (1 + r * (0.5f + r * (0.16666667f + r * (0.041666668f + r * (0.0083333f + r * 0.0013888f)))));
	p.u += k.u << 23;
	return v != v ? v : v < -87 ? 0 : p.f;
}
"""
SOFTMAX = EXP + HEAD + """	for (long r = first; r < last; r++) {
		const float *a = x + r * dim[1];
		float *b = y + r * dim[1], most = -__builtin_inff(), sum = 0;
		for (long c = 0; c < dim[1]; c++)
			most = a[c] > most ? a[c] : most;
		for (long c = 0; c < dim[1]; c++)
			sum += b[c] = KMSYMBOL_exp(a[c] - most);
		for (long c = 0; c < dim[1]; c++)
			b[c] %(scale)s;
	}
}
"""
IDEAS = {
    "relu": [{"source": RELU % {"block": b}, "steps": [f"main grid=cdiv(M*N,{b})"]} for b in (4096, 1024, 16384)],
    "softmax": [{"source": SOFTMAX % {"scale": s}, "steps": ["main grid=R"]} for s in ("/= sum", "*= 1 / sum")],
}
ideas = IDEAS.get(problem["op"], []) if problem["dtype"] == "f32" and "c" in problem["languages"] else []
for idea in ideas[tried:tried + rows[-1]["want"]]:
    print(json.dumps({"lang": "c", "edge": "written", **idea}))
