/**
 * A model small enough to be known in closed form, as an oracle: the logits after a position are the sum over the tokens so far
 * of w[token][·], so leaving a token out lowers a logit by exactly its weight. Attention is a real softmax over made-up scores,
 * independent of the logits. Everything is computed in doubles, rounded where the interface says Float32.
 */
import type {
  CallOptions,
  CaptureRequest,
  ForwardRequest,
  ForwardResult,
  Model,
  ModelInfo,
  RowRead,
  RowResult,
  Tensor,
  Tokenizer,
} from '../../src/model/model.ts';
import { siteName } from '../../src/model/sites.ts';
import { cancelled, contextOverflow, methodUnsupported } from '../../src/shared/errorCatalog.ts';

const words = [' the', ' cat', ' sat', ' on', ' mat', ' dog', ' Paris', ' London', ' of', ' is', 'The', 'Paris', 'capital'];
const pieces = [
  '<|endoftext|>',
  '<|im_start|>',
  '<|im_end|>',
  '\n',
  ...Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)),
  ...words,
];
const specialCount = 3;
const byLength = pieces.map((text, id) => ({ text, id })).sort((a, b) => b.text.length - a.text.length);

export interface LinearModelOptions {
  readonly capture?: boolean;
  readonly chat?: boolean;
  /** Puts a beginning token before every prompt. */
  readonly addBos?: boolean;
  /** SentencePiece habit: a space before whatever is encoded. */
  readonly dummyPrefix?: boolean;
  readonly contextLength?: number;
  /** Logits after a prompt that holds this token are NaN. */
  readonly poison?: number;
  /** Attention to the first token, in every head and layer; the rest is shared by the softmax. */
  readonly sink?: number;
  /** Report results of variants in this order. */
  readonly variantOrder?: (count: number) => number[];
  readonly quantization?: string;
  /** What it says of itself; it evaluates every prompt whole. Default true. */
  readonly sharesBeginnings?: boolean;
  readonly holdsBeginnings?: boolean;
}

export interface LinearModel extends Model {
  readonly calls: { forward: ForwardRequest[]; variants: Int32Array[]; generate: number };
  weight(token: number, of: number): number;
}

export const linearInfo = { layers: 3, heads: 2, hidden: 4, vocabulary: pieces.length } as const;

/** w[token][of], a fixed number in [−1, 1) that looks random. */
export function weight(token: number, of: number): number {
  return pseudo(token * 7919 + of * 104729 + 17) * 2 - 1;
}

/** Attention of one head: [T, T], row = query. */
export function headPattern(tokens: ArrayLike<number>, layer: number, head: number, sink = 0): Float64Array {
  const size = tokens.length;
  const pattern = new Float64Array(size * size);
  for (let query = 0; query < size; query++) {
    let sum = 0;
    for (let key = 0; key <= query; key++) {
      const raw = Math.exp(
        4 * pseudo((tokens[query] as number) * 31 + (tokens[key] as number) * 57 + layer * 1009 + head * 2003),
      );
      pattern[query * size + key] = raw;
      sum += raw;
    }
    for (let key = 0; key <= query; key++) {
      const share = (pattern[query * size + key] as number) / sum;
      pattern[query * size + key] = share * (1 - sink) + (key === 0 ? sink : 0);
    }
  }
  return pattern;
}

function pseudo(seed: number): number {
  const x = Math.sin(seed) * 43758.5453;
  return x - Math.floor(x);
}

export function idOf(text: string): number {
  return pieces.indexOf(text);
}

