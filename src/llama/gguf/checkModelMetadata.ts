import { modelCorrupt } from '../../shared/errorCatalog.ts';
import { metadataArray } from './ggufHeader.ts';
import type { GgufHeader, GgufScalarType } from './ggufHeader.ts';

/** Sizes above these belong to no known model; llama.cpp ends the process beyond 512 layers. */
const sizeLimits: readonly (readonly [string, number])[] = [
  ['block_count', 512],
  ['embedding_length', 1_048_576],
  ['context_length', 2 ** 31 - 1],
  ['feed_forward_length', 16_777_216],
  ['attention.head_count', 65_536],
  ['attention.head_count_kv', 65_536],
  ['attention.key_length', 65_536],
  ['attention.value_length', 65_536],
  ['rope.dimension_count', 65_536],
  ['vocab_size', 16_777_216],
];

/** Added under a square root; llama.cpp ends the process when one is negative or NaN. */
const epsilons = ['attention.layer_norm_epsilon', 'attention.layer_norm_rms_epsilon', 'attention.group_norm_epsilon'];

/** Arrays that llama.cpp reads one element a token, without asking how many there are. */
const tokenArrays: readonly (readonly [string, readonly GgufScalarType[]])[] = [
  ['tokenizer.ggml.scores', ['f32']],
  ['tokenizer.ggml.token_type', ['i32', 'u32']],
];

/**
 * Checks what a header says about the model: an architecture, plausible sizes, and vocabulary arrays that agree in length
 * (llama.cpp indexes scores and types by token without a bound).
 * @throws E_MODEL_CORRUPT
 */
export function checkModelMetadata(file: string, header: GgufHeader): void {
  const architecture = header.metadata.get('general.architecture')?.value;
  if (typeof architecture !== 'string' || architecture === '') {
    throw modelCorrupt(file, 'it does not name an architecture (general.architecture)');
  }
  for (const [name, limit] of sizeLimits) checkSize(file, header, `${architecture}.${name}`, limit);
  for (const name of epsilons) {
    const epsilon = header.metadata.get(`${architecture}.${name}`)?.value;
    if (epsilon !== undefined && !(typeof epsilon === 'number' && epsilon >= 0 && Number.isFinite(epsilon))) {
      throw modelCorrupt(file, `${architecture}.${name} is not a small positive number`);
    }
  }
  checkVocabulary(file, header);
}

function checkSize(file: string, header: GgufHeader, key: string, limit: number): void {
  const entry = header.metadata.get(key);
  if (entry === undefined) return;
  const values = typeof entry.value === 'object' ? (entry.value.values ?? []) : [entry.value];
  for (const value of values) {
    // Models without attention or MLP state zeros for those; a context of one token cannot be surveyed.
    const least = key.endsWith('.context_length') ? 2 : /\.(block_count|embedding_length)$/.test(key) ? 1 : 0;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > limit) {
      throw modelCorrupt(file, `${key} is ${String(value).slice(0, 40)}, which no model has`);
    }
  }
}

function checkVocabulary(file: string, header: GgufHeader): void {
  const tokens = header.metadata.get('tokenizer.ggml.tokens');
  if (tokens === undefined) return;
  const list = metadataArray(header, 'tokenizer.ggml.tokens');
  if (list === null || list.elementType !== 'string') throw modelCorrupt(file, 'tokenizer.ggml.tokens is not a list of strings');
  if (list.length === 0) throw modelCorrupt(file, 'its vocabulary is empty');
  for (const [key, elementTypes] of tokenArrays) {
    if (!header.metadata.has(key)) continue;
    const array = metadataArray(header, key);
    if (array === null || !elementTypes.includes(array.elementType) || array.length < list.length) {
      throw modelCorrupt(file, `${key} does not have one entry for each of the ${list.length} tokens`);
    }
  }
}
