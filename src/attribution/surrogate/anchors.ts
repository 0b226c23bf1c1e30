import { type Coalition, CoalitionGame, players } from '../perturbation/coalitions.ts';
import { replacementParameter } from '../perturbation/withoutTokens.ts';
import type { AttributionMethod } from '../method.ts';
import { seededRandom } from '../seededRandom.ts';
import { keepLastParameter } from './ablations.ts';
import { answerCondition, readingTop } from './answerKept.ts';
import { wilsonInterval } from './proportion.ts';
import { coalitionWith, RuleSearch } from './ruleSearch.ts';

/** Share of the draws that is kept for measuring the rule that was found. */
const confirmingShare = 0.25;

/**
 * Anchors (Ribeiro et al. 2018, AAAI): a rule "while these units are there, the answer stays", whatever else is left out. A unit of the
 * rule scores the precision it added when it joined, all others 0. The stated precision is measured on prompts that the search has not
 * seen. See docs/methods/anchors.md.
 */
export const anchors: AttributionMethod = {
  id: 'anchors',
  family: 'surrogate',
  label: 'Anchors (a rule that holds the answer)',
  assumption: 'A few parts are enough to hold the answer, whatever else is left out. Says in how many cases.',
  needs: ['forward'],
  parameters: [
    { id: 'precision', label: 'Share of prompts in which the rule must hold', default: 0.95, minimum: 0.5, maximum: 1 },
    { id: 'tolerance', label: 'By how much the search may misjudge it', default: 0.1, minimum: 0.01, maximum: 0.5 },
    { id: 'maxSamples', label: 'Most prompts drawn', default: 500, minimum: 40, maximum: 20_000, whole: true },
    { id: 'maxSize', label: 'Most units in the rule', default: 5, minimum: 1, maximum: 32, whole: true },
    { id: 'beam', label: 'Rules followed at a time', default: 2, minimum: 1, maximum: 4, whole: true },
    replacementParameter,
    keepLastParameter,
  ],
  cost: (units) => Math.min(500, 2 ** units) * 0.5,

  async attribute(input, options = {}) {
    const { parameters, model } = input;
    const number = (id: string) => Number(parameters[id]);
    const game = await CoalitionGame.open(input, {
      units: players(input, { keepLast: parameters['keepLast'] !== false }),
      target: readingTop(input.target),
    });
    const calls = options.signal === undefined ? {} : { signal: options.signal };
    const [full = []] = await game.rows([game.everybody()], calls);
    const condition = await answerCondition(input.target, full, model);

    const draws = number('maxSamples');
    let drawn = 0;
    const kept = async (coalitions: readonly Coalition[]) => {
      const rows = await game.rows(coalitions, calls);
      drawn += coalitions.length;
      options.onProgress?.(Math.min(drawn, draws), draws);
      return rows.map((read) => condition.kept(read));
    };

    const count = game.units.length;
    const random = seededRandom(input.seed);
    const confirming = Math.floor(draws * confirmingShare);
    const search = new RuleSearch({
      players: count,
      precision: number('precision'),
      tolerance: number('tolerance'),
      beam: number('beam'),
      maxSize: number('maxSize'),
      maxDraws: draws - confirming,
      random,
      kept,
    });
    const { rule, isPrecise } = await search.find();
    const unseen = await kept(Array.from({ length: confirming }, () => coalitionWith(rule, count, random)));
    const hits = unseen.filter((stays) => stays).length;
    const precisionInterval = wilsonInterval(hits, confirming);
    options.onProgress?.(draws, draws);

    const gains = new Float64Array(count);
    rule.forEach((player, place) => {
      gains[player] = search.precision(rule.slice(0, place + 1)) - search.precision(rule.slice(0, place));
    });
    // Each unit is there in half of the perturbed prompts, whatever the others do: this share is known and not estimated.
    const coverage = 2 ** -rule.length;
    return {
      scores: game.unitScores(gains),
      scoreUnit: 'precision',
      forwardPasses: game.forwardPasses,
      findings: {
        rule: {
          units: rule.map((player) => game.units[player] ?? 0).sort((a, b) => a - b),
          precision: hits / confirming,
          precisionInterval,
          coverage,
          coverageInterval: [coverage, coverage],
          samples: confirming,
          condition: condition.text,
        },
      },
      warnings:
        isPrecise && precisionInterval[1] >= number('precision')
          ? []
          : [
              {
                code: 'W_RULE_IMPRECISE',
                message: `No rule of at most ${number('maxSize')} units was found that holds in ${number('precision') * 100} % of the prompts; this is the best one.`,
              },
            ],
    };
  },
};
