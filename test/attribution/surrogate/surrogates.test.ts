import { describe, expect, test } from 'vitest';
import { AblationCache } from '../../../src/engine/ablationCache.ts';
import { seededRandom } from '../../../src/attribution/seededRandom.ts';
import { branchingAblations } from '../../../src/attribution/surrogate/ablationDesign.ts';
import { anchors } from '../../../src/attribution/surrogate/anchors.ts';
import { searchAnchor } from '../../../src/attribution/surrogate/anchorSearch.ts';
import { decisionTree, growTree } from '../../../src/attribution/surrogate/decisionTree.ts';
import { lime } from '../../../src/attribution/surrogate/lime.ts';
import { ridge } from '../../../src/attribution/surrogate/regression.ts';
import { sparseSurrogate } from '../../../src/attribution/surrogate/sparseSurrogate.ts';
import { goldenGame, libraryScores } from '../goldenTable.ts';
import { inputFor } from '../attributionInput.ts';
import { createLinearModel, weight } from '../linearModel.ts';
import { createTableModel, tableInput } from '../tableModel.ts';

const limeParameters = { samples: 400, regressor: 'ridge', lambda: 1, kernelWidth: 1, keepLast: false, replacement: 'drop' };

describe('LIME', () => {
  test.each(['fact', 'ioi'])('golden %s: near Captum’s estimate on the same table, and in its order at the top', async (name) => {
    const { input } = goldenGame(name);
    const { scores, findings } = await lime.attribute(await input({ parameters: limeParameters }));
    const captum = libraryScores(name)['captum Lime 200'] as number[];
    const top = (values: ArrayLike<number>) => Array.from(values).indexOf(Math.max(...Array.from(values)));
    expect(top(scores)).toBe(top(captum));
    const exact = libraryScores(name)['exact'] as number[];
    const error = (values: ArrayLike<number>) =>
      Array.from(values).reduce((sum, value, index) => sum + (value - (exact[index] as number)) ** 2, 0);
    expect(error(scores)).toBeLessThan(1.5 * error(captum) + 1);
    expect(findings?.fit?.r2).toBeGreaterThan(0.3);
  });

  test('on all coalitions it is the weighted least-squares solution', async () => {
    const { units, values, rows, model } = goldenGame('fact');
    const input = await tableInput(model, units, { parameters: { ...limeParameters, samples: 4000, lambda: 0 } });
    const { scores } = await lime.attribute(input);
    const near = (row: ArrayLike<number>) => {
      const share = Array.from(row).reduce((sum, here) => sum + here, 0) / units.length;
      return Math.exp(-((1 - Math.sqrt(share)) ** 2));
    };
    const { coefficients } = ridge(rows, values, rows.map(near), 0);
    // The sample holds each coalition about 125 times; the rest is the scatter of these counts.
    scores.forEach((score, unit) => expect(Math.abs(score - (coefficients[unit] as number))).toBeLessThan(0.5));
  });

  test('a linear logit is found exactly; the unit where the answer is read stays', async () => {
    const model = createLinearModel();
    const input = await inputFor(model, {
      text: 'The cat sat on',
      spec: { kind: 'id', id: 50 },
      parameters: { ...limeParameters, lambda: 0, keepLast: true },
    });
    const { scores } = await lime.attribute(input);
    input.tokens.slice(0, -1).forEach(({ id }, unit) => expect(scores[unit]).toBeCloseTo(weight(id, 50), 4));
    expect(scores.at(-1)).toBe(0);
    for (const ids of model.calls.variants) expect(ids.at(-1)).toBe(input.tokens.at(-1)?.id);
  });

  test('LASSO leaves out what does not matter', async () => {
    const groups = Array.from({ length: 8 }, (_, unit) => [unit]);
    const model = createTableModel(groups, (bits) => (bits & 1) * 4 + ((bits >> 5) & 1) * -3);
    const { scores } = await lime.attribute(
      await tableInput(model, groups, { parameters: { ...limeParameters, regressor: 'lasso', lambda: 5 } }),
    );
    expect(scores.filter((score) => Math.abs(score) > 0.3)).toHaveLength(2);
    expect(scores[0]).toBeGreaterThan(3);
    expect(scores[5]).toBeLessThan(-2);
  });
});

