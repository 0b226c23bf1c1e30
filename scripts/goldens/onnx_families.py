"""Tiny models of families that build their layers another way, as transformers has them, exported by torch; goldens by PyTorch.

    python3 -m venv VENV && VENV/bin/pip install torch==2.15.0 transformers==5.24.0 onnx --extra-index-url https://download.pytorch.org/whl/cpu
    VENV/bin/python scripts/goldens/onnx_families.py test/fixtures/onnx

opt:        the stream is flattened to rows before each feed-forward block, and the sum is taken there.
electra:    tokens are embedded in fewer numbers than the stream has, and widened.
mobilebert: the same; layers are narrower than the stream, have several feed-forward blocks, and end in a scale and a shift.
bloom:      heads of all sequences are multiplied as one row of matrices.
gemma2:     norms behind both blocks of a layer, written as single operators; every other layer sees six tokens.

golden.json and golden.bin are in the format of the other fixtures. n0, n1 are what the last product of each feed-forward block reads, and
r is the stream behind the last layer where a norm follows.
"""

import json
import pathlib
import sys

import numpy as np
import onnx
import torch
import transformers

VOCABULARY, HIDDEN, HEADS, NEURONS, LAYERS, POSITIONS = 64, 32, 4, 48, 2, 32
ENCODER = dict(hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=NEURONS, num_labels=3)
DECODER = dict(num_hidden_layers=LAYERS, num_attention_heads=HEADS, max_position_embeddings=POSITIONS, pad_token_id=0)
FAMILIES = {
    "opt": (
        transformers.OPTConfig,
        dict(DECODER, hidden_size=HIDDEN, ffn_dim=NEURONS, word_embed_proj_dim=HIDDEN, bos_token_id=1, eos_token_id=2),
        lambda model: ([layer.fc2 for layer in model.model.decoder.layers], model.model.decoder.final_layer_norm),
    ),
    "electra": (
        transformers.ElectraConfig,
        dict(ENCODER, embedding_size=16, max_position_embeddings=POSITIONS),
        lambda model: ([layer.output.dense for layer in model.electra.encoder.layer], None),
    ),
    "mobilebert": (
        transformers.MobileBertConfig,
        dict(ENCODER, embedding_size=16, intra_bottleneck_size=16, true_hidden_size=16, max_position_embeddings=POSITIONS),
        lambda model: ([], None),
    ),
    "bloom": (
        transformers.BloomConfig,
        dict(hidden_size=HIDDEN, n_layer=LAYERS, n_head=HEADS, pad_token_id=0),
        lambda model: ([layer.mlp.dense_4h_to_h for layer in model.transformer.h], model.transformer.ln_f),
    ),
    "gemma2": (
        transformers.Gemma2Config,
        dict(DECODER, hidden_size=HIDDEN, intermediate_size=NEURONS, num_key_value_heads=2, head_dim=8, sliding_window=6),
        lambda model: ([layer.mlp.down_proj for layer in model.model.layers], model.model.norm),
    ),
}


class Answer(torch.nn.Module):
    def __init__(self, model: torch.nn.Module, options: dict):
        super().__init__()
        self.model, self.options = model, options

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask, **self.options).logits


def fill(model: torch.nn.Module) -> None:
    random = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=random)
            if parameter.dim() == 1:
                parameter.add_(0.1 * noise)
            else:
                parameter.copy_(noise * (0.5 if parameter.shape[0] in (VOCABULARY, POSITIONS) else parameter.shape[-1] ** -0.5))


def goldens(model: torch.nn.Module, ids: torch.Tensor, options: dict, places: tuple, target: int) -> dict[str, np.ndarray]:
    seen: dict[str, torch.Tensor] = {}
    products, norm = places
    modules = {**{f"n{index}": product for index, product in enumerate(products)}, **({} if norm is None else {"r": norm})}
    hooks = [
        module.register_forward_pre_hook(lambda _, inputs, name=name: seen.update({name: inputs[0].reshape(1, ids.shape[1], -1)}))
        for name, module in modules.items()
    ]
    answer = model(
        input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True, output_attentions=True, **options
    )
    for hook in hooks:
        hook.remove()
    inside = {
        **{f"h{index}": state for index, state in enumerate(answer.hidden_states)},
        **{f"p{index}": pattern for index, pattern in enumerate(answer.attentions)},
    }
    for tensor in inside.values():
        tensor.retain_grad()
    answer.logits.reshape(-1, answer.logits.shape[-1])[-1, target].backward()
    tensors = {"ids": ids, "logits": answer.logits, **seen, **inside, **{f"g{name}": tensor.grad for name, tensor in inside.items()}}
    return {name: tensor.detach().numpy() for name, tensor in tensors.items()}


def export(model: torch.nn.Module, file: pathlib.Path) -> None:
    given = (torch.arange(3, 10)[None], torch.ones(1, 7, dtype=torch.int64))
    names = ["input_ids", "attention_mask"]
    torch.onnx.export(
        model, given, str(file), input_names=names, output_names=["logits"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in names}, opset_version=17, dynamo=False,
    )
    found = onnx.load(file)
    # What the exporter remembers of the source files is no part of the model.
    for node in found.graph.node:
        node.ClearField("doc_string")
        node.metadata_props.clear()
    onnx.save(found, file)


def write(folder: pathlib.Path, tensors: dict[str, np.ndarray], kind: str, target: int) -> None:
    index, data = {}, b""
    for name, tensor in tensors.items():
        type_ = "int64" if tensor.dtype.kind == "i" else "float32"
        index[name] = {"dtype": type_, "shape": list(tensor.shape), "offset": len(data)}
        data += tensor.astype(type_).tobytes()
    about = {"target_token": target, "position": tensors["ids"].shape[1] - 1, "kind": kind, "n_layers": LAYERS}
    (folder / "golden.json").write_text(json.dumps({**about, "tensors": index}) + "\n")
    (folder / "golden.bin").write_bytes(data)


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    ids = torch.tensor([[5, 17, 60, 9, 33, 44, 58, 6, 23, 12, 51, 31]])
    for name, (configuration, sizes, places) in FAMILIES.items():
        torch.manual_seed(0)
        settings = configuration(vocab_size=VOCABULARY, **sizes)
        kind = "cls" if "num_labels" in sizes else "lm"
        auto = transformers.AutoModelForSequenceClassification if kind == "cls" else transformers.AutoModelForCausalLM
        network = auto.from_config(settings, attn_implementation="eager").eval().float()
        fill(network)
        options = {} if kind == "cls" else {"use_cache": False}
        folder = root / name
        folder.mkdir(parents=True, exist_ok=True)
        target = 1 if kind == "cls" else 42
        write(folder, goldens(network, ids, options, places(network), target), kind, target)
        with torch.no_grad():
            export(Answer(network, options), folder / "model.onnx")
