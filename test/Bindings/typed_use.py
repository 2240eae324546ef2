# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What users write, for mypy: it is checked and never run (test/Bindings/run)."""

from typing import Tuple

import numpy as np
import torch

import girih
import girih.torch

#: Whatever Python takes for an integer.
PATTERN: girih.Pattern = (
    girih.window(left=np.int64(3), right=0)
    & girih.chunk(np.int32(4))
    & girih.neighborhood([np.int64(4), 4], (3, 3), causal=[True, False])
    & girih.segments(np.array([0, 4]))
)


def results(q: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """return_lse says what there is."""
    out: torch.Tensor = girih.torch.attention(q, q, q, PATTERN)
    same: torch.Tensor = girih.torch.attention(q, q, q, PATTERN, scale=0.5, return_lse=False)
    both: Tuple[torch.Tensor, torch.Tensor] = girih.torch.attention(q, q, q, PATTERN, return_lse=True)
    return out + same, both[0], both[1]


def chosen(q: torch.Tensor, return_lse: bool) -> torch.Tensor:
    """A flag that is not known before."""
    result = girih.torch.attention(q, q, q, PATTERN, return_lse=return_lse)
    return result[0] if isinstance(result, tuple) else result
