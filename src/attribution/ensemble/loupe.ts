import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { precisionParameter } from '../gradient/promptGradient.ts';
import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { playerBehind } from '../surrogate/ablations.ts';
import { deviation } from './deviation.ts';
import { gradientSizes, type GradientSizes } from './gradientSizes.ts';
import { ridgeByLeaveOneOut } from './ridgeByLeaveOneOut.ts';
import { lateOcclusion } from './lateOcclusion.ts';
import { settledTail } from './settledTail.ts';
import { type SparseDraw, sparsePrompts } from './sparsePrompts.ts';

/**
 * `passes`: forward passes it may cost, all told. `groups`: an ablated prompt keeps one unit in so many; short ones cost little,
 * and say more of what an answer cannot do without. `sizes`: what the sizes of the gradient weigh beside the regression, which
 * few ablations leave noisy. `tail`: forward passes of them that settle which units come last.
 */
const presets = {
  quick: { passes: 3 },
  balanced: { passes: 12, groups: 5, sizes: 1 / 2, tail: 4.5 },
  strong: { passes: 32, groups: 3, sizes: 0, tail: 6 },
  thorough: { passes: 100, groups: 3, sizes: 0, tail: 6 },
} as const;
type Preset = keyof typeof presets;
/** Forward passes for late units. */
const lateBudget = 0.9;

/**
 * The combination that won the table in docs/faithfulness.md at its cost: sizes of the gradient, exact leave-one-out of the last
 * units, and, beyond `quick`, a ridge regression over ablated prompts that is shrunk towards these two. `quick` gives sizes without
 * a sign; the other presets effects in the target's unit. See docs/methods/loupe.md.
 */
export const loupe: AttributionMethod = {
  id: 'loupe',
  family: 'ensemble',
  label: 'Loupe (best at its cost)',
  assumption: 'The gradient says where to look, deleted words say how much. The most faithful picture for the time you give it.',
  needs: ['gradient'],
  parameters: [{ id: 'preset', label: 'Cost', default: 'quick', choices: Object.keys(presets) }, precisionParameter],
  isUnsigned: ({ preset }) => preset === 'quick',
  cost: () => 3,

  async attribute(input, options = {}) {
    const preset = presetOf(input);
    const units = players(input, { keepLast: true });
    // First, while the model still holds the prompt it has just read.
    const late = await lateOcclusion(input, units, lateBudget, options);
    const gradient = await gradientSizes(input, options);
    const importance = combined(gradient, late.effects, units);
    const spent = gradient.forwardPasses + late.forwardPasses;
    const { precision } = gradient;
    if (preset === 'quick') {
      return { scores: importance, scoreUnit: 'standard deviations', forwardPasses: spent, precision, warnings: [] };
    }
    const { passes, groups, sizes, tail } = presets[preset];
    const left = passes - gradient.forwardPasses - late.budgeted;
    const game = await CoalitionGame.open(input, { units });
    const fitted = await regressed(game, input, importance, { groups, budget: left - tail }, options);
    const sizesOf = units.map((unit) => importance[unit] as number);
    const scores = averaged(fitted.effects, sizesOf, sizes);
    const order = await settledTail(game, input, scores, left - game.forwardPasses, options);
    return {
      scores: game.unitScores(dealtAlong(order, scores)),
      findings: fitted.findings,
      forwardPasses: spent + game.forwardPasses,
      precision,
      warnings: [],
    };
  },
};

function presetOf({ parameters }: AttributionInput): Preset {
  const given = String(parameters['preset']);
  return given in presets ? (given as Preset) : 'quick';
}

/** The sizes of the gradient plus what leaving out a late unit really lowers the target by, each in its own standard deviations. */
function combined(
  { embedding, residuals }: Pick<GradientSizes, 'embedding' | 'residuals'>,
  effects: ReadonlyMap<number, number>,
  units: readonly number[],
): Float32Array {
  const inSpreads = (values: Float32Array) => {
    const one = spread(units.map((unit) => values[unit] as number));
    return values.map((value) => value / one);
  };
  const layers = residuals.map(inSpreads);
  const residual = inSpreads(embedding.map((_, unit) => layers.reduce((sum, layer) => sum + (layer[unit] as number), 0)));
  const falls = inSpreads(embedding.map((_, unit) => Math.max(0, effects.get(unit) ?? 0)));
  return inSpreads(embedding).map((size, unit) => size + (residual[unit] as number) + (falls[unit] as number));
}

/**
 * The mean of what the ablations say and of the sizes, brought to the same spread. Both err, and seldom alike, so the mean ranks
 * better than either (docs/faithfulness.md).
 * @param effects [players], in the target's unit
 * @param sizes [players]
 * @param weight of the sizes, where the ablations weigh 1
 */
function averaged(effects: readonly number[], sizes: readonly number[], weight: number): number[] {
  const scale = deviation(effects) / spread(sizes);
  return effects.map((effect, player) => (effect + weight * scale * (sizes[player] as number)) / (1 + weight));
}

/** The same scores, the highest to the first of the order, and so on. */
function dealtAlong(order: readonly number[], scores: readonly number[]): Float64Array {
  const falling = [...scores].sort((a, b) => b - a);
  const dealt = new Float64Array(scores.length);
  order.forEach((player, place) => {
    dealt[player] = falling[place] as number;
  });
  return dealt;
}

/** Standard deviation; 1 where nothing varies, so that it can divide. */
function spread(values: readonly number[]): number {
  return deviation(values) || 1;
}

async function regressed(
  game: CoalitionGame,
  input: AttributionInput,
  importance: Float32Array,
  draw: Pick<SparseDraw, 'groups' | 'budget'>,
  options: AttributionOptions,
) {
  const drawn = sparsePrompts(game, {
    ...draw,
    splits: [1 / 3, 2 / 3].map((share) => playerBehind(share, game, input)),
    sharesBeginnings: input.model.info.sharesBeginnings,
    length: input.tokens.length,
    continuation: input.target.continuation.length,
    seed: input.seed,
  });
  const samples = [game.everybody(), ...drawn];
  const values = Float64Array.from([input.value, ...(await game.values(drawn, options))]);
  const shape = game.units.map((unit) => importance[unit] as number);
  const scale = slopeOf(
    samples.map((sample) => shape.reduce((sum, part, player) => sum + part * (sample[player] as number), 0)),
    values,
  );
  const prior = shape.map((part) => part * scale);
  const fit = ridgeByLeaveOneOut(samples, values, prior);
  return {
    effects: Array.from(fit.coefficients),
    findings: { fit: { samples: samples.length, r2: fit.r2, intercept: fit.intercept } },
  };
}

/** How much y rises with x, never below 0, a little cautious: noise in x would otherwise be believed. */
function slopeOf(x: readonly number[], y: Float64Array): number {
  const meanX = x.reduce((sum, value) => sum + value, 0) / x.length;
  const meanY = y.reduce((sum, value) => sum + value, 0) / y.length;
  let together = 0;
  let alone = 0;
  x.forEach((value, index) => {
    together += (value - meanX) * ((y[index] as number) - meanY);
    alone += (value - meanX) ** 2;
  });
  return alone > 0 ? Math.max(0, together / (1.1 * alone)) : 0;
}
