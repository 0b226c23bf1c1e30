/** Each measure of the full set against a closed form on an additive game, or against its definition by brute force. */
import { describe, expect, test } from 'vitest';
import { gainInterval, meanOf } from '../../src/analysis/faithfulness/interval.ts';
import type { Measure, Picture, ValueWithout } from '../../src/analysis/faithfulness/measure.ts';
import { measureFaithfulness } from '../../src/analysis/faithfulness/measureFaithfulness.ts';
import { measures } from '../../src/analysis/faithfulness/measures.ts';
import { infidelity } from '../../src/analysis/faithfulness/measures/infidelity.ts';
import { leaveOneOut } from '../../src/analysis/faithfulness/measures/leaveOneOut.ts';
import { changedTexts, stabilityOf } from '../../src/analysis/faithfulness/measures/stability.ts';
import { rankByScore, randomRankings } from '../../src/analysis/faithfulness/rankings.ts';
import { random } from '../../src/attribution/control/random.ts';
import { spearman } from '../../src/attribution/spearman.ts';
import { fullValue, inputFor } from '../attribution/attributionInput.ts';
import { createLinearModel } from '../attribution/linearModel.ts';

const model = createLinearModel();
const prompt = Array.from({ length: 15 }, (_, index) => 4 + ((index * 37) % 100));
/** What each unit adds in an additive game; the target of the whole is their sum. */
const effects = [3, -1, 0.5, 0, 2, -0.25];
const every = effects.map((_, unit) => unit);

/** f of the additive game. */
const additive: ValueWithout = (gone) => effects.reduce((sum, effect, unit) => sum + (gone.includes(unit) ? 0 : effect), 0);

/** A game in which units 0 and 1 stand in for each other, and 2 matters only beside 3. */
const tangled: ValueWithout = (gone) => {
  const there = (unit: number) => !gone.includes(unit);
  return (there(0) || there(1) ? 2 : 0) + (there(2) && there(3) ? 1.5 : 0) + (there(4) ? 0.3 : 0) - (there(5) ? 0.7 : 0);
};

function picture(scores: readonly number[], parts: Partial<Picture> = {}): Picture {
  return { ranking: rankByScore(every, scores), scores, signed: true, seed: 1, ...parts };
}

describe('infidelity', () => {
  test.each([
    ['the effects', effects, 0],
    ['the effects in another unit', effects.map((effect) => 7 * effect), 0],
    ['nothing', effects.map(() => 0), 1],
    ['the opposite', effects.map((effect) => -effect), 1],
  ])('of an additive game: %s', (_name, scores, expected) => {
    expect(infidelity.value(picture(scores), additive)).toBeCloseTo(expected, 12);
  });

  test.each([additive, tangled])('is the definition over what it asks for, game %#', (game) => {
    const scores = [0.4, 1, -2, 0.1, 0.7, 0];
    const asked: number[][] = [];
    const value = infidelity.value(picture(scores), (gone) => {
      asked.push([...gone]);
      return game(gone);
    });
    // The whole prompt, then 32 ablations.
    const [whole, ...ablations] = asked;
    expect(whole).toEqual([]);
    expect(ablations).toHaveLength(32);
    const told = ablations.map((gone) => gone.reduce((sum, unit) => sum + (scores[unit] ?? 0), 0));
    const falls = ablations.map((gone) => game([]) - game(gone));
    // The best factor by search instead of by formula: the error is a parabola in it.
    const error = (factor: number) => meanOf(falls.map((fall, at) => (factor * (told[at] as number) - fall) ** 2));
    let [low, high] = [0, 100];
    for (let step = 0; step < 200; step++) {
      const [third, second] = [low + (high - low) / 3, high - (high - low) / 3];
      if (error(third) < error(second)) high = second;
      else low = third;
    }
    expect(value).toBeCloseTo(error(low) / meanOf(falls.map((fall) => fall ** 2)), 9);
  });

  test('takes each unit away about half of the time, alike for every picture of one seed', () => {
    const asked = (seed: number, scores: readonly number[]) => {
      const list: string[] = [];
      infidelity.value(picture(scores, { seed }), (gone) => {
        list.push(gone.join(' '));
        return additive(gone);
      });
      return list;
    };
    expect(asked(3, effects)).toEqual(asked(3, effects.toReversed()));
    expect(asked(3, effects)).not.toEqual(asked(4, effects));
    const draws = [1, 2, 3, 4, 5, 6, 7, 8].flatMap((seed) => asked(seed, effects).slice(1));
    for (const unit of every) {
      const share = draws.filter((gone) => gone.split(' ').includes(String(unit))).length / draws.length;
      // 256 draws: four standard errors.
      expect(Math.abs(share - 0.5)).toBeLessThan(4 * Math.sqrt(0.25 / draws.length));
    }
  });
});

