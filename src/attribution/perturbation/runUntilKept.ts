import type { AttributionInput, AttributionOptions } from '../method.ts';
import type { ResolvedTarget } from '../target.ts';
import { evaluateRows } from './evaluateSequences.ts';
import { replaced } from './proposedTokens.ts';
import { contrastsOf, type Sample } from './replacementContrasts.ts';

interface RunOptions {
  readonly draw: () => Sample;
  readonly random: () => number;
  /** Samples at most. */
  readonly total: number;
  /** The answer must be among this many. */
  readonly stop: number;
  /** Share of the scored units that stay in the test. */
  readonly keep: number;
  readonly tell: (done: number) => void;
  readonly options: AttributionOptions;
}

interface EndedRun {
  /** [scored units] as `contrastsOf`. */
  readonly contrasts: Float64Array;
  readonly stopped: boolean;
  readonly forwardPasses: number;
}

/** Whether the target has tokens whose rank can be looked at. */
export function testsKept(target: ResolvedTarget): boolean {
  return target.reads(1).every(({ ids }) => ids.length > 0);
}

/**
 * One run of ReAGent with its stopping rule (Zhao & Shan 2024, arXiv 2402.00794, section 3): after each sample the units are ranked; all
 * but the top ⌈keep · units⌉ are replaced by proposals; the run ends once each token of the answer is among the model's first `stop` there.
 * Of a contrast, that is the token in favour.
 * Two forward passes a sample.
 */
export async function runUntilKept(
  input: AttributionInput,
  proposed: readonly (readonly number[])[],
  { draw, random, total, stop, keep, tell, options }: RunOptions,
): Promise<EndedRun> {
  const { model, target } = input;
  const samples: Sample[] = [];
  const values: number[] = [];
  const rowsOf = async (prompt: Int32Array) => (await evaluateRows(model, [prompt], target, signalOf(options)))[0] ?? [];
  for (;;) {
    const sample = draw();
    samples.push(sample);
    values.push(target.value(await rowsOf(sample.prompt)));
    tell(samples.length);
    const contrasts = contrastsOf(sample.marked.length, samples, values);
    const kept = topPlaces(contrasts, Math.ceil(keep * contrasts.length));
    const rows = await rowsOf(replaced(input, proposed, (place) => !kept.has(place), random));
    const stopped = rows.every(({ ranks }) => (ranks[0] ?? Number.POSITIVE_INFINITY) <= stop);
    if (stopped || samples.length >= total) return { contrasts, stopped, forwardPasses: 2 * samples.length };
  }
}

/** The first of equal ones counts as higher. */
function topPlaces(contrasts: Float64Array, count: number): Set<number> {
  const order = Array.from(contrasts.keys()).sort((a, b) => (contrasts[b] as number) - (contrasts[a] as number) || a - b);
  return new Set(order.slice(0, count));
}

function signalOf({ signal }: AttributionOptions): { signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