export function createLinearModel(options: LinearModelOptions = {}): LinearModel {
  const calls: LinearModel['calls'] = { forward: [], variants: [], generate: 0 };
  const info: ModelInfo = {
    name: 'linear',
    file: '/models/linear.gguf',
    sha256: '0'.repeat(64),
    format: 'gguf',
    architecture: 'linear',
    quantization: options.quantization ?? 'F32',
    precision: 'as-served',
    kvHeads: 1,
    headSize: 2,
    neurons: 5,
    ...linearInfo,
    contextLength: options.contextLength ?? 256,
    fileBytes: 1,
    sharesBeginnings: options.sharesBeginnings ?? true,
    sharesPatchedBeginnings: options.sharesBeginnings ?? true,
    holdsBeginnings: options.holdsBeginnings ?? options.sharesBeginnings ?? true,
    can: { capture: options.capture ?? true, patch: false, gradient: false, chat: options.chat ?? true },
    notes: [],
  };

  const logitsAfter = (tokens: Int32Array, position: number): Float32Array => {
    const logits = new Float32Array(pieces.length);
    for (let of = 0; of < logits.length; of++) {
      let sum = 0;
      for (let at = 0; at <= position; at++) {
        sum += tokens[at] === options.poison ? Number.NaN : weight(tokens[at] as number, of);
      }
      logits[of] = sum;
    }
    return logits;
  };

  const readRow = (tokens: Int32Array, read: RowRead): RowResult => readLogits(logitsAfter(tokens, read.position), read);

  const check = (tokens: Int32Array, call?: CallOptions): void => {
    if (call?.signal?.aborted === true) throw cancelled();
    if (tokens.length > info.contextLength) throw contextOverflow(tokens.length, info.contextLength);
  };

  const captured = (tokens: Int32Array, { site, reduce }: CaptureRequest): Tensor => {
    const size = tokens.length;
    const layer = site.layer ?? 0;
    const heads = Array.from({ length: info.heads }, (_, head) => headPattern(tokens, layer, head, options.sink));
    if (site.kind !== 'pattern') {
      const width = site.kind === 'logits' ? info.vocabulary : info.hidden;
      return { shape: [size, width], data: Float32Array.from({ length: size * width }, (_, index) => index + layer) };
    }
    if (reduce?.kind === 'head-mean') {
      const mean = Float32Array.from(
        heads[0] as Float64Array,
        (_, at) => heads.reduce((sum, head) => sum + (head[at] as number), 0) / heads.length,
      );
      return { shape: [size, size], data: mean };
    }
    if (reduce?.kind === 'head') return { shape: [size, size], data: Float32Array.from(heads[reduce.head] as Float64Array) };
    if (reduce?.kind === 'thumbnail') return thumbnail(heads, size, Math.min(reduce.size, size));
    return { shape: [info.heads, size, size], data: Float32Array.from(heads.flatMap((head) => [...head])) };
  };

  const forward = (request: ForwardRequest, call?: CallOptions): Promise<ForwardResult> => {
    check(request.tokens, call);
    calls.forward.push(request);
    return Promise.resolve({
      logits: null,
      read: (request.read ?? []).map((read) => readRow(request.tokens, read)),
      captured: new Map((request.capture ?? []).map((capture) => [siteName(capture.site), captured(request.tokens, capture)])),
      nonFinite: options.poison !== undefined && request.tokens.includes(options.poison) ? 'resid_post.1' : null,
    });
  };

  return {
    info,
    tokenizer: createTokenizer(options),
    calls,
    weight,
    forward,
    async forwardVariants({ variants }, call = {}) {
      const results = variants.map(({ tokens, read }) => {
        check(tokens, call);
        calls.variants.push(tokens);
        return { read: read.map((row) => readRow(tokens, row)) };
      });
      const order = options.variantOrder?.(variants.length) ?? [...variants.keys()];
      for (const index of order) call.onResult?.(index, results[index] as (typeof results)[number]);
      return await Promise.resolve(results);
    },
    generate(request, call = {}) {
      calls.generate++;
      const tokens = [...request.tokens];
      const generated = [];
      let finish: 'length' | 'stop' | 'context' = 'length';
      while (generated.length < request.maxTokens) {
        if (tokens.length >= info.contextLength) {
          finish = 'context';
          break;
        }
        check(Int32Array.from(tokens), call);
        const row = readRow(Int32Array.from(tokens), { position: tokens.length - 1, ids: [], top: request.top + 1 });
        const best = row.top[0] as { id: number; logit: number };
        if (best.id < specialCount) {
          finish = 'stop';
          break;
        }
        const named = ({ id, logit }: { id: number; logit: number }) => ({
          id,
          text: pieces[id] as string,
          logprob: logit - row.logSumExp,
        });
        const token = { ...named(best), alternatives: row.top.slice(0, request.top).map(named) };
        generated.push(token);
        tokens.push(best.id);
        call.onToken?.(token);
      }
      return Promise.resolve({ tokens: generated, text: generated.map((token) => token.text).join(''), finish });
    },
    gradient: () => Promise.reject(methodUnsupported('gradient', 'gradients', [])),
    gradientAlong: () => Promise.reject(methodUnsupported('gradientAlong', 'gradients', [])),
    unembed: () => Promise.reject(methodUnsupported('unembed', 'vectors of the residual stream', [])),
    dispose: () => Promise.resolve(),
  };
}

