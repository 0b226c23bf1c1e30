/**
 * Central differences of the target along random directions at random sites, against the gradient. The sites are moved by patches
 * of the ordinary forward pass, so nothing of the backward pass has a hand in it.
 */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { seedOf } from '../../../src/llama/gradient/targetSeed.ts';
import { openLlamaModel } from '../../../src/llama/openLlamaModel.ts';
import type { GradientTarget } from '../../../src/model/gradient.ts';
import type { Model } from '../../../src/model/model.ts';
import { type GradientFamily, gradientFamilies, readGradientGolden } from './gradientGolden.ts';
import { parseSiteName } from './parseSiteName.ts';

/**
 * The forward pass is F32: a difference of the target carries an error of about 1e-6 of its size, divided by the step of a few
 * thousandths of the site's own size; curvature costs the fourth power of the step. GELU's table has steps of its own, which only
 * longer ones average out.
 */
const tolerances: Partial<Record<GradientFamily, number>> = { gemma2: 0.06, gemma3: 0.06, gpt2: 0.06 };
const tolerance = 0.01;
const steps: Partial<Record<GradientFamily, number>> = { gemma2: 4e-3, gemma3: 4e-3, gpt2: 0.02, mixtral: 5e-4, qwen3moe: 5e-4 };
const movable = [
  'embed',
  'resid_pre.1',
  'resid_mid.0',
  'resid_post.0',
  'q.0',
  'k.1',
  'v.0',
  'pattern.1',
  'z.1',
  'attn_out.0',
  'mlp_post.0',
  'mlp_out.1',
];
const kinds = ['logit', 'logprob', 'contrast', 'span', 'entropy', 'kl-to', 'linear', 'probability'] as const;

describe.each(gradientFamilies)('%s', (family) => {
  const golden = readGradientGolden(family);
  const sites = movable.filter((site) => golden.sites.includes(site));
  let model: Model;
  beforeAll(async () => {
    model = await openLlamaModel(golden.file, { threads: 1, contextLength: 0 });
  });
  afterAll(() => model.dispose());

  test('slopes along random directions', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sites),
        fc.constantFrom(...kinds),
        fc.constantFrom('as-served' as const, 'dequantised' as const),
        fc.integer({ min: 1, max: 1_000_000 }),
        async (name, kind, precision, seed) => {
          const target = golden.targets.get(kind);
          if (target === undefined || target.kind === 'cotangent') throw new Error(`no target ${kind}`);
          const site = parseSiteName(name);
          const { targets, captured } = await model.gradient({
            tokens: golden.tokens,
            targets: [target],
            at: [site],
            capture: [site],
            precision,
          });
          const slope = targets[0]?.gradients.get(name)?.data ?? new Float32Array();
          const value = captured.get(name)?.data ?? new Float32Array();
          const size = Math.sqrt(value.reduce((sum, entry) => sum + entry * entry, 0) / value.length);
          // Half along the gradient, so that the difference is not lost in rounding; half at random. Where attention is masked, nothing moves.
          const length = Math.sqrt(slope.reduce((sum, entry) => sum + entry * entry, 0) / slope.length) || 1;
          const direction = slope.map((entry, index) => {
            if (name.startsWith('pattern') && value[index] === 0) return 0;
            return size * (entry / length + Math.sin(seed + 12.9898 * index));
          });
          const expected = slope.reduce((sum, entry, index) => sum + entry * (direction[index] as number), 0);
          const step = steps[family] ?? 2e-3;
          const moved = async (by: number) => {
            const values = direction.map((entry) => by * entry);
            const { logits } = await model.forward({
              tokens: golden.tokens,
              logits: 'all',
              patches: [{ site, operation: { kind: 'add', values } }],
            });
            return valueOf(target, logits?.values ?? new Float32Array(), model.info.vocabulary);
          };
          const difference = async (by: number) => ((await moved(by)) - (await moved(-by))) / (2 * by);
          // Richardson: the error of the square of the step cancels.
          const measured = (4 * (await difference(step)) - (await difference(2 * step))) / 3;
          const allowed = (tolerances[family] ?? tolerance) * Math.abs(expected);
          expect(Math.abs(measured - expected), `${name} ${kind} ${measured} ${expected}`).toBeLessThanOrEqual(allowed);
        },
      ),
      { numRuns: 30, seed: 20261125 },
    );
  });
});

function valueOf(target: Exclude<GradientTarget, { kind: 'cotangent' }>, logits: Float32Array, vocabulary: number): number {
  return seedOf(target, (position) => logits.subarray(position * vocabulary, (position + 1) * vocabulary)).value;
}
