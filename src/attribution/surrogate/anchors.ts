import type { RowResult } from '../../model/model.ts';
import type { Coalition } from '../game.ts';
import type { AttributionInput, AttributionMethod } from '../method.ts';
import { CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import { shareInterval } from '../sampleInterval.ts';
import { seededRandom } from '../seededRandom.ts';
import type { ResolvedTarget } from '../target.ts';
import { searchAnchor } from './anchorSearch.ts';
import { keepLastParameter } from './keepLast.ts';

/**
 * Anchors (Ribeiro, Singh & Guestrin 2018): the smallest set of units found that keeps the answer, whatever else is missing.
 * Scores are the precision each unit of the rule added when it joined, shares, 0 for all others. See docs/methods/anchors.md.
 */
export const anchors: AttributionMethod = {
  id: 'anchors',
  family: 'surrogate',
  label: 'Anchors (a rule)',
  assumption: 'While these words stay, the answer stays. A rule with its precision and coverage, both measured with intervals.',
  needs: ['forward'],
  parameters: [
    { id: 'precision', label: 'Precision wanted', default: 0.95, minimum: 0.5, maximum: 1 },
    { id: 'maxUnits', label: 'Units in a rule, at most', default: 5, minimum: 1, maximum: 32, whole: true },
    { id: 'beam', label: 'Rules kept at each size', default: 2, minimum: 1, maximum: 8, whole: true },
    { id: 'samples', label: 'Ablated prompts, at most', default: 400, minimum: 10, maximum: 16384, whole: true },
    keepLastParameter,
    replacementParameter,
  ],
  cost: () => 160,
  isUnsigned: () => true,

  async attribute(input, options = {}) {
    const { parameters, seed } = input;
    const condition = answerCondition(input);
    const units = players(input, { keepLast: parameters['keepLast'] === true });
    const game = await CoalitionGame.open(input, { units, target: condition.target });
    const keeps = async (coalitions: readonly Coalition[]): Promise<boolean[]> =>
      (await game.rows(coalitions, options.signal === undefined ? {} : { signal: options.signal })).map(condition.holds);
    const found = await searchAnchor(
      { size: game.size, keeps },
      {
        precision: Number(parameters['precision']),
        maxUnits: Number(parameters['maxUnits']),
        beam: Number(parameters['beam']),
        samples: Number(parameters['samples']),
        random: seededRandom(seed),
      },
      (done, total) => options.onProgress?.(done, total),
    );
    const scores = new Float64Array(game.size);
    found.rule.forEach((player, place) => {
      scores[player] = Math.max(0, found.gains[place] ?? 0);
    });
    const coverage = 2 ** -found.rule.length;
    return {
      scores: game.unitScores(scores),
      scoreUnit: 'share of prompts that keep the answer',
      forwardPasses: game.forwardPasses,
      findings: {
        rule: {
          units: found.rule.map((player) => units[player] as number),
          precision: found.trials === 0 ? 0 : found.hits / found.trials,
          precisionInterval: shareInterval(found.hits, found.trials),
          coverage,
          // Known exactly: each unit is there with probability one half, independent of the others.
          coverageInterval: [coverage, coverage],
          samples: found.trials,
          condition: condition.text,
        },
      },
      warnings: found.isReached
        ? []
        : [
            {
              code: 'W_ANCHOR_NOT_REACHED',
              message:
                'No rule of the allowed size keeps the answer as often as asked; the best one found is shown. Allow more units or samples, or ask for less precision.',
            },
          ],
    };
  },
};

interface AnswerCondition {
  readonly text: string;
  /** What is read to tell. */
  readonly target: ResolvedTarget;
  readonly holds: (rows: readonly RowResult[]) => boolean;
}

/** When an answer counts as kept: every token of it is still the most likely one; for other targets, at least half of the value. */
function answerCondition({ target, value }: AttributionInput): AnswerCondition {
  const { kind, ids, unit } = target.description;
  if (kind === 'contrast') {
    const sign = Math.sign(value);
    return {
      text: 'the same side of the contrast is ahead',
      target,
      holds: (rows) => Math.sign(target.value(rows)) === sign,
    };
  }
  if (kind === 'entropy' || kind === 'kl') {
    return {
      text: `the target stays within half of its value, ${value.toFixed(3)} ${unit}`,
      target,
      holds: (rows) => Math.abs(target.value(rows) - value) <= Math.abs(value) / 2,
    };
  }
  const topped: ResolvedTarget = {
    ...target,
    reads: (length) => target.reads(length).map((read) => ({ ...read, top: 1 })),
  };
  const text = ids.length === 1 ? 'the token is still the most likely one' : 'each of its tokens is still the most likely one';
  return { text, target: topped, holds: (rows) => rows.every((row, index) => row.top[0]?.id === ids[index]) };
}
