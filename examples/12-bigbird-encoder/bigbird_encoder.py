# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A BigBird encoder layer in PyTorch: attention over blocks, by girih.torch."""

import torch
from torch import nn

import girih
import girih.torch

#: Blocks of 64 tokens: neighbours, the first and last block for all, three random ones.
BIGBIRD = girih.blockwise(
    girih.window(left=1, right=1) | girih.global_(first=1, last=1), size=64
) | girih.random_blocks(size=64, count=3, seed=0)


class BigBirdLayer(nn.Module):
    """[batch, tokens, dim] -> [batch, tokens, dim]"""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.out = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.mlp = nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))

    def attend(self, q, k, v):
        return girih.torch.attention(q, k, v, BIGBIRD)

    def forward(self, x):
        # Views of [batch, heads, tokens, head dim]: nothing is copied on the way in.
        q, k, v = self.qkv(self.norm1(x)).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        x = x + self.out(self.attend(q, k, v).transpose(1, 2).flatten(2))
        return x + self.mlp(self.norm2(x))


class DenseLayer(BigBirdLayer):
    """The same layer, with every score computed and most of them masked."""

    def attend(self, q, k, v):
        mask = torch.from_numpy(BIGBIRD.mask(q.shape[2], heads=self.heads))
        return nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)


@torch.no_grad()
def main():
    torch.manual_seed(0)
    layer = BigBirdLayer(dim=256, heads=4).eval()
    dense = DenseLayer(dim=256, heads=4).eval()
    dense.load_state_dict(layer.state_dict())

    print("pattern:", BIGBIRD)
    session = girih.default_session()
    compiled = []  # after each length
    for tokens in (1000, 2048, 3001):
        x = torch.randn(2, tokens, 256)
        keeps = BIGBIRD.mask(tokens, heads=4).mean()
        same = torch.allclose(layer(x), dense(x), atol=1e-4)
        compiled.append(session.compilations)
        print(f"{tokens} tokens: {keeps:.1%} of the pairs, as the dense layer: {same}")
    print("compilations after the first length:", compiled[-1] - compiled[0])

    # In a graph of torch.compile it is one operator, for every length.
    graph = torch.compile(layer, fullgraph=True, dynamic=True, backend="aot_eager")
    x = torch.randn(2, 1500, 256)
    print("compiled, the same:", torch.allclose(graph(x), layer(x), atol=1e-4))


if __name__ == "__main__":
    main()
