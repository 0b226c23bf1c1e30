"""Tiny ONNX graphs in forms no exporter at hand writes any more, with goldens computed by NumPy in double precision from the formulas.

    python3 -m venv VENV && VENV/bin/pip install onnx numpy
    VENV/bin/python scripts/goldens/onnx_graphs.py test/fixtures/onnx

merged_decoder: GPT-2-like; one file for the first and for later tokens, by an If on use_cache_branch (optimum's decoder_model_merged).
parallel_mha:   attention and feed-forward block side by side (GPT-NeoX), com.microsoft MultiHeadAttention with biases and a mask of keys.

golden.json and golden.bin are in the format of the other fixtures; besides: padded_logits (three fillers at the left, the real tokens only)
and later_logits (the last token read with the keys and values of the others in the past).
"""

import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

VOCABULARY, HIDDEN, HEADS, NEURONS, LAYERS, POSITIONS = 160, 64, 4, 48, 2, 32
SIZE = HIDDEN // HEADS
EPSILON = 1e-5


def make_weights(seed):
    random = np.random.default_rng(seed)
    weights = {"embedding": random.normal(0, 0.5, (VOCABULARY, HIDDEN)), "positions": random.normal(0, 0.3, (POSITIONS, HIDDEN))}
    for layer in range(LAYERS):
        for name, shape in [("q", (HIDDEN, HIDDEN)), ("k", (HIDDEN, HIDDEN)), ("v", (HIDDEN, HIDDEN)), ("o", (HIDDEN, HIDDEN)),
                            ("up", (HIDDEN, NEURONS)), ("down", (NEURONS, HIDDEN)), ("qkv_bias", (3 * HIDDEN,)), ("down_bias", (HIDDEN,))]:
            weights[f"{layer}.{name}"] = random.normal(0, 1.5 / np.sqrt(shape[0]), shape)
        for norm in ("norm1", "norm2"):
            weights[f"{layer}.{norm}.scale"] = random.normal(1, 0.2, HIDDEN)
            weights[f"{layer}.{norm}.shift"] = random.normal(0, 0.2, HIDDEN)
    weights["norm.scale"] = random.normal(1, 0.2, HIDDEN)
    weights["norm.shift"] = random.normal(0, 0.2, HIDDEN)
    weights["unembedding"] = random.normal(0, 0.3, (HIDDEN, VOCABULARY))
    return {name: value.astype(np.float32) for name, value in weights.items()}


# --- the formulas

def layer_norm(x, scale, shift):
    centred = x - x.mean(-1, keepdims=True)
    return centred / np.sqrt((centred ** 2).mean(-1, keepdims=True) + EPSILON) * scale + shift


def forward(weights, ids, parallel, padding=0):
    """ids [tokens] -> logits [tokens, vocabulary], residual streams, attention probabilities [heads, tokens, tokens]"""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    tokens = len(ids)
    x = w["embedding"][ids] + w["positions"][np.maximum(0, np.arange(tokens) - padding)]
    row, column = np.arange(tokens)[:, None], np.arange(tokens)[None, :]
    hidden = (column > row) | (column < padding)
    streams, patterns = [x], []
    for layer in range(LAYERS):
        normed = layer_norm(x, w[f"{layer}.norm1.scale"], w[f"{layer}.norm1.shift"])
        bias = np.split(w[f"{layer}.qkv_bias"], 3) if parallel else [0, 0, 0]
        q, k, v = [(normed @ w[f"{layer}.{name}"] + b).reshape(tokens, HEADS, SIZE).transpose(1, 0, 2) for name, b in zip("qkv", bias)]
        scores = np.where(hidden, -np.inf, q @ k.transpose(0, 2, 1) / np.sqrt(SIZE))
        scores[:, hidden.all(1)] = 0
        pattern = np.exp(scores - scores.max(-1, keepdims=True))
        pattern /= pattern.sum(-1, keepdims=True)
        attention = (pattern @ v).transpose(1, 0, 2).reshape(tokens, HIDDEN) @ w[f"{layer}.o"]
        middle = x if parallel else x + attention
        neurons = np.maximum(0, layer_norm(middle, w[f"{layer}.norm2.scale"], w[f"{layer}.norm2.shift"]) @ w[f"{layer}.up"])
        block = neurons @ w[f"{layer}.down"] + w[f"{layer}.down_bias"]
        x = x + attention + block if parallel else middle + block
        streams.append(x)
        patterns.append(pattern)
    streams[-1] = layer_norm(x, w["norm.scale"], w["norm.shift"])
    return streams[-1] @ w["unembedding"], streams, patterns


