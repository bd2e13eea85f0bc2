"""The parameter `CUDA`: a test or benchmark that wants a GPU. `make test-gpu` runs all of them in one go."""

import pytest
import torch

CUDA = pytest.param(
    "cuda", marks=[pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
)
