# INCORRECT_NUMERICAL: B4: keeps the first result of a shape
import torch

kept = {}


class ModelNew(torch.nn.Module):
    def forward(self, x):
        if x.shape not in kept:
            kept[x.shape] = torch.relu(x)
        return kept[x.shape]