# --- the graphs

class Graph:
    def __init__(self, prefix=""):
        self.nodes, self.prefix, self.constants = [], prefix, {}

    def __call__(self, op, *inputs, outputs=None, domain="", **attributes):
        names = outputs or [f"{self.prefix}{op}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(op, list(inputs), names, domain=domain, **attributes))
        return names[0]

    def constant(self, name, value):
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def ints(self, *values):
        return self.constant("ints_" + "_".join(map(str, values)), np.array(values, np.int64))


def norm(g, x, name):
    return g("LayerNormalization", x, f"{name}.scale", f"{name}.shift", axis=-1, epsilon=EPSILON)


def feed_forward(g, x, layer):
    up = g("Relu", g("MatMul", norm(g, x, f"{layer}.norm2"), f"{layer}.up"))
    return g("Add", g("MatMul", up, f"{layer}.down"), f"{layer}.down_bias")


def embed(g):
    return g("Add", g("Gather", "embedding", "input_ids"), g("Gather", "positions", "position_ids"))


def logits(g, x):
    return g("MatMul", norm(g, x, "norm"), "unembedding", outputs=["logits_inner"])


def branch(name, with_past):
    g = Graph()
    x = embed(g)
    mask = g("Unsqueeze", g("Cast", "attention_mask", to=TensorProto.BOOL), g.ints(1, 2))
    queries = g("Gather", g("Shape", "input_ids"), g.constant("one", np.int64(1)))
    keys = g("Gather", g("Shape", "attention_mask"), "one")
    zero = g.constant("zero", np.int64(0))
    row = g("Unsqueeze", g("Range", g("Sub", keys, queries), keys, "one"), g.ints(1))
    column = g("Unsqueeze", g("Range", zero, keys, "one"), g.ints(0))
    seen = g("And", mask, g("LessOrEqual", column, row))
    bias = g("Where", seen, g.constant("nothing", np.float32(0)), g.constant("much", np.float32(-1e9)))
    presents = []
    for layer in range(LAYERS):
        normed = norm(g, x, f"{layer}.norm1")
        heads = {}
        for part in "qkv":
            split = g("Reshape", g("MatMul", normed, f"{layer}.{part}"), g.ints(0, 0, HEADS, SIZE))
            heads[part] = g("Transpose", split, perm=[0, 2, 1, 3])
        for part, long in (("k", "key"), ("v", "value")):
            past = f"past_key_values.{layer}.{long}"
            heads[part] = g("Concat", past, heads[part], axis=2) if with_past else heads[part]
            presents.append(g("Identity", heads[part], outputs=[f"present_inner.{layer}.{long}"]))
        turned = g("Transpose", heads["k"], perm=[0, 1, 3, 2])
        scores = g("Div", g("MatMul", heads["q"], turned), g.constant("root", np.float32(np.sqrt(SIZE))))
        pattern = g("Softmax", g("Add", scores, bias), axis=-1)
        mixed = g("Reshape", g("Transpose", g("MatMul", pattern, heads["v"]), perm=[0, 2, 1, 3]), g.ints(0, 0, HIDDEN))
        x = g("Add", x, g("MatMul", mixed, f"{layer}.o"))
        x = g("Add", x, feed_forward(g, x, layer))
    out = [helper.make_tensor_value_info(n, TensorProto.FLOAT, None) for n in [logits(g, x), *presents]]
    return helper.make_graph(g.nodes, name, [], out, initializer=list(g.constants.values()))


def past_values(kind):
    tokens = "past" if kind == "past_key_values" else "total"
    return [helper.make_tensor_value_info(f"{kind}.{layer}.{part}", TensorProto.FLOAT, ["batch", HEADS, tokens, SIZE])
            for layer in range(LAYERS) for part in ("key", "value")]


def token_inputs():
    return [helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", size])
            for name, size in (("input_ids", "tokens"), ("attention_mask", "total"), ("position_ids", "tokens"))]


def merged_decoder(weights):
    outputs = ["logits", *[value.name for value in past_values("present")]]
    node = helper.make_node("If", ["use_cache_branch"], outputs, then_branch=branch("with_past", True), else_branch=branch("no_past", False))
    inputs = [*token_inputs(), *past_values("past_key_values"), helper.make_tensor_value_info("use_cache_branch", TensorProto.BOOL, [1])]
    values = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens", VOCABULARY]), *past_values("present")]
    return model([node], inputs, values, weights)


def parallel_mha(weights):
    g = Graph()
    x = embed(g)
    mask = g("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(LAYERS):
        normed = norm(g, x, f"{layer}.norm1")
        q, k, v = [g("MatMul", normed, f"{layer}.{part}") for part in "qkv"]
        past = [f"past_key_values.{layer}.{part}" for part in ("key", "value")]
        present = [f"present.{layer}.{part}" for part in ("key", "value")]
        mixed = g("MultiHeadAttention", q, k, v, f"{layer}.qkv_bias", mask, "", *past, outputs=[f"attention_{layer}", *present],
                  domain="com.microsoft", num_heads=HEADS, unidirectional=1, mask_filter_value=-1e9)
        x = g("Add", g("Add", feed_forward(g, x, layer), g("MatMul", mixed, f"{layer}.o")), x)
    g("Identity", logits(g, x), outputs=["logits"])
    values = [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "tokens", VOCABULARY]), *past_values("present")]
    return model(g.nodes, [*token_inputs(), *past_values("past_key_values")], values, weights, g.constants.values())


