/**
 * Central differences of the target along random directions at random sites, against the gradient. The sites are moved by patches
 * of the ordinary forward pass, so nothing of the backward pass has a hand in it, and the directions know nothing of the gradient:
 * one that lies along it would not see a part that is missing.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { randomNumbers } from '../../../src/model/runtime/randomNumbers.ts';
import { seedOf } from '../../../src/model/targetSeed.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientTarget } from '../../../src/model/gradient.ts';
import type { ForwardRequest, Model } from '../../../src/model/model.ts';
import { siteName } from '../../../src/model/sites.ts';
import { bundledModel, norm } from '../golden.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';

interface Measure {
  /** Shares of the site's own size (root mean square); their derivatives are averaged. */
  readonly steps: readonly number[];
  /** Of the size that ⟨gradient, random direction⟩ typically has. */
  readonly tolerance: number;
}

/**
 * An F32 forward pass carries an error of about 1e-6 of the target into a difference, divided by the step; curvature costs the fourth
 * power of the step. Measured with these steps: 2e-4 at most.
 */
const smooth: Measure = { steps: [0.01], tolerance: 1e-3 };
/** A move of half a per cent can choose other experts, which is another function; shorter steps carry more rounding. */
const experts: Measure = { steps: [1e-3], tolerance: 4e-3 };
/** ggml's GELU is a staircase of half precision. Long steps of several lengths average it out to 0.015 at most. */
const table: Measure = { steps: [0.03, 0.032, 0.034, 0.036, 0.038, 0.04, 0.042, 0.044], tolerance: 0.03 };
const measures: Partial<Record<GradientFamily, Measure>> = {
  gemma2: table,
  gemma3: table,
  gpt2: table,
  mixtral: experts,
  qwen3moe: experts,
};

/** The logits are no place of a derivative, and no patch reaches the scores. */
const notMoved = /^(logits|scores\..*)$/;

describe.each(gradientFamilies)('%s', (family) => {
  const golden = readGradientGolden(family);
  const { steps, tolerance } = measures[family] ?? smooth;
  const sites = golden.sites.filter((site) => !notMoved.test(site));
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(golden.file, { threads: 1, contextLength: 0 });
  });
  afterAll(() => model.dispose());

  test('slopes along random directions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sites),
        fc.constantFrom(...golden.targets.keys()),
        fc.constantFrom('as-served' as const, 'dequantised' as const),
        fc.integer({ min: 1, max: 2 ** 31 }),
        async (name, kind, precision, seed) => {
          const target = golden.targets.get(kind);
          if (target === undefined) throw new Error(`no target ${kind}`);
          // A cotangent moves with its own site one to one, which its capture does not see.
          if (target.kind === 'cotangent' && siteName(target.site) === name) return;
          const { tokens } = golden;
          const site = parseSiteName(name);
          const { targets, captured } = await model.gradient({
            tokens,
            targets: [target],
            at: [site],
            capture: [site],
            precision,
          });
          const slope = targets[0]?.gradients.get(name)?.data ?? new Float32Array();
          const value = captured.get(name)?.data ?? new Float32Array();
          const size = norm(value) / Math.sqrt(value.length);
          const random = normalNumbers(seed);
          const direction = value.map((entry) => {
            const by = size * random();
            // Where attention is masked, nothing moves.
            return name.startsWith('pattern') && entry === 0 ? 0 : by;
          });
          const moved = async (by: number) => {
            const values = direction.map((entry) => by * entry);
            return valueOf(model, target, { tokens, patches: [{ site, operation: { kind: 'add', values } }] });
          };
          const measured = await derivative(moved, steps);
          const seen = slope.map((entry, index) => (direction[index] === 0 ? 0 : entry));
          const allowed = tolerance * size * norm(seen);
          const expected = innerProduct(slope, direction);
          expect(Math.abs(measured - expected), `${measured} against ${expected}`).toBeLessThanOrEqual(allowed);
        },
      ),
      { numRuns: 40, seed: 20261125 },
    );
  });
});

/** As served, 8-bit activations make the function itself a staircase; dequantised, the unpacked weights are smooth. */
test('the bundled model, dequantised: slopes along random directions of its embeddings', async () => {
  const model = await openLlamaModel(bundledModel, { threads: 1, contextLength: 0 });
  try {
    const tokens = Int32Array.of(504, 3575, 282, 4649, 314);
    const position = tokens.length - 1;
    const target: GradientTarget = { kind: 'logprob', terms: [{ position, id: 7042, weight: 1 }] };
    const embed = { kind: 'embed' } as const;
    const { captured } = await model.forward({ tokens, capture: [{ site: embed }] });
    const prompt = captured.get('embed')?.data ?? new Float32Array();
    const size = norm(prompt) / Math.sqrt(prompt.length);
    for (const seed of [1, 2, 3, 4]) {
      const random = normalNumbers(seed);
      const direction = prompt.map(() => size * random());
      const request = { tokens, target, precision: 'dequantised' as const };
      const { targets } = await model.gradient({ ...request, targets: [target], at: [embed], embeddings: prompt });
      const gradient = targets[0]?.gradients.get('embed')?.data ?? new Float32Array();
      const moved = async (by: number) => {
        const to = prompt.map((entry, index) => entry + by * (direction[index] as number));
        const { values } = await model.gradientAlong({
          ...request,
          at: [],
          from: prompt,
          to,
          points: [{ fraction: 1, weight: 0 }],
        });
        return values[0] ?? Number.NaN;
      };
      const difference = (await derivative(moved, smooth.steps)) - innerProduct(gradient, direction);
      // Thirty layers round more than two: 5e-4 was measured.
      expect(Math.abs(difference)).toBeLessThanOrEqual(2e-3 * size * norm(gradient));
    }
  } finally {
    await model.dispose();
  }
});

/** Of the target, computed in doubles from an ordinary forward pass. */
async function valueOf(model: Model, target: GradientTarget, request: ForwardRequest): Promise<number> {
  if (target.kind === 'cotangent') {
    const { captured } = await model.forward({ ...request, capture: [{ site: target.site }] });
    return innerProduct(captured.get(siteName(target.site))?.data ?? new Float32Array(), target.values);
  }
  const { vocabulary } = model.info;
  const { logits } = await model.forward({ ...request, logits: 'all' });
  const rows = logits?.values ?? new Float32Array();
  return seedOf(target, (position) => rows.subarray(position * vocabulary, (position + 1) * vocabulary)).value;
}

/** At 0, by Richardson's extrapolation of central differences: the error of the square of the step cancels. */
async function derivative(moved: (by: number) => Promise<number>, steps: readonly number[]): Promise<number> {
  const difference = async (by: number) => ((await moved(by)) - (await moved(-by))) / (2 * by);
  let sum = 0;
  for (const step of steps) sum += (4 * (await difference(step)) - (await difference(2 * step))) / 3;
  return sum / steps.length;
}

function innerProduct(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, entry, index) => sum + entry * (b[index] as number), 0);
}

/** Normally distributed, by Box and Muller. */
function normalNumbers(seed: number): () => number {
  const random = randomNumbers(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
