# INCORRECT_INPUT_MUTATED: works in place
import torch


class ModelNew(torch.nn.Module):
    def forward(self, x):
        return torch.relu_(x)
