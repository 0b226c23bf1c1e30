/** A path that stays near embeddings the model knows. */
import { cancelled } from '../../shared/errorCatalog.ts';
import type { AttributionInput, AttributionOptions } from '../method.ts';
import { emptyPromptToken } from '../perturbation/emptyPrompt.ts';
import type { EmbeddingPath } from './embeddingPath.ts';
import type { GradientPath, Leg } from './gradientPath.ts';
import { commonTokens, embeddingOffsets } from './vocabularyOffsets.ts';

/** Straight legs of the path; between them it bends at anchors. */
const legCount = 10;
/** Nearest candidates of which the most monotone one becomes the anchor. */
const neighbours = 50;

/**
 * Discretised integrated gradients (Sanyal & Ren 2021, arXiv 2108.13654, greedy anchors): on its way to the baseline each token passes
 * near embeddings of real tokens, and no coordinate ever turns back. Candidates are the most common tokens and those of the prompt.
 * Everything is reckoned relative to the baseline token, so that a position's own share of an embedding falls out.
 * @throws as `Model.forward`
 */
export async function discretisedPath(
  input: AttributionInput,
  { from, to }: EmbeddingPath,
  options: AttributionOptions,
): Promise<GradientPath> {
  const { model, tokens } = input;
  const width = model.info.hidden;
  const ids = [...new Set([...tokens.map(({ id }) => id), ...commonTokens(model)])];
  const empty = await emptyPromptToken(model.tokenizer);
  const { offsets, evaluatedTokens } = await embeddingOffsets(model, ids, empty, options);
  const knotsOf = new Map<number, Float32Array[]>();
  for (const { id } of tokens) {
    if (knotsOf.has(id)) continue;
    // Lets a request to stop arrive.
    await new Promise((resolve) => setTimeout(resolve));
    if (options.signal?.aborted === true) throw cancelled();
    const start = offsets[ids.indexOf(id)] as Float32Array;
    knotsOf.set(id, monotoneKnots(start, offsets, legCount).reverse());
  }
  const knot = (index: number) => () => {
    if (index === legCount) return to.data;
    const place = from.data.slice();
    tokens.forEach(({ id }, position) => {
      const offset = knotsOf.get(id)?.[index] as Float32Array;
      for (let d = 0; d < width; d++) {
        place[position * width + d] = (place[position * width + d] as number) + (offset[d] as number);
      }
    });
    return place;
  };
  const legs = Array.from({ length: legCount }, (_, index): Leg => ({ from: knot(index), to: knot(index + 1) }));
  const ends = [{ from: () => from.data, to: () => to.data }];
  return { legs, ends, share: 1 / legCount, forwardPasses: evaluatedTokens / (tokens.length + input.target.continuation.length) };
}

/**
 * From `start` to the origin in `legs` legs. The next knot is, of the candidates near the current one, the one that has to be bent
 * least so that every coordinate only ever shrinks; a coordinate that has to be bent goes on in a straight line.
 * @param candidates [candidates][D]
 * @returns [legs + 1][D], `start` first
 */
export function monotoneKnots(start: Float32Array, candidates: readonly Float32Array[], legs: number): Float32Array[] {
  const knots = [start];
  const used = new Set<Float32Array>();
  for (let left = legs; left > 1; left--) {
    const here = knots.at(-1) as Float32Array;
    const near = candidates
      .filter((candidate) => !used.has(candidate))
      .map((candidate) => ({ candidate, distance: squaredDistance(candidate, here) }))
      // A candidate at the current knot leads nowhere.
      .filter(({ distance }) => distance > 0)
      .sort((a, b) => a.distance - b.distance)
      .slice(0, neighbours)
      .map(({ candidate }) => {
        const bent = bentTowardsOrigin(here, candidate, left);
        return { candidate, bent, cost: squaredDistance(candidate, bent) };
      });
    const best = near.reduce<(typeof near)[number] | undefined>(
      (least, each) => (least === undefined || each.cost < least.cost ? each : least),
      undefined,
    );
    if (best !== undefined) used.add(best.candidate);
    knots.push(best?.bent ?? here.map((value) => value * (1 - 1 / left)));
  }
  return [...knots, new Float32Array(start.length)];
}

/** `candidate` where it lies between `here` and 0, elsewhere the straight way with `left` legs to go. */
function bentTowardsOrigin(here: Float32Array, candidate: Float32Array, left: number): Float32Array {
  return here.map((value, d) => {
    const other = candidate[d] as number;
    return (other - value) * other <= 0 ? other : value * (1 - 1 / left);
  });
}

function squaredDistance(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += ((a[d] as number) - (b[d] as number)) ** 2;
  return sum;
}