describe('correlation with leaving one out', () => {
  test.each([
    ['the effects', effects, true, 1],
    ['any rising function of them', effects.map((effect) => effect ** 3 + 5), true, 1],
    ['their opposite', effects.map((effect) => -effect), true, -1],
    ['their sizes, as sizes', effects.map(Math.abs), false, 1],
    ['nothing', effects.map(() => 2), true, 0],
  ])('%s', (_name, scores, signed, expected) => {
    expect(leaveOneOut.value(picture(scores, { signed }), additive)).toBeCloseTo(expected, 12);
  });

  test('with ranks given by hand: 1 − 6 Σ d² / n (n² − 1)', () => {
    // Effects rank 3 > 2 > 0.5 > 0 > −0.25 > −1: units 0 4 2 3 5 1. Scores rank 4 0 2 3 1 5.
    const scores = [5, 2, 4, 3, 6, 1];
    const squares = 1 + 1 + 0 + 0 + 1 + 1;
    expect(leaveOneOut.value(picture(scores), additive)).toBeCloseTo(1 - (6 * squares) / (6 * 35), 12);
  });

  test('of units that stand in for each other it is what brute force on the model says', async () => {
    const input = await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 } });
    const scores = prompt.map((_id, index) => Math.sin(3 * index));
    const { measured } = await check(scores, ['loo-correlation']);
    const ranked = prompt.slice(0, -1).map((_id, unit) => unit);
    const falls: number[] = [];
    for (const unit of ranked) {
      const without = Int32Array.from(prompt.filter((_id, index) => index !== unit));
      falls.push(input.value - (await fullValue(model, without, input.target)));
    }
    expect(measured?.measures?.[0]?.value).toBeCloseTo(
      spearman(
        ranked.map((unit) => scores[unit] as number),
        falls,
      ),
      12,
    );
  });
});

describe('stability', () => {
  const none: readonly { start: number; end: number }[] = [];
  test.each([
    ['one line', 'A bird sings', none, ['\nA bird sings']],
    ['lines', 'a\nb\n', none, ['\na\nb\n', 'a\n\nb\n']],
    ['sentences', 'It is. So? Yes! No', none, ['\nIt is. So? Yes! No', 'It is.  So?  Yes!  No']],
    ['quotes', `he's "in"`, none, [`\nhe's "in"`, 'he’s “in”']],
    ['a number is no sentence', '1.5 is', none, ['\n1.5 is']],
    ['nothing', '', none, []],
  ])('the same text with other white space: %s', (_name, text, template, expected) => {
    expect(changedTexts(text, template).map((changed) => changed.text)).toEqual(expected);
  });

  test('text of the template stays, and is found where it stands now', () => {
    const text = '<user>\nIs it. "so"?<end>\n';
    const start = text.indexOf('<end>');
    const changed = changedTexts(text, [
      { start: 0, end: 7 },
      { start, end: text.length },
    ]);
    expect(changed.map((variant) => variant.text)).toEqual([
      '<user>\n\nIs it. "so"?<end>\n',
      '<user>\nIs it.  "so"?<end>\n',
      '<user>\nIs it. “so”?<end>\n',
    ]);
    for (const { text: found, templateRanges } of changed) {
      expect(templateRanges.map((range) => found.slice(range.start, range.end))).toEqual(['<user>\n', '<end>\n']);
    }
  });

  test('is the mean rank correlation with the scores of the changed prompts', () => {
    const scores = [1, 2, 3, 4, 5, 9];
    const again = [
      [10, 20, 30, 40, 50, 0],
      [5, 4, 3, 2, 1, 0],
      [3, 1, 2, 5, 4, 0],
    ];
    const ranked = [0, 1, 2, 3, 4];
    // 1, −1, and 1 − 6 · (4 + 1 + 1 + 1 + 1) / (5 · 24) = 0.6 of the ranks 3 1 2 5 4.
    const found = stabilityOf(scores, again, ranked, 1);
    expect(found).toMatchObject({ id: 'stability', value: expect.closeTo(0.2, 12) as number });
    const others = randomRankings(ranked, 20, 1).map((order) => {
      const dealt = scores.slice();
      order.forEach((unit, place) => (dealt[unit] = 5 - place));
      return meanOf(again.map((other) => spearman(dealt.slice(0, 5), other.slice(0, 5))));
    });
    expect(found.random).toBeCloseTo(meanOf(others), 12);
    const [low, high] = gainInterval(0.2, others, 1);
    expect(found.interval[0]).toBeCloseTo(low, 12);
    expect(found.interval[1]).toBeCloseTo(high, 12);
  });
});

