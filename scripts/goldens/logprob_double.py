#!/usr/bin/env python3
"""The gradient of a log-probability on the bundled model, in double precision: test/fixtures/golden/{fact,ioi}/grad_logprob_double.f32.

    pip install torch==2.15.0 transformers==5.24.0 accelerate==1.15.0 gguf==0.19.0
    python scripts/goldens/logprob_double.py

In single precision the derivative of log p = z - logsumexp(z) loses digits where p is near 1: grad_logprob.f32 is up to 4e-3 (relative, per
token) away from these values. Weights are those of the quantised file, dequantised; the result is rounded to F32 when it is written.
"""

import json
from pathlib import Path

import torch
import transformers

ROOT = Path(__file__).parents[2]


def main() -> None:
    model = transformers.AutoModelForCausalLM.from_pretrained(
        ROOT / "models",
        gguf_file="SmolLM2-135M-Instruct.Q4_1.gguf",
        dtype=torch.float32,
        attn_implementation="eager",
        local_files_only=True,
    )
    model = model.eval().double()
    for name in ("fact", "ioi"):
        folder = ROOT / "test" / "fixtures" / "golden" / name
        meta = json.loads((folder / "meta.json").read_text())
        embeddings = model.get_input_embeddings()(torch.tensor([meta["ids"]])).detach().clone().requires_grad_(True)
        logits = model(inputs_embeds=embeddings, use_cache=False).logits[0, -1]
        torch.log_softmax(logits, -1)[meta["target_ids"][0]].backward()
        embeddings.grad[0].numpy().astype("<f4").tofile(folder / "grad_logprob_double.f32")


if __name__ == "__main__":
    main()
