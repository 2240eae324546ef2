# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a BlockMask of PyTorch means as a pattern.

A pair attends when its block is among the full ones, or among the partial ones and
mask_mod holds. For a BlockMask that create_block_mask made, that is the mask_mod alone,
which the compiler analyses further than a list of blocks. BlockMask.from_kv_blocks takes
any lists, however. So lists and mask_mod are compared, pair by pair, the first time that
a BlockMask is used (no more work than create_block_mask did), and lists that say
something of their own become a table that the pattern looks up.
"""

from __future__ import annotations

import threading
from typing import Any, Callable, NamedTuple, Optional, Tuple

import torch
from torch.utils.weak import WeakTensorKeyDictionary

from .._errors import InvalidError
from ._language import Operands, depends_on_batch, depends_on_head

#: Pairs that are looked at at once.
_CHUNK = 1 << 24


class _Entry(NamedTuple):
    """The result for lists and a traced mask_mod."""

    lists: Tuple[Any, ...]
    form: str
    traced: Operands
    result: Operands


_lock = threading.Lock()
_entries: Any = WeakTensorKeyDictionary()


def parts(block_mask: Any) -> Tuple[Tuple[torch.Tensor, ...], str]:
    """The lists of a BlockMask, and its block sizes and lengths as a text.

    Works under torch.compile, also for a BlockMask that is made there.
    """
    lists: Tuple[torch.Tensor, ...] = (block_mask.kv_num_blocks, block_mask.kv_indices)
    if block_mask.full_kv_num_blocks is not None:
        lists = (*lists, block_mask.full_kv_num_blocks, block_mask.full_kv_indices)
    size_q, size_k = block_mask.BLOCK_SIZE
    num_q, num_k = block_mask.seq_lengths
    return lists, f"{size_q} {size_k} {num_q} {num_k}"


def lower(
    function: Any, traced: Operands, lists: Tuple[torch.Tensor, ...], form: str
) -> Operands:
    """The operands of the pattern. traced: those of `function`, the mask_mod."""
    with _lock:
        entry: Optional[_Entry] = _entries.get(lists[0])
    if entry is not None and entry.form == form and entry.traced is traced and _same(entry.lists, lists):
        return entry.result
    size_q, size_k, num_q, num_k = map(int, form.split())
    states = _states(lists, num_q, num_k, size_q, size_k)
    result = traced
    if not _implied(function, traced.text, states, lists[0].device, num_q, num_k, size_q, size_k):
        name = f"t{len(traced.tables)}"
        batch = "b" if states.shape[0] > 1 else "0"
        head = "h" if states.shape[1] > 1 else "0"
        state = f"@{name}[{batch}, {head}, q / {size_q}, k / {size_k}]"
        result = Operands(
            f"{{ {state} == 2 }} | {{ {state} == 1 }} & {traced.text}", (*traced.tables, states)
        )
    with _lock:
        _entries[lists[0]] = _Entry(_fingerprint(lists), form, traced, result)
    return result


def _fingerprint(lists: Tuple[torch.Tensor, ...]) -> Tuple[Any, ...]:
    """What `_same` needs to know: versions, or contents where versions are not counted."""
    states = [list_.clone() if list_.is_inference() else list_._version for list_ in lists]
    # The first list is the key, which must not be held.
    return tuple(zip((None, *lists[1:]), states))


def _same(known: Tuple[Any, ...], lists: Tuple[torch.Tensor, ...]) -> bool:
    if len(known) != len(lists):
        return False
    for number, ((list_, state), now) in enumerate(zip(known, lists)):
        if number and list_ is not now:
            return False
        if isinstance(state, torch.Tensor):
            if not torch.equal(state, now):
                return False
        elif state != now._version:
            return False
    return True


def _states(
    lists: Tuple[torch.Tensor, ...], num_q: int, num_k: int, size_q: int, size_k: int
) -> torch.Tensor:
    """[B, H, q-blocks, k-blocks] int64 in host memory: 0 empty, 1 partial, 2 full."""
    rows, columns = -(-num_q // size_q), -(-num_k // size_k)
    batch, heads, listed_rows = lists[0].shape
    if listed_rows != rows:
        raise InvalidError(
            f"expected block_mask with {rows} rows of blocks ({num_q} queries, blocks of {size_q}), "
            f"but got {listed_rows}"
        )
    states = torch.zeros(batch, heads, rows, columns + 1, dtype=torch.int64)
    for state in range(1, len(lists) // 2 + 1):
        counts, indices = (list_.cpu().long() for list_ in lists[2 * state - 2 : 2 * state])
        listed = torch.arange(indices.shape[-1]) < counts[..., None]
        if bool(((indices < 0) | (indices >= columns))[listed].any()):
            raise InvalidError(
                f"expected indices of block_mask from 0 to {columns - 1}, but got "
                f"{int(indices[listed].min())} to {int(indices[listed].max())}"
            )
        # What is not listed lands in the column behind the last.
        states.scatter_(3, torch.where(listed, indices, columns), state)
    return states[..., :columns].contiguous()


def _implied(
    function: Callable[..., Any],
    text: str,
    states: torch.Tensor,
    device: torch.device,
    num_q: int,
    num_k: int,
    size_q: int,
    size_k: int,
) -> bool:
    """Whether mask_mod holds nowhere in empty blocks, and everywhere in full ones."""
    batch, heads, rows, columns = states.shape
    if (batch == 1 and depends_on_batch(text)) or (heads == 1 and depends_on_head(text)):
        return False
    at_once = max(1, _CHUNK // max(1, batch * heads * size_q * num_k))
    for first in range(0, rows, at_once):
        begin, end = first * size_q, min(num_q, (first + at_once) * size_q)
        # Broadcast, and no torch.vmap, which cannot be used inside of an operator. What can be
        # traced works on every element alone.
        b, h, q, k = (
            torch.arange(start, stop, device=device).view([-1 if d == dim else 1 for d in range(4)])
            for dim, (start, stop) in enumerate(((0, batch), (0, heads), (begin, end), (0, num_k)))
        )
        mask = torch.as_tensor(function(b, h, q, k), device=device)
        mask = mask.bool().expand(batch, heads, end - begin, num_k)
        for row in range(first, min(rows, first + at_once)):
            strip = mask[:, :, row * size_q - begin : (row + 1) * size_q - begin]
            some, every = _blocks(strip.any(2), size_k, False), _blocks(strip.all(2), size_k, True)
            state = states[:, :, row]
            if bool((some & (state == 0)).any()) or bool((~every & (state == 2)).any()):
                return False
    return True


def _blocks(keys: torch.Tensor, size: int, every: bool) -> torch.Tensor:
    """[B, H, keys] as [B, H, blocks]: whether it holds for some, or for every key of a block."""
    padded = torch.nn.functional.pad(keys, (0, -keys.shape[2] % size), value=every)
    blocks = padded.reshape(*keys.shape[:2], -1, size)
    held: torch.Tensor = blocks.all(3) if every else blocks.any(3)
    return held.cpu()
