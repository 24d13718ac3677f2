# PASSED: a module that holds weights; problem layer_norm/f32/R=64,C=256/t1
import torch


class ModelNew(torch.nn.Module):
    def __init__(self, columns):
        super().__init__()
        self.norm = torch.nn.LayerNorm(columns)

    def forward(self, x):
        return self.norm(x)


def get_init_inputs():
    return [256]
