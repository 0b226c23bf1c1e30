"""Writes a transformers model as an F32 GGUF file, with the layout llama.cpp expects."""

from pathlib import Path

import gguf
import torch
from tiny_families import HEADS, KEY_VALUE_HEADS, Family, write_metadata


def write_gguf(file: Path, family: Family, model: torch.nn.Module) -> None:
    names = gguf.get_tensor_name_map(family.architecture, family.config.num_hidden_layers)
    writer = gguf.GGUFWriter(file, gguf.MODEL_ARCH_NAMES[family.architecture])
    write_metadata(writer, family)
    # Tied output matrices are not parameters of their own here, and llama.cpp ties them as well.
    for name, weight in model.named_parameters():
        for mapped, values in _converted(family, name, weight.detach(), names):
            writer.add_tensor(mapped, values.contiguous().numpy())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _converted(family: Family, name: str, weight: torch.Tensor, names: gguf.TensorNameMap):
    """(GGUF name, values) pairs: fused expert weights become two tensors."""
    if ".experts." in name:
        block = f"blk.{name.split('.')[2]}"
        if name.endswith("down_proj"):
            yield f"{block}.ffn_down_exps.weight", weight
        else:
            gate, up = weight.chunk(2, dim=1)  # [experts, neurons, hidden] each
            yield f"{block}.ffn_gate_exps.weight", gate
            yield f"{block}.ffn_up_exps.weight", up
        return
    mapped = names.get_name(name, try_suffixes=(".weight", ".bias"))
    if mapped is None:
        raise ValueError(f"{family.name}: no GGUF name for {name}")
    if family.name == "gpt2" and weight.dim() == 2 and ".h." in name:
        weight = weight.T
    if family.name.startswith("gemma") and "norm" in name:
        weight = weight + 1
    if family.interleaved_rotation and ("q_proj" in name or "k_proj" in name):
        heads = HEADS if "q_proj" in name else KEY_VALUE_HEADS
        weight = interleave_halves(weight.reshape(heads, -1, weight.shape[-1]), dim=1).reshape(weight.shape)
    yield mapped, weight


def interleave_halves(values: torch.Tensor, dim: int) -> torch.Tensor:
    """The order of one head's numbers where pairs (i, i + S/2) become neighbours: 0, S/2, 1, S/2 + 1, …"""
    first, second = values.chunk(2, dim=dim)
    return torch.stack((first, second), dim=dim + 1).flatten(dim, dim + 1)
