"""Tiny decoders that torch exports with a Loop, and for a fixed batch of two; goldens by PyTorch.

    python3 -m venv VENV && VENV/bin/pip install torch onnx onnxscript --extra-index-url https://download.pytorch.org/whl/cpu
    VENV/bin/python scripts/goldens/onnx_control_flow.py test/fixtures/onnx

loop_layers: a scripted module that walks over stacked weights; the exporter writes a Loop with a constant number of rounds.
batch_two:   the same network, traced, with a first axis of 2 in every input and in the shapes it computes with.

golden.json and golden.bin are in the format of the other fixtures. batch_two has besides batch_ids and batch_mask [2, 12], two prompts of which
the second has four fillers at the left, and row_logits [1, 8, vocabulary], what the network says of the second without them.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import torch

VOCABULARY, HIDDEN, HEADS, NEURONS, LAYERS, POSITIONS = 128, 32, 4, 48, 2, 32


class Decoder(torch.nn.Module):
    def __init__(self, seed: int):
        super().__init__()
        self.heads, self.size = HEADS, HIDDEN // HEADS
        random = torch.Generator().manual_seed(seed)

        def weight(*shape: int, scale: float = 0.0) -> torch.nn.Parameter:
            return torch.nn.Parameter(torch.randn(*shape, generator=random) * (scale or shape[-2] ** -0.5))

        self.embedding = weight(VOCABULARY, HIDDEN, scale=0.5)
        self.positions = weight(POSITIONS, HIDDEN, scale=0.3)
        self.norms = torch.nn.Parameter(1 + 0.2 * torch.randn(LAYERS, 2, HIDDEN, generator=random))
        self.qkv = weight(LAYERS, HIDDEN, 3 * HIDDEN)
        self.out = weight(LAYERS, HIDDEN, HIDDEN)
        self.up = weight(LAYERS, HIDDEN, NEURONS)
        self.down = weight(LAYERS, NEURONS, HIDDEN)
        self.last = torch.nn.Parameter(1 + 0.2 * torch.randn(HIDDEN, generator=random))

    def norm(self, x: torch.Tensor, scale: torch.Tensor) -> torch.Tensor:
        return x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-5) * scale

    def bias(self, mask: torch.Tensor) -> torch.Tensor:
        tokens = mask.size(1)
        later = torch.ones(tokens, tokens, dtype=torch.bool).triu(1)
        padding = (1.0 - mask.to(torch.float32))[:, None, None, :] * -1e9
        return torch.zeros(tokens, tokens).masked_fill(later, -1e9) + padding

    def embed(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        places = (torch.cumsum(mask, 1) - 1).clamp(min=0)
        return self.embedding[ids] + self.positions[places]

    def pattern(self, x: torch.Tensor, layer: int, bias: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        batch, tokens = x.size(0), x.size(1)
        joined = self.norm(x, self.norms[layer, 0]) @ self.qkv[layer]
        parts = joined.view(batch, tokens, 3, self.heads, self.size).permute(2, 0, 3, 1, 4)
        scores = parts[0] @ parts[1].transpose(-1, -2) * self.size**-0.5 + bias
        return torch.softmax(scores, -1), parts[2]

    def block(self, x: torch.Tensor, pattern: torch.Tensor, values: torch.Tensor, layer: int) -> torch.Tensor:
        x = x + (pattern @ values).transpose(1, 2).reshape(x.size(0), x.size(1), -1) @ self.out[layer]
        return x + torch.nn.functional.silu(self.norm(x, self.norms[layer, 1]) @ self.up[layer]) @ self.down[layer]

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        x = self.embed(input_ids, attention_mask)
        bias = self.bias(attention_mask)
        # Not the constant: the exporter would unroll that.
        for layer in range(self.norms.size(0)):
            pattern, values = self.pattern(x, layer, bias)
            x = self.block(x, pattern, values, layer)
        return self.norm(x, self.last) @ self.embedding.t()


def goldens(model: Decoder, ids: torch.Tensor) -> tuple[dict[str, np.ndarray], int]:
    """Everything the fixtures tell of one prompt, [1, tokens]."""
    mask = torch.ones_like(ids)
    streams = [model.embed(ids, mask).detach().requires_grad_()]
    patterns = []
    for layer in range(LAYERS):
        pattern, values = model.pattern(streams[-1], layer, model.bias(mask))
        pattern.retain_grad()
        patterns.append(pattern)
        streams.append(model.block(streams[-1], pattern, values, layer))
        streams[-1].retain_grad()
    states = model.norm(streams[-1], model.last)
    logits = states @ model.embedding.t()
    target = int(logits[0, -1].argmax())
    logits[0, -1, target].backward()
    tensors = {"ids": ids, "logits": logits, "g_emb": streams[0].grad}
    tensors |= {f"h{i}": x for i, x in enumerate([*streams[:-1], states])}
    tensors |= {f"p{i}": x for i, x in enumerate(patterns)}
    tensors |= {f"gh{i}": x.grad for i, x in enumerate(streams[:-1])}
    tensors |= {f"gp{i}": x.grad for i, x in enumerate(patterns)}
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}, target


def export(model, file: pathlib.Path, batch: int) -> None:
    given = (torch.zeros(batch, 7, dtype=torch.int64), torch.ones(batch, 7, dtype=torch.int64))
    names = ["input_ids", "attention_mask"]
    free = {1: "tokens"} if batch > 1 else {0: "batch", 1: "tokens"}
    torch.onnx.export(
        model, given, file, input_names=names, output_names=["logits"], dynamic_axes={name: free for name in [*names, "logits"]},
        opset_version=17, dynamo=False,
    )
    found = onnx.load(file)
    loops = sum(node.op_type == "Loop" for node in found.graph.node)
    if loops != (0 if batch > 1 else 1):
        raise SystemExit(f"{file}: the exporter wrote {loops} loops")
    # What the exporter remembers of the source files is no part of the model.
    for node in found.graph.node:
        node.ClearField("doc_string")
    onnx.save(found, file)


def write(folder: pathlib.Path, tensors: dict[str, np.ndarray], target: int) -> None:
    index, data = {}, b""
    for name, tensor in tensors.items():
        kind = "int64" if tensor.dtype.kind == "i" else "float32"
        index[name] = {"dtype": kind, "shape": list(tensor.shape), "offset": len(data)}
        data += tensor.astype(kind).tobytes()
    about = {"target_token": target, "position": tensors["ids"].shape[1] - 1, "kind": "lm", "n_layers": LAYERS}
    (folder / "golden.json").write_text(json.dumps({**about, "tensors": index}) + "\n")
    (folder / "golden.bin").write_bytes(data)


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    ids = torch.tensor([[5, 77, 120, 9, 101, 44, 58, 6, 90, 12, 111, 31]])
    for name, seed, batch in (("loop_layers", 1, 1), ("batch_two", 2, 2)):
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        network = Decoder(seed)
        tensors, target = goldens(network, ids)
        if batch == 2:
            other = ids[:, 2:10]
            tensors["batch_ids"] = torch.cat([ids, torch.nn.functional.pad(other, (4, 0))]).numpy()
            tensors["batch_mask"] = torch.tensor([[1] * 12, [0] * 4 + [1] * 8]).numpy()
            tensors["row_logits"] = network(other, torch.ones_like(other)).detach().numpy()
        export(network if batch == 2 else torch.jit.script(network), folder / "model.onnx", batch)
        write(folder, tensors, target)
