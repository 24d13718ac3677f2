"""What the operators that draw random numbers are judged by: Philox4x32-10 in
NumPy, and tests of a sample against a distribution's moments and function.

An operator's .torch expression computes what it draws and passes it through
follows(), which raises when the sample is not one of that distribution.
"""
import math

import numpy as np
import torch

MASK = np.uint64(0xFFFFFFFF)


def philox(seed, count, lane=0, first=0):
    """Words `lane` of counters first..first+count-1 under key `seed`."""
    counter = np.arange(first, first + count, dtype=np.uint64)
    c = [counter & MASK, counter >> np.uint64(32), np.zeros_like(counter), np.zeros_like(counter)]
    k0, k1 = seed & 0xFFFFFFFF, seed >> 32 & 0xFFFFFFFF
    for _ in range(10):
        p0, p1 = np.uint64(0xD2511F53) * c[0], np.uint64(0xCD9E8D57) * c[2]
        c = [(p1 >> np.uint64(32)) ^ c[1] ^ np.uint64(k0), p1 & MASK, (p0 >> np.uint64(32)) ^ c[3] ^ np.uint64(k1), p0 & MASK]
        k0, k1 = (k0 + 0x9E3779B9) & 0xFFFFFFFF, (k1 + 0xBB67AE85) & 0xFFFFFFFF
    return torch.from_numpy(c[lane].astype(np.int64))


def unit(seed, count, lane=0):
    """In [0, 1), 24 bits."""
    return (philox(seed, count, lane) >> 8).double() * 2.0**-24


def gauss(seed, count):
    """Standard normal, Box and Muller's."""
    return torch.sqrt(-2 * torch.log(unit(seed, count) + 2.0**-24)) * torch.cos(2 * math.pi * unit(seed, count, 1))


def normal_cdf(x, mean=0.0, std=1.0):
    return 0.5 * (1 + torch.erf((x - mean) / (std * math.sqrt(2))))


def follows(sample, cdf, mean, variance):
    """The sample itself, if its moments and its greatest distance from cdf (Kolmogorov, Smirnov) are those of chance."""
    n = sample.numel()
    if n < 1000:
        return sample
    x = torch.sort(sample.double().flatten()).values
    p, i = cdf(x), torch.arange(n, dtype=torch.float64)
    distance = max(float((p - i / n).abs().max()), float(((i + 1) / n - p).abs().max()))
    if distance * math.sqrt(n) > 1.95:  # once in a thousand samples
        raise AssertionError(f"distance {distance:.4f} from the distribution of {n} values")
    if abs(float(x.mean()) - mean) > 4 * math.sqrt(variance / n):
        raise AssertionError(f"mean {float(x.mean()):.4f}, not {mean:.4f}")
    if abs(float(x.var()) / variance - 1) > 12 / math.sqrt(n):
        raise AssertionError(f"variance {float(x.var()):.4f}, not {variance:.4f}")
    return sample


def occurs(sample, probability):
    """The sample of 0..K-1 itself, if each occurs as often as its probability says (chi-square)."""
    n, k = sample.numel(), probability.numel()
    if n < 1000:
        return sample
    want = probability.double() / probability.double().sum() * n
    chi = float(((torch.bincount(sample.flatten(), minlength=k).double() - want) ** 2 / want).sum())
    if k > 1 and chi > (k - 1) + 4 * math.sqrt(2 * (k - 1)) + 8:
        raise AssertionError(f"chi-square {chi:.1f} of {k} values")
    return sample
