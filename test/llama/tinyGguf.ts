/** Writes tiny GGUF files with random F32 weights, for architectures that no reference file is at hand for. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export type Metadata = Readonly<Record<string, string | number | boolean | readonly string[]>>;
/** Name → dimensions, fastest first. */
export type Tensors = Readonly<Record<string, readonly number[]>>;

const hidden = 32;
const neurons = 48;
const vocabulary = 64;
const headSize = 16;
const heads = 4;
const kvHeads = 2;
const layers = 3;

export interface TinyModel {
  readonly file: string;
  remove(): void;
}

/** @param edit may change the weights, given by tensor name */
export function writeTinyModel(
  architecture: keyof typeof recipes | 'bert',
  edit: (name: string, data: Float32Array) => void = () => undefined,
): TinyModel {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
  const file = path.join(folder, `${architecture}.gguf`);
  const recipe = architecture === 'bert' ? bert() : recipes[architecture]();
  writeFileSync(
    file,
    ggufBytes({ 'general.architecture': architecture.replace('wide ', ''), ...recipe.metadata }, recipe.tensors, edit),
  );
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

interface Recipe {
  readonly metadata: Metadata;
  readonly tensors: Tensors;
}

const recipes = {
  gemma2: () => gemma('gemma2'),
  gemma3: () => gemma('gemma3'),
  phi3,
  'wide llama': () => wide('llama'),
  'wide qwen3moe': () => wide('qwen3moe'),
};

function common(architecture: string): Metadata {
  return {
    [`${architecture}.context_length`]: 512,
    [`${architecture}.embedding_length`]: hidden,
    [`${architecture}.block_count`]: layers,
    [`${architecture}.feed_forward_length`]: neurons,
    [`${architecture}.attention.head_count`]: heads,
    [`${architecture}.attention.head_count_kv`]: kvHeads,
    [`${architecture}.attention.layer_norm_rms_epsilon`]: 1e-6,
    [`${architecture}.vocab_size`]: vocabulary,
    'tokenizer.ggml.model': 'no_vocab',
  };
}

/** A vocabulary of single characters: Ġ is the space and Ċ the line break of byte-pair vocabularies. */
const letters: Metadata = {
  'tokenizer.ggml.model': 'gpt2',
  'tokenizer.ggml.pre': 'gpt-2',
  'tokenizer.ggml.tokens': [...'ĠĊ.,:?0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUV'],
  'tokenizer.ggml.merges': [],
  'tokenizer.ggml.bos_token_id': 0,
  'tokenizer.ggml.eos_token_id': 1,
  'tokenizer.ggml.add_bos_token': false,
};

function gemma(architecture: 'gemma2' | 'gemma3'): Recipe {
  const tensors: Record<string, readonly number[]> = {
    'token_embd.weight': [hidden, vocabulary],
    'output_norm.weight': [hidden],
  };
  for (let layer = 0; layer < layers; layer++) {
    const put = (name: string, ...shape: number[]) => {
      tensors[`blk.${layer}.${name}.weight`] = shape;
    };
    for (const name of ['attn_norm', 'post_attention_norm', 'ffn_norm', 'post_ffw_norm']) put(name, hidden);
    put('attn_q', hidden, heads * headSize);
    put('attn_k', hidden, kvHeads * headSize);
    put('attn_v', hidden, kvHeads * headSize);
    put('attn_output', heads * headSize, hidden);
    if (architecture === 'gemma3') for (const name of ['attn_q_norm', 'attn_k_norm']) put(name, headSize);
    put('ffn_gate', hidden, neurons);
    put('ffn_up', hidden, neurons);
    put('ffn_down', neurons, hidden);
  }
  const softcaps = { 'gemma2.attn_logit_softcapping': 5, 'gemma2.final_logit_softcapping': 3 };
  return {
    metadata: {
      ...common(architecture),
      ...letters,
      [`${architecture}.attention.key_length`]: headSize,
      [`${architecture}.attention.value_length`]: headSize,
      [`${architecture}.attention.sliding_window`]: 8,
      ...(architecture === 'gemma2' ? softcaps : {}),
    },
    tensors,
  };
}

function phi3(): Recipe {
  const size = hidden / heads;
  const tensors: Record<string, readonly number[]> = {
    'token_embd.weight': [hidden, vocabulary],
    'output_norm.weight': [hidden],
    'output.weight': [hidden, vocabulary],
    'rope_factors_long.weight': [size / 2],
    'rope_factors_short.weight': [size / 2],
  };
  for (let layer = 0; layer < layers; layer++) {
    const put = (name: string, ...shape: number[]) => {
      tensors[`blk.${layer}.${name}.weight`] = shape;
    };
    for (const name of ['attn_norm', 'ffn_norm']) put(name, hidden);
    put('attn_qkv', hidden, hidden + 2 * kvHeads * size);
    put('attn_output', hidden, hidden);
    put('ffn_up', hidden, 2 * neurons);
    put('ffn_down', neurons, hidden);
  }
  return {
    metadata: {
      ...common('phi3'),
      'phi3.context_length': 1024,
      'phi3.rope.scaling.original_context_length': 256,
      'phi3.rope.dimension_count': size,
    },
    tensors,
  };
}

/** Rows of 256, which the K-quants need: two layers, and for qwen3moe four experts of which two are used. */
function wide(architecture: 'llama' | 'qwen3moe'): Recipe {
  const [width, inner, size, experts] = [256, 256, 64, 4];
  const tensors: Record<string, readonly number[]> = {
    'token_embd.weight': [width, vocabulary],
    'output_norm.weight': [width],
    'output.weight': [width, vocabulary],
  };
  for (let layer = 0; layer < 2; layer++) {
    const put = (name: string, ...shape: number[]) => {
      tensors[`blk.${layer}.${name}.weight`] = shape;
    };
    put('attn_norm', width);
    put('ffn_norm', width);
    put('attn_q', width, heads * size);
    put('attn_k', width, kvHeads * size);
    put('attn_v', width, kvHeads * size);
    put('attn_output', heads * size, width);
    if (architecture === 'llama') {
      put('ffn_gate', width, inner);
      put('ffn_up', width, inner);
      put('ffn_down', inner, width);
    } else {
      put('attn_q_norm', size);
      put('attn_k_norm', size);
      put('ffn_gate_inp', width, experts);
      put('ffn_gate_exps', width, inner, experts);
      put('ffn_up_exps', width, inner, experts);
      put('ffn_down_exps', inner, width, experts);
    }
  }
  const mixture = {
    'qwen3moe.expert_count': experts,
    'qwen3moe.expert_used_count': 2,
    'qwen3moe.expert_feed_forward_length': inner,
  };
  return {
    metadata: {
      ...common(architecture),
      [`${architecture}.embedding_length`]: width,
      [`${architecture}.block_count`]: 2,
      [`${architecture}.feed_forward_length`]: inner,
      [`${architecture}.attention.key_length`]: size,
      [`${architecture}.attention.value_length`]: size,
      [`${architecture}.rope.dimension_count`]: size,
      ...(architecture === 'qwen3moe' ? mixture : {}),
    },
    tensors,
  };
}

/** An embedding model, with a WordPiece vocabulary. */
function bert(): Recipe {
  const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
  const words = Array.from({ length: vocabulary - special.length }, (_, index) => `▁word${index}`);
  const tensors: Record<string, readonly number[]> = {
    'token_embd.weight': [hidden, vocabulary],
    'position_embd.weight': [hidden, 512],
    'token_types.weight': [hidden, 2],
    'token_embd_norm.weight': [hidden],
    'token_embd_norm.bias': [hidden],
  };
  for (let layer = 0; layer < layers; layer++) {
    const put = (name: string, ...shape: number[]) => {
      tensors[`blk.${layer}.${name}.weight`] = shape;
      tensors[`blk.${layer}.${name}.bias`] = [shape.at(-1) ?? 0];
    };
    for (const name of ['attn_output_norm', 'layer_output_norm']) put(name, hidden);
    for (const name of ['attn_q', 'attn_k', 'attn_v', 'attn_output']) put(name, hidden, hidden);
    put('ffn_up', hidden, neurons);
    put('ffn_down', neurons, hidden);
  }
  return {
    metadata: {
      'bert.context_length': 512,
      'bert.embedding_length': hidden,
      'bert.block_count': layers,
      'bert.feed_forward_length': neurons,
      'bert.attention.head_count': heads,
      'bert.attention.layer_norm_epsilon': 1e-6,
      'bert.attention.causal': false,
      'tokenizer.ggml.model': 'bert',
      'tokenizer.ggml.token_type_count': 2,
      'tokenizer.ggml.unknown_token_id': 1,
      'tokenizer.ggml.bos_token_id': 2,
      'tokenizer.ggml.eos_token_id': 3,
      'tokenizer.ggml.cls_token_id': 2,
      'tokenizer.ggml.seperator_token_id': 3,
      'tokenizer.ggml.padding_token_id': 0,
      'tokenizer.ggml.mask_token_id': 4,
      'tokenizer.ggml.tokens': [...special, ...words],
    },
    tensors,
  };
}

export function ggufBytes(metadata: Metadata, tensors: Tensors, edit: (name: string, data: Float32Array) => void): Buffer {
  const parts: Buffer[] = [
    Buffer.from('GGUF'),
    uint32(3),
    uint64(Object.keys(tensors).length),
    uint64(Object.keys(metadata).length),
  ];
  for (const [key, value] of Object.entries(metadata)) {
    parts.push(text(key));
    if (typeof value === 'string') parts.push(uint32(8), text(value));
    else if (typeof value === 'boolean') parts.push(uint32(7), Buffer.of(value ? 1 : 0));
    else if (typeof value === 'object') parts.push(uint32(9), uint32(8), uint64(value.length), ...value.map(text));
    else if (Number.isInteger(value) && !key.endsWith('softcapping')) parts.push(uint32(4), uint32(value));
    else parts.push(uint32(6), Buffer.from(Float32Array.of(value).buffer));
  }
  let offset = 0;
  const padded = (bytes: number) => Math.ceil(bytes / 32) * 32;
  for (const [name, shape] of Object.entries(tensors)) {
    parts.push(text(name), uint32(shape.length), ...shape.map(uint64), uint32(0), uint64(offset));
    offset += padded(4 * shape.reduce((a, b) => a * b));
  }
  const header = Buffer.concat(parts);
  const data = Buffer.alloc(padded(header.length) - header.length + offset);
  let position = padded(header.length) - header.length;
  const random = randomNumbers(1);
  for (const [name, shape] of Object.entries(tensors)) {
    const fanIn = shape.length > 1 ? (shape[0] as number) : 0;
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () =>
      fanIn > 0 ? (2.5 * (random() - 0.5) * 2) / Math.sqrt(fanIn) : 1 + 0.2 * (random() - 0.5),
    );
    edit(name, values);
    Buffer.from(values.buffer).copy(data, position);
    position += padded(values.byteLength);
  }
  return Buffer.concat([header, data]);
}

function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value);
  return buffer;
}

function uint64(value: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt(value));
  return buffer;
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value);
  return Buffer.concat([uint64(bytes.length), bytes]);
}

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