/** What is asked of one row of logits [V]. */
export function readLogits(logits: Float32Array, { position, ids, top = 0, entropy, reference }: RowRead): RowResult {
  const order = [...logits.keys()].sort((a, b) => (logits[b] as number) - (logits[a] as number) || a - b);
  const total = Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  const expected = (of: (id: number, logprob: number) => number) =>
    logits.reduce((sum, logit, id) => sum + Math.exp(logit - total) * of(id, logit - total), 0);
  return {
    position,
    logSumExp: total,
    logits: Float32Array.from(ids, (id) => logits[id] as number),
    ranks: Int32Array.from(ids, (id) => order.indexOf(id) + 1),
    top: order.slice(0, top).map((id) => ({ id, logit: logits[id] as number })),
    ...(entropy === undefined ? {} : { entropy: -expected((_id, logprob) => logprob) }),
    ...(reference === undefined ? {} : { divergence: expected((id, logprob) => logprob - Math.log(reference[id] as number)) }),
  };
}

/** [heads, side, side]: maximum over blocks. */
function thumbnail(heads: readonly Float64Array[], size: number, side: number): Tensor {
  const data = new Float32Array(heads.length * side * side);
  heads.forEach((head, index) => {
    for (let query = 0; query < size; query++) {
      for (let key = 0; key < size; key++) {
        const at = index * side * side + Math.floor((query * side) / size) * side + Math.floor((key * side) / size);
        data[at] = Math.max(data[at] as number, head[query * size + key] as number);
      }
    }
  });
  return { shape: [heads.length, side, side], data };
}

function createTokenizer({ addBos = false, dummyPrefix = false }: LinearModelOptions): Tokenizer {
  return {
    encode(text, { parseSpecial = true, addSpecial = true } = {}) {
      const tokens = addBos && addSpecial ? [{ id: 1, text: pieces[1] as string, start: 0, end: 0, special: true }] : [];
      const shift = dummyPrefix && text !== '' ? 1 : 0;
      const read = shift === 1 ? ` ${text}` : text;
      for (let at = 0; at < read.length; ) {
        const found = byLength.find((piece) => (parseSpecial || piece.id >= specialCount) && read.startsWith(piece.text, at));
        // What the vocabulary does not have is dropped.
        if (found !== undefined) {
          const start = Math.max(0, at - shift);
          tokens.push({
            id: found.id,
            text: found.text,
            start,
            end: at + found.text.length - shift,
            special: found.id < specialCount,
          });
        }
        at += found?.text.length ?? 1;
      }
      return Promise.resolve({ tokens, approximateOffsets: false });
    },
    decode: (ids) => Promise.resolve(ids.map((id) => pieces[id] ?? '').join('')),
    pieces: (ids) => Promise.resolve(ids.map((id) => pieces[id] ?? '')),
    renderChat: (messages, { addGenerationPrompt = true } = {}) =>
      Promise.resolve(
        messages.map(({ role, content }) => `<|im_start|>${role}\n${content}<|im_end|>\n`).join('') +
          (addGenerationPrompt ? '<|im_start|>assistant\n' : ''),
      ),
    special: () => Promise.resolve({ bos: 1, eos: 2, endOfGeneration: [0, 2], chatTemplate: 'toy' }),
  };
}