describe('branching ablations', () => {
  test.each([
    [5, 64, 32],
    [12, 64, 64],
    [40, 128, 128],
  ])('%i players, %i asked: %i different ones', (size, count, expected) => {
    const drawn = branchingAblations(size, count, 3);
    expect(drawn).toHaveLength(expected);
    expect(new Set(drawn.map((coalition) => coalition.join(''))).size).toBe(expected);
    expect(branchingAblations(size, count, 3)).toEqual(drawn);
    expect(branchingAblations(size, count, 4)).not.toEqual(size < 6 ? null : drawn);
  });

  test('each unit is there half of the time, and two units independently', () => {
    const size = 24;
    const both = Array.from({ length: 3 }, () => 0);
    const alone = new Array<number>(size).fill(0);
    let all = 0;
    for (let seed = 1; seed <= 60; seed++) {
      for (const coalition of branchingAblations(size, 64, seed)) {
        all++;
        coalition.forEach((here, player) => (alone[player] = (alone[player] as number) + here));
        [
          [0, 1],
          [2, 20],
          [10, 23],
        ].forEach(([a, b], index) => {
          both[index] = (both[index] as number) + (coalition[a as number] as number) * (coalition[b as number] as number);
        });
      }
    }
    for (const count of alone) expect(Math.abs(count / all - 0.5)).toBeLessThan(0.06);
    for (const count of both) expect(Math.abs(count / all - 0.25)).toBeLessThan(0.06);
  });
});

describe('sparse surrogate', () => {
  const parameters = { samples: 64, penalty: 0, keepLast: true, replacement: 'drop' };

  test('a later span of the same response asks the model nothing', async () => {
    const model = createLinearModel();
    const ablations = new AblationCache();
    const response = [9, 12, 40];
    const whole = await inputFor(model, { text: 'The cat sat on the mat', spec: { kind: 'response' }, response, parameters });
    const first = await sparseSurrogate.attribute({ ...whole, ablations });
    const asked = model.calls.variants.length;
    const span = await inputFor(model, {
      text: 'The cat sat on the mat',
      spec: { kind: 'span', from: 1, to: 1 },
      response,
      parameters,
    });
    const second = await sparseSurrogate.attribute({ ...span, ablations });
    expect(model.calls.variants.length).toBe(asked);
    expect(second.forwardPasses).toBe(0);
    expect(first.matrix?.rows).toEqual([0, 1, 2]);
    expect([...second.scores]).toEqual(first.matrix?.scores[1]);
    const alone = await sparseSurrogate.attribute(span);
    expect(alone.scores).toEqual(second.scores);
  });

  test('other ablations, another replacement or another prompt are asked for', async () => {
    const model = createLinearModel();
    const ablations = new AblationCache();
    const at = async (text: string, more: object) => {
      const before = model.calls.variants.length;
      const input = await inputFor(model, {
        text,
        spec: { kind: 'response' },
        response: [9, 12],
        parameters: { ...parameters, ...more },
      });
      await sparseSurrogate.attribute({ ...input, ablations });
      return model.calls.variants.length - before;
    };
    expect(await at('The cat sat on', {})).toBeGreaterThan(0);
    expect(await at('The cat sat on', {})).toBe(0);
    expect(await at('The cat sat on', { replacement: 'neutral' })).toBeGreaterThan(0);
    expect(await at('The dog sat on', {})).toBeGreaterThan(0);
  });

  test('an additive target is found, with as few units as matter', async () => {
    const groups = Array.from({ length: 10 }, (_, unit) => [unit]);
    const model = createTableModel(groups, (bits) => ((bits >> 3) & 1) * 5 - ((bits >> 7) & 1) * 2);
    const { scores, findings } = await sparseSurrogate.attribute(
      await tableInput(model, groups, { parameters: { ...parameters, penalty: 0.02, keepLast: false } }),
    );
    expect([...scores].flatMap((score, unit) => (score === 0 ? [] : [unit])).length).toBeLessThanOrEqual(4);
    expect(scores[3]).toBeGreaterThan(4.5);
    expect(scores[7]).toBeLessThan(-1.5);
    expect(findings?.fit?.r2).toBeGreaterThan(0.98);
  });

  test.each(['next', 'contrast', 'entropy'] as const)('target %s', async (kind) => {
    const spec = kind === 'contrast' ? ({ kind, a: ' Paris', b: ' London' } as const) : ({ kind } as const);
    const input = await inputFor(createLinearModel(), { text: 'The cat sat on', spec, parameters });
    const { scores } = await sparseSurrogate.attribute(input);
    expect(scores.every(Number.isFinite)).toBe(true);
    expect(scores.some((score) => score !== 0)).toBe(true);
  });
});

