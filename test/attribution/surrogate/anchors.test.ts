import { describe, expect, test } from 'vitest';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { answerCondition, readingTop } from '../../../src/attribution/surrogate/answerKept.ts';
import { anchors } from '../../../src/attribution/surrogate/anchors.ts';
import { bernoulliDivergence, divergenceBounds, wilsonInterval } from '../../../src/attribution/surrogate/proportion.ts';
import { coalitionWith } from '../../../src/attribution/surrogate/ruleSearch.ts';
import { inputFor, type InputParts } from '../attributionInput.ts';
import { createLinearModel } from '../linearModel.ts';
import { createTableModel, tableInput } from '../tableModel.ts';

const parameters = (given: Record<string, string | number | boolean> = {}) => resolveParameters(anchors, given);
const players = (count: number) => Array.from({ length: count }, (_, unit) => [unit]);
const has = (bits: number, unit: number) => ((bits >> unit) & 1) === 1;

/** Anchors on a game in which the answer (token 0) is kept where `kept` says so. */
async function find(
  count: number,
  kept: (bits: number) => boolean,
  given: Record<string, string | number | boolean> = {},
  seed = 1,
) {
  const model = createTableModel(
    players(count),
    () => 0,
    (bits) => (kept(bits) ? 0 : 7),
  );
  const input = await tableInput(model, players(count), { seed, parameters: parameters({ keepLast: false, ...given }) });
  const output = await anchors.attribute(input);
  return { ...output, rule: output.findings!.rule!, model };
}

/** The share of all coalitions with the rule's units that keep the answer. */
function truePrecision(count: number, kept: (bits: number) => boolean, units: readonly number[]): number {
  const all = Array.from({ length: 2 ** count }, (_, bits) => bits).filter((bits) => units.every((unit) => has(bits, unit)));
  return all.filter(kept).length / all.length;
}

describe('a known rule is found', () => {
  const cases: [name: string, count: number, kept: (bits: number) => boolean, units: number[]][] = [
    ['one unit', 12, (bits) => has(bits, 7), [7]],
    ['two units together', 10, (bits) => has(bits, 2) && has(bits, 5), [2, 5]],
    ['three units together', 9, (bits) => has(bits, 0) && has(bits, 4) && has(bits, 8), [0, 4, 8]],
    ['nothing is needed', 10, () => true, []],
    ['two units, or a third one alone', 10, (bits) => (has(bits, 2) && has(bits, 5)) || has(bits, 9), [9]],
  ];
  test.each(cases)('%s', async (_name, count, kept, units) => {
    for (const seed of [1, 2, 3]) {
      const { rule, scores, warnings, scoreUnit } = await find(count, kept, { maxSamples: 1200 }, seed);
      expect(rule.units).toEqual(units);
      expect(rule.precision).toBe(1);
      expect(rule.coverage).toBe(2 ** -units.length);
      expect(warnings).toEqual([]);
      expect(scoreUnit).toBe('precision');
      scores.forEach((score, unit) => {
        if (units.includes(unit)) expect(score).toBeGreaterThan(0);
        else expect(score).toBe(0);
      });
    }
  });
});

test('gains are the precision that each unit added: with both halves of an AND, ¼ and ½', async () => {
  const seeds = 20;
  let [first, second] = [0, 0];
  for (let seed = 1; seed <= seeds; seed++) {
    const { scores } = await find(8, (bits) => has(bits, 1) && has(bits, 6), { maxSamples: 1000 }, seed);
    first += Math.min(scores[1]!, scores[6]!) / seeds;
    second += Math.max(scores[1]!, scores[6]!) / seeds;
    expect(scores[1]! + scores[6]!).toBeLessThanOrEqual(1);
  }
  expect(Math.abs(first - 0.25)).toBeLessThan(0.06);
  expect(Math.abs(second - 0.5)).toBeLessThan(0.06);
});

test('the stated interval holds the true precision, and that of fresh draws with another seed', async () => {
  // At least 5 of 9, which a rule of three units holds more often than not.
  const kept = (bits: number) => [0, 1, 2, 3, 4, 5, 6, 7, 8].filter((unit) => has(bits, unit)).length >= 5;
  let holds = 0;
  let fresh = 0;
  const seeds = 60;
  for (let seed = 1; seed <= seeds; seed++) {
    const { rule } = await find(9, kept, { precision: 0.8, maxSamples: 240 }, seed);
    const [low, high] = rule.precisionInterval;
    const truth = truePrecision(9, kept, rule.units);
    if (low <= truth && truth <= high) holds++;
    const random = seededRandom(1000 + seed);
    const draws = Array.from({ length: 4000 }, () => coalitionWith(rule.units, 9, random));
    const again = draws.filter((there) => kept(there.reduce((bits, one, unit) => bits + one * 2 ** unit, 0))).length / 4000;
    if (low <= again && again <= high) fresh++;
    expect(rule.samples).toBe(60);
  }
  // 95 % of 60 is 57; fewer than 51 would happen once in 2,000.
  expect(holds).toBeGreaterThanOrEqual(51);
  expect(fresh).toBeGreaterThanOrEqual(50);
});

