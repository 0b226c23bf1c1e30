/** The weights of the ONNX fixtures `llama_*` as a GGUF file, so that llama.cpp answers the same question. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { GraphTensor } from '../../src/onnx/graph/graph.ts';
import { readGraph } from '../../src/onnx/proto/readGraph.ts';
import { writeGguf } from '../llama/gguf/writeGguf.ts';
import { modelFile } from './fixture.ts';

const [hidden, heads, kvHeads, headSize, neurons, layers] = [64, 4, 2, 16, 128, 2];
/** Order of a layer's products in the export by optimum. */
const products = ['attn_q', 'attn_k', 'attn_v', 'attn_output', 'ffn_gate', 'ffn_up', 'ffn_down'] as const;

export function writeLlamaTwin(): { readonly file: string; remove(): void } {
  const graph = readGraph(modelFile('llama_optimum_kv'));
  const values = (name: string): Float32Array => {
    const tensor = graph.initializers.get(name);
    if (tensor === undefined) throw new Error(`the fixture has no ${name}`);
    return floatsOf(tensor, graph.folder);
  };
  const tensors = new Map<string, { readonly dimensions: number[]; readonly values: Float32Array }>();
  const embedding = values('model.embed_tokens.weight');
  tensors.set('token_embd.weight', { dimensions: [hidden, embedding.length / hidden], values: embedding });
  tensors.set('output_norm.weight', { dimensions: [hidden], values: values('model.norm.weight') });
  const weights = graph.nodes.flatMap(({ op, inputs }) =>
    op === 'MatMul' && inputs[1]?.startsWith('onnx::MatMul') ? [inputs[1]] : [],
  );
  for (let layer = 0; layer < layers; layer++) {
    const own = (name: string) => `model.layers.${layer}.${name}.weight`;
    tensors.set(`blk.${layer}.attn_norm.weight`, { dimensions: [hidden], values: values(own('input_layernorm')) });
    tensors.set(`blk.${layer}.ffn_norm.weight`, { dimensions: [hidden], values: values(own('post_attention_layernorm')) });
    for (const [index, product] of products.entries()) {
      const stored = values(weights[layer * products.length + index] ?? '');
      const inputs = product === 'ffn_down' ? neurons : hidden;
      const rows = transposed(stored, inputs);
      const count = product === 'attn_q' ? heads : product === 'attn_k' ? kvHeads : 0;
      tensors.set(`blk.${layer}.${product}.weight`, {
        dimensions: [inputs, stored.length / inputs],
        values: count === 0 ? rows : neighbours(rows, count, inputs),
      });
    }
  }
  const folder = mkdtempSync(path.join(os.tmpdir(), 'prompt-loupe-'));
  const file = path.join(folder, 'twin.gguf');
  const metadata = writeGguf({
    metadata: [
      ['general.architecture', 'string', 'llama'],
      ['tokenizer.ggml.model', 'string', 'no_vocab'],
      ['llama.context_length', 'u32', 256],
      ['llama.embedding_length', 'u32', hidden],
      ['llama.block_count', 'u32', layers],
      ['llama.feed_forward_length', 'u32', neurons],
      ['llama.attention.head_count', 'u32', heads],
      ['llama.attention.head_count_kv', 'u32', kvHeads],
      ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-6],
      ['llama.rope.dimension_count', 'u32', headSize],
      ['llama.rope.freq_base', 'f32', 10_000],
      ['llama.vocab_size', 'u32', embedding.length / hidden],
    ],
    tensors: [...tensors].map(([name, tensor]) => ({ name, ...tensor })),
  });
  writeFileSync(file, metadata);
  return { file, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

function floatsOf({ bytes, range }: GraphTensor, folder: string): Float32Array {
  if (bytes !== null) return new Float32Array(Uint8Array.from(bytes).buffer);
  if (range === null) throw new Error('a tensor without values');
  const found = readFileSync(path.join(folder, range.file)).subarray(range.offset, range.offset + range.length);
  return new Float32Array(Uint8Array.from(found).buffer);
}

/** [inputs, outputs] → [outputs, inputs] */
function transposed(stored: Float32Array, inputs: number): Float32Array {
  const outputs = stored.length / inputs;
  return stored.map((_, at) => stored[(at % inputs) * outputs + Math.floor(at / inputs)] ?? Number.NaN);
}

/** llama.cpp rotates neighbours: the rows of a head go 0, S/2, 1, S/2 + 1, … */
function neighbours(rows: Float32Array, count: number, inputs: number): Float32Array {
  const size = rows.length / inputs / count;
  return rows.map((_, at) => {
    const [row, column] = [Math.floor(at / inputs), at % inputs];
    const [head, place] = [Math.floor(row / size), row % size];
    return rows[(head * size + (place % 2) * (size / 2) + Math.floor(place / 2)) * inputs + column] ?? Number.NaN;
  });
}
