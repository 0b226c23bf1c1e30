"""Exports the bundled model as ONNX, for benchmarks and for a check at real size. Users never need it.

    python -m venv ENVIRONMENT
    ENVIRONMENT/bin/pip install torch==2.15.0 transformers==5.24.0 accelerate==1.15.0 gguf==0.19.0 onnx onnxruntime onnxscript
    ENVIRONMENT/bin/python scripts/goldens/export_smollm2.py OUT [int4] [cache]

OUT gets model.onnx (weights of the GGUF file dequantised to fp32), with `int4` also model_q4.onnx (MatMulNBits), and the files
that belong to them. `cache`: the graph takes keys and values of earlier tokens and gives them on, as exports by optimum do.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, DynamicCache

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf"
TOKENIZER = ROOT / "test" / "fixtures" / "onnx-tokenizers" / "smollm2"


class LogitsOnly(torch.nn.Module):
    """Without the cache, and with ids as the only input."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor) -> torch.Tensor:
        tokens = input_ids.shape[1]
        hidden = torch.full((tokens, tokens), torch.finfo(torch.float32).min)
        # The model's own mask is made by operators that the exporter does not know.
        mask = torch.triu(hidden, diagonal=1)[None, None]
        return self.model(input_ids=input_ids, attention_mask=mask, use_cache=False).logits


class WithCache(torch.nn.Module):
    """Ids, then key and value of each layer, [1, key/value heads, past, head size]; answers with the logits and the same, longer."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, *given: torch.Tensor):
        past = given[0].shape[2]
        tokens = input_ids.shape[1]
        cache = DynamicCache()
        for layer in range(len(given) // 2):
            cache.update(given[2 * layer], given[2 * layer + 1], layer)
        positions = torch.arange(tokens) + past
        later = torch.arange(past + tokens)[None] > positions[:, None]
        mask = torch.where(later, torch.finfo(torch.float32).min, 0.0)[None, None]
        logits = self.model(
            input_ids=input_ids, attention_mask=mask, position_ids=positions[None], past_key_values=cache, use_cache=True
        ).logits
        return (logits, *(tensor for layer in cache.layers for tensor in (layer.keys, layer.values)))


def main() -> None:
    out = Path(sys.argv[1])
    cached = "cache" in sys.argv[2:]
    out.mkdir(parents=True, exist_ok=True)
    model = AutoModelForCausalLM.from_pretrained(
        str(MODEL.parent), gguf_file=MODEL.name, dtype=torch.float32, attn_implementation="eager"
    ).eval()
    config = model.config
    size = (1, config.num_key_value_heads, 4, config.hidden_size // config.num_attention_heads)
    names = [f"{layer}.{part}" for layer in range(config.num_hidden_layers if cached else 0) for part in ("key", "value")]
    torch.onnx.export(
        WithCache(model) if cached else LogitsOnly(model),
        (torch.arange(1, 9)[None], *(torch.zeros(size) for _ in names)),
        str(out / "model.onnx"),
        input_names=["input_ids", *(f"past_key_values.{name}" for name in names)],
        output_names=["logits", *(f"present.{name}" for name in names)],
        dynamic_axes={
            "input_ids": {1: "tokens"},
            "logits": {1: "tokens"},
            **{f"past_key_values.{name}": {2: "past"} for name in names},
            **{f"present.{name}": {2: "all"} for name in names},
        },
        opset_version=17,
        dynamo=False,
    )
    (out / "config.json").write_text(json.dumps(model.config.to_dict(), default=str, indent=1))
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        if (TOKENIZER / name).exists():
            shutil.copy(TOKENIZER / name, out / name)
    if "int4" in sys.argv[2:]:
        quantise(out)


def quantise(out: Path) -> None:
    import onnx
    from onnxruntime.quantization.matmul_nbits_quantizer import MatMulNBitsQuantizer

    quantizer = MatMulNBitsQuantizer(onnx.load(out / "model.onnx"), block_size=32, is_symmetric=False, accuracy_level=4)
    quantizer.process()
    quantizer.model.save_model_to_file(str(out / "model_q4.onnx"), use_external_data_format=False)


main()
