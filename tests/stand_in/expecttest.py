"""As much of the package expecttest as PyTorch's test samples import; Debian has no package of it."""
import unittest

ACCEPT = False


class TestCase(unittest.TestCase):
    pass
