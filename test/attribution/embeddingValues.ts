/** Plain references at input embeddings of one's own choice, by forward passes of the smooth model alone. */
import type { AttributionInput } from '../../src/attribution/method.ts';
import { headPattern, linearInfo } from './linearModel.ts';
import { directionOf, embeddingOf, gain } from './smoothModel.ts';

const { hidden, layers, heads } = linearInfo;

/** Prompt and target tokens. */
export function sequenceOf({ tokens, target }: AttributionInput): Int32Array {
  return Int32Array.from([...tokens.map((token) => token.id), ...target.continuation]);
}

/** [T, D] */
export function embeddingsOf(ids: ArrayLike<number>): Float32Array {
  return Float32Array.from(Array.from(ids).flatMap(embeddingOf));
}

/** The target with these embeddings in place of the tokens' own. */
export async function valueAt(input: AttributionInput, embeddings: Float32Array): Promise<number> {
  const { model, target, tokens } = input;
  return target.value((await model.forward({ tokens: sequenceOf(input), embeddings, read: target.reads(tokens.length) })).read);
}

/** d target / d embedding of the prompt's tokens there, by central differences, [tokens][D]. */
export async function slopesAt(input: AttributionInput, embeddings: Float32Array): Promise<number[][]> {
  const step = 1 / 512;
  const moved = (at: number, by: number) => {
    const copy = embeddings.slice();
    copy[at] = (copy[at] as number) + by;
    return valueAt(input, copy);
  };
  const rows: number[][] = [];
  for (let token = 0; token < input.tokens.length; token++) {
    const row: number[] = [];
    for (let at = token * hidden; at < (token + 1) * hidden; at++) {
      row.push(((await moved(at, step)) - (await moved(at, -step))) / (2 * step));
    }
    rows.push(row);
  }
  return rows;
}

/** The part of token `key` of the prompt in the logit of `of` after the last one, if it had this embedding: gain · A · tanh(u · x). */
export function partOfLogit(ids: readonly number[], key: number, of: number, embedding: readonly number[]): number {
  let mixed = 0;
  for (let layer = 0; layer < layers; layer++) {
    for (let head = 0; head < heads; head++) {
      mixed += gain(layer, head) * (headPattern(ids, layer, head)[(ids.length - 1) * ids.length + key] as number);
    }
  }
  return mixed * Math.tanh(embedding.reduce((sum, value, d) => sum + value * (directionOf(of)[d] as number), 0));
}