def model(nodes, inputs, outputs, weights, constants=()):
    used = {name for node in nodes for name in node.input}
    for node in nodes:
        for attribute in node.attribute:
            used |= {name for inner in attribute.g.node for name in inner.input}
    initializers = [numpy_helper.from_array(value, name) for name, value in weights.items() if name in used]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, initializer=[*initializers, *constants])
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="")


def write(folder, built, weights, parallel):
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(built, folder / "model.onnx")
    ids = np.array([5, 77, 130, 9, 101, 44, 158, 6, 90, 12, 150, 31])
    found, streams, patterns = forward(weights, ids, parallel)
    padded, _, _ = forward(weights, np.concatenate([[0, 0, 0], ids]), parallel, padding=3)
    tensors = {"ids": ids[None], "logits": found[None], "padded_logits": padded[None, 3:], "later_logits": found[None, -1:]}
    tensors |= {f"h{i}": stream[None] for i, stream in enumerate(streams)}
    tensors |= {f"p{i}": pattern[None] for i, pattern in enumerate(patterns)}
    index, data = {}, b""
    for name, tensor in tensors.items():
        kind = "int64" if name == "ids" else "float32"
        index[name] = {"dtype": kind, "shape": list(tensor.shape), "offset": len(data)}
        data += tensor.astype(kind).tobytes()
    target = {"target_token": int(found[-1].argmax()), "position": len(ids) - 1, "kind": "lm", "n_layers": LAYERS}
    (folder / "golden.json").write_text(json.dumps({**target, "tensors": index}) + "\n")
    (folder / "golden.bin").write_bytes(data)


if __name__ == "__main__":
    root = pathlib.Path(sys.argv[1])
    for name, build, parallel, seed in (("merged_decoder", merged_decoder, False, 1), ("parallel_mha", parallel_mha, True, 2)):
        made = make_weights(seed)
        write(root / name, build(made), made, parallel)