describe('a random picture', () => {
  const ids = ['sufficiency', 'comprehensiveness', 'deletion-auc', 'insertion-auc', 'loo-correlation', 'infidelity'];

  test('gains nothing by any measure, within its interval', async () => {
    const gains = new Map<string, number[]>(ids.map((id) => [id, []]));
    for (let seed = 1; seed <= 40; seed++) {
      const input = await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 }, seed });
      const { scores } = await random.attribute(input);
      const { measured } = await check(scores, ids, seed);
      for (const { id, gain } of measured?.measures ?? []) gains.get(id)?.push(gain);
    }
    for (const [id, found] of gains) {
      expect(found, id).toHaveLength(40);
      const mean = meanOf(found);
      const error = Math.sqrt(meanOf(found.map((gain) => (gain - mean) ** 2)) / (found.length - 1));
      // Six measures: each may miss its interval once in 120, all together once in 20.
      expect(Math.abs(mean), id).toBeLessThan(2.64 * error);
    }
  });

  test('has nothing in common with the random rankings of its seed', async () => {
    const unitCount = 12;
    const units = Array.from({ length: unitCount }, (_, unit) => unit);
    const seeds = 400;
    const means = new Float64Array(20);
    const [firstScores, lastUnits]: [number[], number[]] = [[], []];
    for (let seed = 0; seed < seeds; seed++) {
      const input = await inputFor(model, { ids: [...prompt.slice(0, unitCount), 40], spec: { kind: 'id', id: 60 }, seed });
      const { scores } = await random.attribute(input);
      const rankings = randomRankings(units, means.length, seed);
      // The first number drawn for each.
      firstScores.push(scores[0] as number);
      lastUnits.push(rankings[0]?.at(-1) ?? 0);
      rankings.forEach((order, which) => {
        const places = units.map((unit) => -order.indexOf(unit));
        means[which] = (means[which] as number) + spearman(Array.from(scores).slice(0, unitCount), places) / seeds;
      });
    }
    // Of independent orders: variance 1 / (n − 1) each.
    const error = Math.sqrt(1 / (unitCount - 1) / seeds);
    for (const mean of means) expect(Math.abs(mean)).toBeLessThan(3.5 * error);
    expect(Math.abs(spearman(firstScores, lastUnits))).toBeLessThan(3.5 / Math.sqrt(seeds - 1));
  });
});

/** The full check of these measures on the linear model. */
async function check(scores: ArrayLike<number>, ids: readonly string[], seed = 1) {
  const input = await inputFor(model, { ids: prompt, spec: { kind: 'id', id: 60 } });
  return await measureFaithfulness({
    model,
    ids: Int32Array.from(prompt),
    units: input.units,
    scores,
    target: input.target,
    value: input.value,
    seed,
    signed: true,
    slopes: false,
    completeness: undefined,
    budget: Number.POSITIVE_INFINITY,
    measures: ids.map((id) => measures.find((measure) => measure.id === id) as Measure),
    noise: 0,
  });
}
