/** Steering: a direction added to the stream at every position (Turner et al. 2023, arXiv 2308.10248; Rimsky et al. 2023, arXiv 2312.06681). */
import { gaussian, seededRandom } from '../../attribution/seededRandom.ts';
import type { Model, Patch } from '../../model/model.ts';
import { type Site, siteName } from '../../model/sites.ts';
import { numeric } from '../../shared/errorCatalog.ts';
import { captureSites } from '../activations/captureSites.ts';
import type { Token } from '../../shared/tokens.ts';
import type { ToolPrompt } from '../tools/tool.ts';

export type Pooling = 'mean' | 'last';

/**
 * Whose activations stand for a text: the last token, or all that are not the chat template's. The first token is left out: attention
 * rests on it, its activations are many times larger than all others, and it would drown what the text says.
 */
export function pooledPositions(
  { tokens, templateRanges }: Pick<ToolPrompt, 'tokens' | 'templateRanges'>,
  pooling: Pooling,
): number[] {
  const isTemplate = ({ start, end }: Token) => templateRanges.some((range) => start < range.end && end > range.start);
  const positions = tokens.flatMap((token, position) => (position === 0 || isTemplate(token) ? [] : [position]));
  return pooling === 'mean' ? positions : tokens.length > 1 ? [tokens.length - 1] : [];
}

/** Mean activation of a text at one site. @param positions not empty @returns [D] and the mean length of the activations it was made of */
export async function pooledActivation(
  model: Model,
  tokens: Int32Array,
  site: Site,
  positions: readonly number[],
  signal: AbortSignal,
): Promise<{ readonly mean: Float64Array; readonly length: number }> {
  const values = (await captureSites(model, { tokens, sites: [site] }, signal))(site);
  const width = values.length / tokens.length;
  const mean = new Float64Array(width);
  let length = 0;
  for (const position of positions) {
    const row = values.subarray(position * width, (position + 1) * width);
    row.forEach((value, index) => {
      mean[index] = (mean[index] as number) + value / positions.length;
    });
    length += norm(row) / positions.length;
  }
  return { mean, length };
}

/** Adds scale · direction at each of `length` positions. @param direction [D] */
export function steeringPatch(site: Site, direction: Float32Array, scale: number, length: number): Patch {
  const values = new Float32Array(length * direction.length);
  const scaled = direction.map((value) => scale * value);
  for (let position = 0; position < length; position++) values.set(scaled, position * direction.length);
  return { site, operation: { kind: 'add', values } };
}

/** As long as `like` and pointing anywhere, each way as likely. */
export function randomDirections(like: Float32Array, count: number, seed: number): Float32Array[] {
  const random = seededRandom(seed);
  return Array.from({ length: count }, () => {
    const direction = like.map(() => gaussian(random));
    const factor = norm(like) / norm(direction);
    return direction.map((value) => value * factor);
  });
}

export interface SteeredText {
  readonly text: string;
  readonly ids: readonly number[];
}

/**
 * The most likely tokens one by one, each from a whole pass in which every position is steered.
 * @throws E_NUMERIC, and as `Model.forward`
 */
export async function steeredText(
  model: Model,
  prompt: Int32Array,
  steer: (length: number) => readonly Patch[],
  maxTokens: number,
  signal: AbortSignal,
): Promise<SteeredText> {
  const { endOfGeneration } = await model.tokenizer.special();
  const ids: number[] = [];
  while (ids.length < maxTokens && prompt.length + ids.length < model.info.contextLength) {
    const tokens = Int32Array.from([...prompt, ...ids]);
    const read = [{ position: tokens.length - 1, ids: [], top: 1 }];
    const result = await model.forward({ tokens, read, patches: steer(tokens.length) }, { signal });
    const [best] = result.read[0]?.top ?? [];
    if (result.nonFinite !== null || best === undefined) throw numeric(result.nonFinite ?? siteName({ kind: 'logits' }));
    if (endOfGeneration.includes(best.id)) break;
    ids.push(best.id);
  }
  return { ids, text: await model.tokenizer.decode(ids) };
}

export function norm(values: Float32Array | Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return Math.sqrt(sum);
}
