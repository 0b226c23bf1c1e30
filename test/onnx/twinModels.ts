/** One tiny language model in both file formats: an ONNX folder with a tokenizer, and a GGUF file written from its weights. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { GraphTensor } from '../../src/onnx/graph/graph.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { ggufBytes } from '../llama/tinyGguf.ts';

const fixture = 'test/fixtures/onnx/llama_genai_fp32';
const [layers, hidden, heads, kvHeads, headSize, neurons, vocabulary] = [2, 64, 4, 2, 16, 128, 320];

export interface TwinModels {
  readonly onnx: string;
  readonly gguf: string;
  /** Another model of the same family and vocabulary, whose file takes no keys and values. */
  readonly onnxWhole: string;
  remove(): void;
}

export function writeTwinModels(): TwinModels {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-twins-'));
  const [onnx, onnxWhole, gguf] = [path.join(folder, 'onnx'), path.join(folder, 'whole'), path.join(folder, 'model.gguf')];
  const tokenizer = tokenizerOf(vocabulary);
  for (const [from, to] of [
    [fixture, onnx],
    ['test/fixtures/onnx/llama_torch_legacy', onnxWhole],
  ] as const) {
    cpSync(from, to, { recursive: true });
    writeFileSync(path.join(to, 'tokenizer.json'), JSON.stringify(tokenizer));
  }
  writeFileSync(gguf, ggufOf(tokenizer));
  return { onnx, gguf, onnxWhole, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface TokenizerFile {
  readonly added_tokens: readonly { readonly id: number }[];
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly (readonly [string, string])[] };
}

/** Byte pairs with as many tokens as the model has rows: all bytes, and the first merges. */
function tokenizerOf(size: number): TokenizerFile {
  const file = JSON.parse(readFileSync('test/fixtures/onnx-tokenizers/gpt2/tokenizer.json', 'utf8')) as TokenizerFile;
  const vocab = Object.fromEntries(Object.entries(file.model.vocab).filter(([, id]) => id < size));
  const merges = file.model.merges.filter(([a, b]) => Object.hasOwn(vocab, a + b));
  return { ...file, added_tokens: file.added_tokens.filter(({ id }) => id < size), model: { ...file.model, vocab, merges } };
}

function ggufOf({ model }: TokenizerFile): Buffer {
  const tokens = Object.entries(model.vocab).sort(([, a], [, b]) => a - b);
  const metadata = {
    'general.architecture': 'llama',
    'llama.context_length': 256,
    'llama.embedding_length': hidden,
    'llama.block_count': layers,
    'llama.feed_forward_length': neurons,
    'llama.attention.head_count': heads,
    'llama.attention.head_count_kv': kvHeads,
    'llama.attention.layer_norm_rms_epsilon': 1e-6,
    'llama.rope.dimension_count': headSize,
    'llama.vocab_size': vocabulary,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'gpt-2',
    'tokenizer.ggml.tokens': tokens.map(([token]) => token),
    'tokenizer.ggml.merges': model.merges.map((pair) => pair.join(' ')),
    'tokenizer.ggml.bos_token_id': 0,
    'tokenizer.ggml.eos_token_id': 0,
    'tokenizer.ggml.add_bos_token': false,
  };
  const weights = ggufWeights();
  const shapes = Object.fromEntries(Array.from(weights, ([name, { shape }]) => [name, shape]));
  return ggufBytes(metadata, shapes, (name, data) => data.set(weights.get(name)?.values ?? []));
}

interface Weight {
  /** Fastest first. */
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

function ggufWeights(): Map<string, Weight> {
  const { initializers, folder } = readGraph(path.join(fixture, 'model.onnx'));
  const values = (name: string): Float32Array => {
    const tensor = initializers.get(name);
    if (tensor === undefined) throw new Error(`no ${name}`);
    return floatsOf(tensor, folder);
  };
  const vector = (name: string): Weight => ({ shape: [hidden], values: values(name) });
  // ONNX multiplies by [in, out]; GGUF stores a row of inputs for each output.
  const matrix = (name: string, inputs: number): Weight => rowsOf(values(name), inputs, 0, Infinity);
  const weights = new Map<string, Weight>([
    ['token_embd.weight', matrix('lm_head.MatMul.weight', hidden)],
    ['output_norm.weight', vector(`model.layers.${layers}.final_norm_layernorm.weight`)],
  ]);
  for (let layer = 0; layer < layers; layer++) {
    const [from, to] = [`model.layers.${layer}.`, `blk.${layer}.`];
    const joint = values(`${from}attn.qkv_proj.MatMul.weight`);
    const [queries, keys] = [heads * headSize, (heads + kvHeads) * headSize];
    weights.set(`${to}attn_q.weight`, pairedRows(rowsOf(joint, hidden, 0, queries)));
    weights.set(`${to}attn_k.weight`, pairedRows(rowsOf(joint, hidden, queries, keys)));
    weights.set(`${to}attn_v.weight`, rowsOf(joint, hidden, keys, Infinity));
    weights.set(`${to}attn_output.weight`, matrix(`${from}attn.o_proj.MatMul.weight`, heads * headSize));
    weights.set(`${to}ffn_gate.weight`, matrix(`${from}mlp.gate_proj.MatMul.weight`, hidden));
    weights.set(`${to}ffn_up.weight`, matrix(`${from}mlp.up_proj.MatMul.weight`, hidden));
    weights.set(`${to}ffn_down.weight`, matrix(`${from}mlp.down_proj.MatMul.weight`, neurons));
    weights.set(`${to}attn_norm.weight`, vector(`${from}input_layernorm.weight`));
    weights.set(`${to}ffn_norm.weight`, vector(`${from}post_attention_layernorm.weight`));
  }
  return weights;
}

function floatsOf({ bytes, range }: GraphTensor, folder: string): Float32Array {
  const held =
    bytes ??
    (range === null
      ? new Uint8Array()
      : readFileSync(path.join(folder, range.file)).subarray(range.offset, range.offset + range.length));
  return new Float32Array(Uint8Array.from(held).buffer);
}

/** Columns `first` to `end` of a matrix [in, out] as rows. */
function rowsOf(values: Float32Array, inputs: number, first: number, end: number): Weight {
  const columns = values.length / inputs;
  const outputs = Math.min(end, columns) - first;
  const rows = new Float32Array(outputs * inputs);
  for (let output = 0; output < outputs; output++) {
    for (let input = 0; input < inputs; input++) rows[output * inputs + input] = values[input * columns + first + output] ?? 0;
  }
  return { shape: [inputs, outputs], values: rows };
}

/** Rotary pairs stand half a head apart in ONNX and beside each other in GGUF files of llama. */
function pairedRows({ shape, values }: Weight): Weight {
  const [inputs = 0, outputs = 0] = shape;
  const moved = new Float32Array(values.length);
  for (let output = 0; output < outputs; output++) {
    const [head, place] = [Math.floor(output / headSize), output % headSize];
    const row = head * headSize + 2 * (place % (headSize / 2)) + Math.floor(place / (headSize / 2));
    moved.set(values.subarray(output * inputs, (output + 1) * inputs), row * inputs);
  }
  return { shape, values: moved };
}
