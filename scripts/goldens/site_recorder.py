"""Runs a model once and keeps the tensor of every site, still attached to the graph that autograd differentiates.

Sites, shapes and meanings are those of src/model/sites.ts.
"""

from contextlib import ExitStack

import torch
from gguf_export import interleave_halves
from tiny_families import Family
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

IMPLEMENTATION = "recorded"


class SiteRecorder:
    """`record` fills `tensors` (site → tensor with a batch axis, in transformers' own layout)."""

    def __init__(self, family: Family, model: torch.nn.Module):
        self.family = family
        self.model = model
        self.tensors: dict[str, torch.Tensor] = {}
        # Smallest difference between the last chosen and the first rejected expert's router logit.
        self.router_gap = float("inf")
        ALL_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, self._attention)
        ALL_MASK_ATTENTION_FUNCTIONS.register(IMPLEMENTATION, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
        model.config._attn_implementation = IMPLEMENTATION

    def record(self, tokens: list[int]) -> None:
        with ExitStack() as stack:
            for handle in self._hooks():
                stack.callback(handle.remove)
            result = self.model(input_ids=torch.tensor([tokens]), use_cache=False)
        self.tensors["logits"] = result.logits

    def as_site(self, site: str, values: torch.Tensor) -> torch.Tensor:
        """From transformers' layout to the site's, for values and gradients alike."""
        kind = site.split(".")[0]
        values = values[0]
        if kind in ("q", "k", "v"):
            values = values.transpose(0, 1)  # [T, heads, S]
        if kind in ("q", "k") and self.family.interleaved_rotation:
            values = interleave_halves(values, dim=2)
        return values

    def _attention(self, module, query, key, value, attention_mask, scaling, softcap=None, **_):
        """Eager attention. query [1, H, T, S], key and value [1, K, T, S], attention_mask [1, 1, T, T] of 0 and a very low number."""
        layer = module.layer_idx
        self.tensors |= {f"q.{layer}": query, f"k.{layer}": key, f"v.{layer}": value}
        group = query.shape[1] // key.shape[1]
        keys = key.repeat_interleave(group, dim=1)
        values = value.repeat_interleave(group, dim=1)
        scores = query @ keys.transpose(2, 3) * scaling
        if softcap is not None:
            scores = torch.tanh(scores / softcap) * softcap
        forbidden = attention_mask < 0
        scores = scores.masked_fill(forbidden, float("-inf"))
        pattern = torch.softmax(scores, dim=-1)
        z = (pattern @ values).transpose(1, 2)
        self.tensors |= {f"scores.{layer}": scores, f"pattern.{layer}": pattern, f"z.{layer}": z}
        return z, pattern

    def _hooks(self):
        """Registers all hooks and yields their handles."""
        gpt2 = self.family.name == "gpt2"
        inner = self.model.transformer if gpt2 else self.model.model
        yield (inner.ln_f if gpt2 else inner.norm).register_forward_hook(self._keep_output("final_norm"))
        for index, block in enumerate(inner.h if gpt2 else inner.layers):
            yield block.register_forward_pre_hook(self._enter(index))
            yield block.register_forward_hook(self._keep_output(f"resid_post.{index}"))
            if gpt2:
                attention, mlp, second_norm, down = block.attn, block.mlp, block.ln_2, block.mlp.c_proj
            elif self.family.name.startswith("gemma"):
                attention, mlp = block.post_attention_layernorm, block.post_feedforward_layernorm
                second_norm, down = block.pre_feedforward_layernorm, block.mlp.down_proj
            else:
                attention, mlp, second_norm = block.self_attn, block.mlp, block.post_attention_layernorm
                down = getattr(block.mlp, "down_proj", None)
            yield attention.register_forward_hook(self._keep_output(f"attn_out.{index}"))
            yield second_norm.register_forward_pre_hook(self._keep_input(f"resid_mid.{index}"))
            yield mlp.register_forward_hook(self._keep_output(f"mlp_out.{index}"))
            if down is not None:
                yield down.register_forward_pre_hook(self._keep_input(f"mlp_post.{index}"))
            else:
                yield block.mlp.gate.register_forward_hook(self._measure_router)

    def _enter(self, layer: int):
        """What enters block 0 is the leaf of the graph; everything before it depends on no site."""

        def hook(_module, arguments):
            stream = arguments[0]
            if layer == 0:
                stream = stream.detach().requires_grad_(True)
                self.tensors["embed"] = stream
            self.tensors[f"resid_pre.{layer}"] = stream
            return (stream, *arguments[1:])

        return hook

    def _keep_input(self, site: str):
        def hook(_module, arguments):
            self.tensors[site] = arguments[0]

        return hook

    def _keep_output(self, site: str):
        def hook(_module, _arguments, output):
            self.tensors[site] = output[0] if isinstance(output, tuple) else output

        return hook

    def _measure_router(self, _module, _arguments, output):
        ordered = output[0].detach().sort(dim=-1, descending=True).values  # [T, experts]
        used = self.family.config.num_experts_per_tok
        self.router_gap = min(self.router_gap, float((ordered[:, used - 1] - ordered[:, used]).min()))
