# Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Real transformers with their attention replaced compute the logits of the masked dense
models: a decoder and an encoder of the package transformers, with fixed weights."""

import pytest
import torch
from torch_reference import error, mask_of

import girih
import girih.torch

transformers = pytest.importorskip("transformers")
TOKENS = 301
LONGFORMER = girih.window(left=32, right=32) | girih.global_(first=4)


def longformer(b, h, q, k):
    return ((q - k).abs() <= 32) | (q < 4) | (k < 4)


def register(name, pattern):
    """Girih as an attention of transformers."""

    def attention(module, query, key, value, attention_mask, scaling=None, dropout=0.0, **options):
        assert attention_mask is None and dropout == 0.0
        out = girih.torch.attention(query, key, value, pattern, scale=scaling)
        return out.transpose(1, 2), None

    transformers.AttentionInterface.register(name, attention)
    return name


def logits(model, implementation, tokens, mask):
    model.set_attn_implementation(implementation)
    return model(tokens, attention_mask=mask).logits


def llama():
    config = transformers.LlamaConfig(
        vocab_size=211,
        hidden_size=96,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=TOKENS,
        initializer_range=0.1,
        use_cache=False,
    )
    return transformers.LlamaForCausalLM(config)


def bert():
    config = transformers.BertConfig(
        vocab_size=211,
        hidden_size=96,
        intermediate_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=TOKENS,
        initializer_range=0.1,
    )
    return transformers.BertForMaskedLM(config)


@pytest.mark.parametrize("dense", ["sdpa", "eager"])
@pytest.mark.parametrize(
    "make, pattern, mask_mod",
    [
        (llama, girih.causal & LONGFORMER, lambda b, h, q, k: (q >= k) & longformer(b, h, q, k)),
        (bert, LONGFORMER, longformer),
    ],
    ids=["llama", "bert"],
)
def test_logits(make, pattern, mask_mod, dense):
    torch.manual_seed(0)
    model = make().eval()
    tokens = torch.randint(0, 211, (2, TOKENS), generator=torch.Generator().manual_seed(1))
    keep = mask_of(mask_mod, 2, 1, TOKENS, TOKENS)
    mask = torch.zeros(keep.shape).masked_fill(~keep, torch.finfo(torch.float32).min)
    expected = logits(model, dense, tokens, mask)
    assert error(logits(model, register(f"girih_{make.__name__}", pattern), tokens, None), expected) < 1e-5
    # The test can tell: the pattern is not what the model would do anyway.
    assert error(logits(model, dense, tokens, None), expected) > 1e-2


def test_compiled_model():
    torch.manual_seed(0)
    model = llama().eval()
    tokens = torch.randint(0, 211, (1, 64), generator=torch.Generator().manual_seed(1))
    name = register("girih_compiled", girih.causal & LONGFORMER)
    expected = logits(model, name, tokens, None)
    torch._dynamo.reset()
    compiled = torch.compile(lambda tokens: model(tokens).logits, fullgraph=True, backend="aot_eager")
    assert error(compiled(tokens), expected) < 1e-6
