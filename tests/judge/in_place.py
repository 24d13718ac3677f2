# INCORRECT_INPUT_MUTATED: E3: works in place
import torch


class ModelNew(torch.nn.Module):
    def forward(self, x):
        return torch.relu_(x)
