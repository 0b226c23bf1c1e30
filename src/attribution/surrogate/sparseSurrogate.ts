import type { RowResult } from '../../model/model.ts';
import type { Coalition } from '../game.ts';
import type { AttributionInput, AttributionMethod, AttributionOptions } from '../method.ts';
import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import type { ResolvedTarget } from '../target.ts';
import { branchingAblations } from './ablationDesign.ts';
import { keepLastParameter } from './keepLast.ts';
import { determination, largestLambda, lasso, type LinearFit } from './regression.ts';

/**
 * Sparse linear surrogate (ContextCite, Cohen-Wang et al. 2024, arXiv 2409.00729): a LASSO of the target over the presence of
 * units, on prompts with each unit missing half of the time. The whole response is read in the same runs, so each of its tokens
 * gets scores of its own, and a later span needs no new run. Signed, in the target's unit. See docs/methods/sparse-surrogate.md.
 */
export const sparseSurrogate: AttributionMethod = {
  id: 'sparse-surrogate',
  family: 'surrogate',
  label: 'Sparse surrogate (ContextCite)',
  assumption: 'Few units carry the answer, and their effects add up. One set of runs answers every part of the response.',
  needs: ['forward'],
  parameters: [
    { id: 'samples', label: 'Ablated prompts', default: 64, minimum: 4, maximum: 4096, whole: true },
    { id: 'penalty', label: 'Sparsity, a share of the penalty that leaves nothing', default: 0.02, minimum: 0, maximum: 1 },
    keepLastParameter,
    replacementParameter,
  ],
  cost: () => 20,

  async attribute(input, options = {}) {
    const { parameters, target, seed } = input;
    const reading = readingFor(input);
    const units = players(input, { keepLast: parameters['keepLast'] === true });
    const game = await CoalitionGame.open(input, { units, target: reading.whole });
    const samples = branchingAblations(game.size, Number(parameters['samples']), seed);
    const rows = await ablatedRows(input, game, samples, options);
    const penalty = Number(parameters['penalty']);
    const y = Float64Array.from(rows.values, (sampleRows) => target.value(reading.ofTarget(sampleRows)));
    const fit = sparseFit(samples, y, penalty);
    const { response } = input;
    const perToken =
      reading.whole === response
        ? columnsOf(rows.values.map((sampleRows) => response.parts?.(sampleRows) ?? new Float64Array(0))).map((column) =>
            sparseFit(samples, column, penalty),
          )
        : [];
    return {
      scores: game.unitScores(fit.coefficients),
      forwardPasses: rows.isKnown ? 0 : game.forwardPasses,
      findings: {
        fit: {
          samples: samples.length,
          r2: determination(fit, samples, y, new Float64Array(samples.length).fill(1)),
          intercept: fit.intercept,
        },
      },
      ...(perToken.length === 0
        ? {}
        : {
            matrix: {
              rows: perToken.map((_, index) => index),
              scores: perToken.map(({ coefficients }) => [...game.unitScores(coefficients)]),
              unit: 'nat',
            },
          }),
      warnings: [],
    };
  },
};

/** Reads the whole response where the target stands on a piece of it, so that one run serves both. */
function readingFor({ response, target }: AttributionInput): {
  readonly whole: ResolvedTarget;
  readonly ofTarget: (rows: readonly RowResult[]) => readonly RowResult[];
} {
  const isPiece = target.description.kind === 'span' || target.description.kind === 'response';
  if (response === null || !isPiece) return { whole: target, ofTarget: (rows) => rows };
  const [from, to] = target.description.span ?? [0, 0];
  const isSame = target.description.ids.every((id, index) => response.description.ids[from + index] === id);
  if (!isSame || response.description.ids.length <= to) return { whole: target, ofTarget: (rows) => rows };
  return { whole: response, ofTarget: (rows) => rows.slice(from, to + 1) };
}

/** Rows of every ablated prompt: those of an earlier run over the same response, or new ones. */
async function ablatedRows(
  { ablations, tokens }: AttributionInput,
  game: CoalitionGame,
  samples: readonly Coalition[],
  options: AttributionOptions,
): Promise<{ readonly values: readonly (readonly RowResult[])[]; readonly isKnown: boolean }> {
  const key = JSON.stringify([tokens.map(({ id }) => id), game.description, samples.map((sample) => sample.join(''))]);
  const known = ablations?.get(key);
  if (known !== undefined) return { values: known, isKnown: true };
  const values = await game.rows(samples, options);
  ablations?.set(key, values);
  return { values, isKnown: false };
}

function sparseFit(samples: readonly Coalition[], y: Float64Array, penalty: number): LinearFit {
  const even = new Float64Array(samples.length).fill(1);
  return lasso(samples, y, even, penalty * largestLambda(samples, y, even));
}

/** Transposed: one column of values for each token. */
function columnsOf(rows: readonly Float64Array[]): Float64Array[] {
  const width = rows[0]?.length ?? 0;
  return Array.from({ length: width }, (_, column) => Float64Array.from(rows, (row) => row[column] as number));
}
