# INCORRECT_NUMERICAL: N1: half precision, widened again
import torch


class ModelNew(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x.half().float())