describe('decision tree', () => {
  test('the first question is the best of all, by brute force', () => {
    const random = seededRandom(5);
    const samples = Array.from({ length: 60 }, () => Uint8Array.from({ length: 7 }, () => (random() < 0.5 ? 1 : 0)));
    const y = Float64Array.from(samples, (sample) => (sample[2] as number) * (sample[4] as number) * 3 + random());
    const nodes = growTree(samples, y, { depth: 1, leaf: 1 });
    const errorOf = (part: readonly number[]) => {
      const mean = part.reduce((sum, value) => sum + value, 0) / part.length;
      return part.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    };
    const errors = Array.from({ length: 7 }, (_, unit) =>
      [0, 1].reduce((sum, here) => sum + errorOf([...y].filter((_value, index) => samples[index]?.[unit] === here)), 0),
    );
    expect(nodes[0]).toMatchObject({ kind: 'split', unit: errors.indexOf(Math.min(...errors)) });
  });

  test('two units that act only together', async () => {
    const groups = Array.from({ length: 6 }, (_, unit) => [unit]);
    const model = createTableModel(groups, (bits) => ((bits >> 1) & 1) * ((bits >> 4) & 1) * 8);
    const { scores, findings } = await decisionTree.attribute(
      await tableInput(model, groups, { parameters: { samples: 64, depth: 2, leaf: 1, keepLast: false, replacement: 'drop' } }),
    );
    expect([...scores].flatMap((score, unit) => (score > 0.5 ? [unit] : []))).toEqual([1, 4]);
    expect(findings?.fit?.r2).toBeCloseTo(1, 8);
    expect(
      findings?.tree
        ?.filter(({ kind }) => kind === 'leaf')
        .map(({ mean }) => mean)
        .toSorted((a, b) => a - b)
        .at(-1),
    ).toBe(8);
  });
});

describe('anchors', () => {
  const options = { precision: 0.95, maxUnits: 4, beam: 2, samples: 2000 };

  test('a rule of two units is found, and no more than it needs', async () => {
    const keeps = (coalitions: readonly Uint8Array[]) =>
      Promise.resolve(coalitions.map((coalition) => coalition[2] === 1 && coalition[7] === 1));
    const found = await searchAnchor({ size: 12, keeps }, { ...options, random: seededRandom(1) }, () => undefined);
    expect(found.rule.toSorted((a, b) => a - b)).toEqual([2, 7]);
    expect(found.isReached).toBe(true);
  });

  test('precision measured again with other samples lies in the interval about as often as it says', async () => {
    let inside = 0;
    const runs = 40;
    for (let seed = 1; seed <= runs; seed++) {
      const noisy = seededRandom(seed + 1000);
      const truth = 0.8;
      const keeps = (coalitions: readonly Uint8Array[]) =>
        Promise.resolve(coalitions.map((coalition) => coalition[3] === 1 && noisy() < truth));
      const found = await searchAnchor(
        { size: 6, keeps },
        { ...options, precision: 0.7, random: seededRandom(seed) },
        () => undefined,
      );
      expect(found.rule).toContain(3);
      const { shareInterval } = await import('../../../src/attribution/sampleInterval.ts');
      const [low, high] = shareInterval(found.hits, found.trials);
      if (low <= truth && truth <= high) inside++;
    }
    expect(inside / runs).toBeGreaterThan(0.85);
  });

  test('nothing is precise enough: the best is shown and said to be no rule', async () => {
    const random = seededRandom(3);
    const keeps = (coalitions: readonly Uint8Array[]) => Promise.resolve(coalitions.map(() => random() < 0.3));
    const found = await searchAnchor({ size: 5, keeps }, { ...options, samples: 300, random: seededRandom(1) }, () => undefined);
    expect(found.isReached).toBe(false);
  });

  test('as a method: the rule, its numbers, no prompt asked twice', async () => {
    const groups = Array.from({ length: 6 }, (_, unit) => [unit]);
    const needed = (bits: number) => (bits >> 1) & (bits >> 4) & 1;
    const model = createTableModel(groups, needed, (bits) => (needed(bits) === 1 ? 0 : 1));
    const input = await tableInput(model, groups, {
      parameters: { precision: 0.95, maxUnits: 4, beam: 2, samples: 1000, keepLast: false, replacement: 'drop' },
    });
    model.asked.length = 0;
    const { scores, findings, warnings } = await anchors.attribute(input);
    expect(findings?.rule?.units.toSorted((a, b) => a - b)).toEqual([1, 4]);
    expect(findings?.rule?.precision).toBe(1);
    expect(findings?.rule?.coverage).toBe(0.25);
    expect(warnings).toEqual([]);
    expect([...scores].flatMap((score, unit) => (score > 0 ? [unit] : []))).toEqual([1, 4]);
    const asked = model.asked.map((ids) => ids.join(' '));
    expect(new Set(asked).size).toBe(asked.length);
  });
});
