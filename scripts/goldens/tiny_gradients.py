#!/usr/bin/env python3
"""Gradient goldens: tiny random models of several families, and PyTorch's gradients of them at every site.

    pip install torch==2.15.0 transformers==5.24.0 gguf==0.19.0 numpy==2.4.6
    python scripts/goldens/tiny_gradients.py [family …]

Writes test/fixtures/gradients/<family>/{model.gguf,golden.json,golden.bin}; test/fixtures/gradients/README.md describes them.
fp32, eager attention, one thread.
"""

import json
import sys
from pathlib import Path

import numpy
import torch
from gguf_export import write_gguf
from gradient_targets import make_targets, sites_of, target_value
from site_recorder import SiteRecorder
from tiny_families import VOCABULARY, Family, families, make_model

OUTPUT = Path(__file__).resolve().parents[2] / "test" / "fixtures" / "gradients"
TOKENS = [(index * index * 7 + index * 31 + 11) % VOCABULARY for index in range(20)]
# Nearer choices of experts could differ between two correct implementations.
SMALLEST_ROUTER_GAP = 0.02


class GoldenFile:
    """Collects named F32 tensors one after the other."""

    def __init__(self):
        self.tensors: list[dict] = []
        self.parts: list[numpy.ndarray] = []
        self.length = 0

    def add(self, name: str, values: torch.Tensor) -> str:
        data = values.detach().contiguous().numpy().astype("<f4")
        self.tensors.append({"name": name, "shape": list(data.shape), "offset": self.length})
        self.parts.append(data.ravel())
        self.length += data.size
        return name

    def write(self, folder: Path, facts: dict) -> None:
        numpy.concatenate(self.parts).tofile(folder / "golden.bin")
        lines = [f'  "{key}": {json.dumps(value)},' for key, value in facts.items()]
        tensors = ",\n".join(f"    {json.dumps(tensor)}" for tensor in self.tensors)
        (folder / "golden.json").write_text("{\n" + "\n".join(lines) + f'\n  "tensors": [\n{tensors}\n  ]\n}}\n')


def run(family: Family) -> tuple[torch.nn.Module, SiteRecorder, int]:
    """The first seed whose expert choices are clear."""
    for seed in range(100):
        model = make_model(family, seed)
        recorder = SiteRecorder(family, model)
        recorder.record(TOKENS)
        if recorder.router_gap > SMALLEST_ROUTER_GAP:
            return model, recorder, seed
    raise RuntimeError(f"{family.name}: every seed has a near tie of experts")


def write_family(family: Family) -> None:
    folder = OUTPUT / family.name
    folder.mkdir(parents=True, exist_ok=True)
    model, recorder, seed = run(family)
    write_gguf(folder / "model.gguf", family, model)
    golden = GoldenFile()
    sites = [site for site in recorder.tensors if site != "logits"]
    values = {site: recorder.as_site(site, tensor) for site, tensor in recorder.tensors.items()}
    for site, value in values.items():
        golden.add(f"value/{site}", value)
    shapes = {site: tuple(value.shape) for site, value in values.items()}
    targets = make_targets(TOKENS, values["logits"].detach(), shapes)
    results = {}
    for name, target in targets.items():
        value = target_value(target, values["logits"], values.__getitem__)
        results[name] = float(value.detach())
        wanted = sites_of(name, sites)
        gradients = torch.autograd.grad(
            value, [recorder.tensors[site] for site in wanted], retain_graph=True, allow_unused=True, materialize_grads=True
        )
        for site, gradient in zip(wanted, gradients, strict=True):
            if not torch.isfinite(gradient).all():
                raise RuntimeError(f"{family.name}: gradient of {name} at {site} is not finite")
            golden.add(f"gradient/{name}/{site}", recorder.as_site(site, gradient))
    described = {name: _stored(golden, name, target) for name, target in targets.items()}
    golden.write(folder, {"family": family.name, "seed": seed, "tokens": TOKENS, "targets": described, "values": results})
    _report(family, recorder, values, folder)


def _stored(golden: GoldenFile, path: str, target: object) -> object:
    """A target with its tensors moved to the file and named in their place."""
    if isinstance(target, torch.Tensor):
        return {"tensor": golden.add(f"target/{path}", target)}
    if isinstance(target, dict):
        return {key: _stored(golden, f"{path}/{key}", value) for key, value in target.items()}
    if isinstance(target, list):
        return [_stored(golden, f"{path}/{index}", value) for index, value in enumerate(target)]
    return target


def _report(family: Family, recorder: SiteRecorder, values: dict[str, torch.Tensor], folder: Path) -> None:
    """How peaked attention is and how far apart the experts are, for whoever changes the initialisation."""
    peaks = [float(value.detach()[:, 4:].max(dim=-1).values.mean()) for site, value in values.items() if site.startswith("pattern")]
    sizes = [f"{(folder / name).stat().st_size / 1000:.0f} kB" for name in ("model.gguf", "golden.bin")]
    print(
        f"{family.name}: mean attention peak {min(peaks):.2f} to {max(peaks):.2f}, logits ± {float(values['logits'].detach().std()):.2f}, "
        f"router gap {recorder.router_gap:.3f}, {', '.join(sizes)}"
    )


def main() -> None:
    torch.set_num_threads(1)
    wanted = sys.argv[1:]
    for family in families():
        if not wanted or family.name in wanted:
            write_family(family)


if __name__ == "__main__":
    main()
