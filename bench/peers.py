#!/usr/bin/env python3
"""PyTorch on the bundled model, to stand beside `npm run bench`: eager attention, fp32, the weights dequantised.

    pip install torch==2.15.0 transformers==5.24.0 accelerate==1.15.0 gguf==0.19.0
    python bench/peers.py [--threads 1] [--repetitions 5] [--tokens 50 200 500] [--model models/SmolLM2-135M-Instruct.Q4_1.gguf]

Measures a forward pass, and a forward and backward pass that gives the gradient of one next-token logit with respect to the input
embeddings. Parameters are frozen and nothing is cached between tokens. `logits` says for how many positions the output matrix is multiplied:
`last`, as our engine does it, or `all`, as transformers does it unless told otherwise.

With `--ours` (after `node bench/run.mjs --build-only`) Prompt Loupe's own passes on the same file and the same ids take turns with
PyTorch's in one run, and each of its rows holds `timesTorch`: the median over rounds of its CPU time by that of PyTorch's `last` row.

With `--onnx FILE` these are its passes on an ONNX export of the model instead (`scripts/goldens/export_smollm2.py` makes one).

One JSON line a row: median and smallest CPU time of the process and wall time, ms. On a shared machine, compare CPU times. The four
variants of a length take turns, so that a busy moment meets all of them. Token i has the id (7919 i + 1013) mod 49152.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="PyTorch forward and backward passes of the bundled model")
    parser.add_argument("--model", type=Path, default=Path(__file__).parents[1] / "models" / "SmolLM2-135M-Instruct.Q4_1.gguf")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--ours", action="store_true", help="run Prompt Loupe's engine side by side")
    parser.add_argument("--onnx", type=Path, help="run it side by side on this ONNX file")
    parser.add_argument("--tokens", type=int, nargs="+", default=[50, 200, 500])
    return parser.parse_args()


options = arguments()
# OpenMP reads this once, when PyTorch is imported.
os.environ["OMP_NUM_THREADS"] = str(options.threads)
import torch  # noqa: E402
import transformers  # noqa: E402

TARGET_ID = 5


def load_model(file: Path) -> torch.nn.Module:
    model = transformers.AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    )
    return model.eval().requires_grad_(False)


def forward(model: torch.nn.Module, embeddings: torch.Tensor, rows: int) -> None:
    """embeddings [1, T, D]; rows: how many rows of logits, 0 = all."""
    with torch.no_grad():
        model(inputs_embeds=embeddings, use_cache=False, logits_to_keep=rows)


def forward_and_backward(model: torch.nn.Module, embeddings: torch.Tensor, rows: int) -> None:
    leaf = embeddings.clone().requires_grad_(True)
    model(inputs_embeds=leaf, use_cache=False, logits_to_keep=rows).logits[0, -1, TARGET_ID].backward()
    assert leaf.grad is not None


VARIANTS = [
    (name, run, logits, rows)
    for name, run in (("forward", forward), ("forward+backward", forward_and_backward))
    for logits, rows in (("last", 1), ("all", 0))
]


class Ours:
    """Prompt Loupe's engine in a process of its own, which answers one line with the time one run took."""

    PRECISIONS = ("as-served",) if options.onnx else ("as-served", "dequantised")
    VARIANTS = [(name, precision) for precision in PRECISIONS for name in ("forward", "forward+backward")]

    def __init__(self) -> None:
        runner = Path(__file__).parents[1] / "dist" / "bench" / "peerRuns.cjs"
        command = ["node", str(runner), str(options.onnx or options.model), str(options.threads)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, tokens: int, name: str, precision: str) -> tuple[float, float]:
        self.process.stdin.write(f"{tokens} {name} {precision}\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        return answer["cpu"], answer["wall"]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(model: torch.nn.Module, tokens: int, ours: Ours | None) -> None:
    ids = torch.tensor([[(index * 7919 + 1013) % 49152 for index in range(tokens)]])
    embeddings = model.get_input_embeddings()(ids)
    times: dict[tuple[str, str], list[tuple[float, float]]] = {}
    # The first round warms up and does not count.
    for repetition in range(options.repetitions + 1):
        for name, run, logits, rows in VARIANTS:
            wall, cpu = time.perf_counter(), time.process_time()
            run(model, embeddings, rows)
            taken = ((time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3)
            if repetition > 0:
                times.setdefault((name, logits), []).append(taken)
        for name, precision in Ours.VARIANTS if ours else []:
            taken = ours.run(tokens, name, precision)
            if repetition > 0:
                times.setdefault((name, precision), []).append(taken)
    for (name, logits), taken in times.items():
        cpu, wall = zip(*taken, strict=True)
        who = {"engine": "torch", "logits": logits} if logits in ("last", "all") else {"engine": "loupe", "precision": logits}
        row = {"tokens": tokens, "pass": name, **who, "threads": options.threads, "repetitions": options.repetitions}
        row |= {"cpuMs": summary(cpu), "wallMs": summary(wall)}
        if who["engine"] == "torch":
            row["peakMegabytes"] = peak_megabytes()
        else:
            torch_cpu = [spent for spent, _ in times[(name, "last")]]
            row["timesTorch"] = round(statistics.median(a / b for a, b in zip(cpu, torch_cpu, strict=True)), 2)
        print(json.dumps(row), flush=True)


def summary(milliseconds: tuple[float, ...]) -> dict[str, float]:
    return {"median": round(statistics.median(milliseconds), 1), "min": round(min(milliseconds), 1)}


def peak_megabytes() -> int:
    """Largest resident size of the process so far, loading included."""
    # Kilobytes on Linux, bytes on macOS.
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3))


def main() -> None:
    torch.set_num_threads(options.threads)
    model = load_model(options.model)
    ours = Ours() if options.ours or options.onnx else None
    for tokens in options.tokens:
        measure(model, tokens, ours)
    if ours:
        ours.close()


if __name__ == "__main__":
    main()