test('no prompt is put to the model twice', async () => {
  const { model } = await find(12, (bits) => has(bits, 3) || has(bits, 4));
  const asked = model.asked.map((tokens) => tokens.join(' '));
  expect(new Set(asked).size).toBe(asked.length);
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.length).toBeLessThanOrEqual(501);
  expect((await find(3, (bits) => has(bits, 1))).model.asked).toHaveLength(8);
});

test('where no short rule holds, the best one is given and said to be imprecise', async () => {
  const { rule, warnings } = await find(10, (bits) => bits === 1023, { maxSize: 2, maxSamples: 300 });
  expect(rule.units).toHaveLength(2);
  expect(rule.precision).toBeLessThan(0.2);
  expect(warnings.map(({ code }) => code)).toEqual(['W_RULE_IMPRECISE']);
});

test('few draws end the search', async () => {
  const { model } = await find(30, (bits) => has(bits, 3) !== has(bits, 4), { maxSamples: 40 });
  expect(model.asked.length).toBeLessThanOrEqual(41);
});

describe('what "the answer stays" means', () => {
  const model = createLinearModel();
  const response = [9, 12, 40];
  const cases: [parts: InputParts, text: RegExp][] = [
    [{}, /^the most likely next token stays "/],
    [{ spec: { kind: 'id', id: 40 } }, /^the most likely next token stays "/],
    [{ spec: { kind: 'entropy', at: 1 }, response }, /^the most likely next token stays "/],
    [{ spec: { kind: 'contrast', a: ' Paris', b: ' London' } }, /^" (Paris|London)" stays more likely than " (Paris|London)"$/],
    [{ spec: { kind: 'text', text: ' Paris is' } }, /^the probability of " Paris is" stays above half of what it is$/],
    [{ spec: { kind: 'response' }, response }, /^the probability of ".*" stays above half/],
    [{ spec: { kind: 'span', from: 1, to: 2 }, response, score: 'prob' }, /^the probability of ".*" stays above half/],
  ];
  test.each(cases)('%j', async (parts, text) => {
    const input = await inputFor(model, { text: 'The cat sat on the mat', ...parts });
    const target = readingTop(input.target);
    const rowsOf = async (ids: number[]) => {
      const { read } = await model.forward({
        tokens: Int32Array.from([...ids, ...target.continuation]),
        read: target.reads(ids.length),
      });
      return read;
    };
    const full = input.tokens.map((token) => token.id);
    const condition = await answerCondition(target, await rowsOf(full), model);
    expect(condition.text).toMatch(text);
    expect(condition.kept(await rowsOf(full))).toBe(true);
    // Against the definition, on every prompt with one token left out.
    for (let gone = 0; gone < full.length; gone++) {
      const rows = await rowsOf(full.filter((_id, index) => index !== gone));
      const [before, after] = [await rowsOf(full), rows];
      const { kind } = target.description;
      const logprob = (read: typeof rows) => read.reduce((sum, row) => sum + (row.logits[0] ?? 0) - row.logSumExp, 0);
      const expected = ['text', 'response', 'span'].includes(kind)
        ? Math.exp(logprob(after) - logprob(before)) > 0.5
        : kind === 'contrast'
          ? target.value(after) > 0 === target.value(before) > 0
          : after[0]?.top[0]?.id === before[0]?.top[0]?.id;
      expect(condition.kept(rows)).toBe(expected);
    }
  });
});

describe('intervals of a probability', () => {
  test("Wilson's, against the published values", () => {
    // Newcombe 1998, table I: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
    const cases: [hits: number, count: number, low: number, high: number][] = [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ];
    for (const [hits, count, low, high] of cases) {
      const interval = wilsonInterval(hits, count);
      expect(interval[0]).toBeCloseTo(low, 4);
      expect(interval[1]).toBeCloseTo(high, 4);
    }
    expect(wilsonInterval(20, 20)[1]).toBe(1);
    expect(wilsonInterval(0, 0)).toEqual([0, 1]);
  });

  test('the divergence at its bounds is the level', () => {
    for (const [hits, count, level] of [
      [3, 10, 2],
      [90, 100, 5],
      [1, 50, 0.5],
    ] as const) {
      const [lower, upper] = divergenceBounds(hits, count, level);
      expect(count * bernoulliDivergence(hits / count, lower)).toBeCloseTo(level, 6);
      expect(count * bernoulliDivergence(hits / count, upper)).toBeCloseTo(level, 6);
      expect(lower).toBeLessThan(hits / count);
      expect(upper).toBeGreaterThan(hits / count);
    }
    // All of 20: q²⁰ = e⁻³.
    expect(divergenceBounds(20, 20, 3)[0]).toBeCloseTo(Math.exp(-3 / 20), 9);
    expect(divergenceBounds(20, 20, 3)[1]).toBe(1);
    expect(divergenceBounds(0, 0, 3)).toEqual([0, 1]);
  });
});
