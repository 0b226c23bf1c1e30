/** What every surrogate must do, whatever it fits. */
import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { resolveParameters } from '../../../src/attribution/registry.ts';
import { anchors } from '../../../src/attribution/surrogate/anchors.ts';
import { decisionTree } from '../../../src/attribution/surrogate/decisionTree.ts';
import { lime } from '../../../src/attribution/surrogate/lime.ts';
import { sparseSurrogate } from '../../../src/attribution/surrogate/sparseSurrogate.ts';
import type { AttributionInput } from '../../../src/attribution/method.ts';
import { CoalitionGame } from '../../../src/attribution/perturbation/coalitions.ts';
import { sharedPasses } from '../../../src/attribution/perturbation/evaluateSequences.ts';
import { explanationSchema } from '../../../src/shared/explanation.ts';
import { inputFor, type InputParts } from '../attributionInput.ts';
import { createLinearModel } from '../linearModel.ts';
import { createSmoothModel } from '../smoothModel.ts';
import { allPrompts } from './promptsAsked.ts';

const text = 'The cat sat on the mat of Paris';
const response = [9, 12, 40];

describe.each([lime, sparseSurrogate, decisionTree, anchors])('$id', (method) => {
  const open = (parts: InputParts, given: Record<string, string | number | boolean> = {}, model = createLinearModel()) =>
    inputFor(model, { text, ...parts, parameters: resolveParameters(method, given) });

  const targets: InputParts[] = [
    { spec: { kind: 'next' } },
    { spec: { kind: 'next' }, score: 'prob' },
    { spec: { kind: 'id', id: 40 } },
    { spec: { kind: 'text', text: ' Paris is' } },
    { spec: { kind: 'response' }, response },
    { spec: { kind: 'span', from: 1, to: 2 }, response },
    { spec: { kind: 'span', from: 2, to: 2 }, response, score: 'logit' },
    { spec: { kind: 'contrast', a: ' Paris', b: ' London' } },
    { spec: { kind: 'contrast', a: ' Paris', b: ' London', at: 1 }, response },
    { spec: { kind: 'entropy', at: 1 }, response },
  ];
  test.each(targets)('%j: finite scores, the same for the same seed, findings that fit the schema', async (parts) => {
    const first = await method.attribute(await open(parts));
    expect(first.scores).toHaveLength(8);
    expect(first.scores.every(Number.isFinite)).toBe(true);
    expect(await method.attribute(await open(parts))).toEqual(first);
    const { findings, matrix } = explanationSchema.entries;
    expect(v.safeParse(findings, first.findings).issues).toBeUndefined();
    expect(v.safeParse(matrix, first.matrix).issues).toBeUndefined();
  });

  test('a divergence from another prompt', async () => {
    const reference = Float32Array.from({ length: 112 }, () => 1 / 112);
    const plain = await open({ spec: { kind: 'entropy' } });
    const target: AttributionInput['target'] = {
      ...plain.target,
      description: { ...plain.target.description, kind: 'kl' },
      reads: (length) => [{ position: length - 1, ids: [], reference }],
      value: ([row]) => row?.divergence ?? Number.NaN,
    };
    const { scores } = await method.attribute({ ...plain, target });
    expect(scores.every(Number.isFinite)).toBe(true);
  });

  test('another seed draws other prompts', async () => {
    const asked = async (seed: number) => {
      const input = await open({ text: 'The cat sat on the mat of Paris, the capital of the dog', seed });
      await method.attribute(input);
      return allPrompts(input.model).join('\n');
    };
    expect(await asked(1)).toBe(await asked(1));
    expect(await asked(1)).not.toBe(await asked(2));
  });

  test('hidden units and the last one stay in every prompt and score 0', async () => {
    const kinds = ['special', 'text', 'template', 'text', 'sink', 'text', 'text', 'text'] as const;
    const input = await open({ kinds });
    const { scores } = await method.attribute(input);
    expect([scores[0], scores[2], scores[7]]).toEqual([0, 0, 0]);
    const ids = input.tokens.map((token) => token.id);
    for (const prompt of allPrompts(input.model)) {
      const kept = prompt.split(' ').map(Number);
      expect([kept[0], kept.at(-1)]).toEqual([ids[0], ids.at(-1)]);
      expect(kept).toContain(ids[2]);
    }
    const last = await open({ kinds }, { keepLast: false });
    await method.attribute(last);
    expect(allPrompts(last.model).some((prompt) => !prompt.endsWith(String(ids.at(-1))))).toBe(true);
  });

  test('nothing to leave out, one unit, one token', async () => {
    expect([...(await method.attribute(await open({ groups: [] }))).scores]).toEqual([]);
    for (const given of [{ keepLast: true }, { keepLast: false }]) {
      for (const parts of [{ text: 'The' }, { text, groups: [[0, 1, 2, 3, 4, 5, 6, 7]] }, { kinds: Array(8).fill('template') }]) {
        const { scores, forwardPasses } = await method.attribute(await open(parts, given));
        expect(scores.every(Number.isFinite)).toBe(true);
        expect(forwardPasses).toBeGreaterThan(0);
      }
    }
  });

  test('states what it cost: each distinct prompt once, shared beginnings once', async () => {
    const input = await open({});
    const { forwardPasses } = await method.attribute(input);
    const asked = allPrompts(input.model);
    expect(new Set(asked).size).toBe(asked.length);
    const prompts = asked.map((prompt) => Int32Array.from(prompt.split(' ').map(Number)));
    expect(forwardPasses).toBeGreaterThanOrEqual(sharedPasses(input.model.info, prompts, input.tokens.length, 0) - 1e-9);
    expect(forwardPasses).toBeLessThanOrEqual(asked.length);
  });

  test('neutral tokens keep the length', async () => {
    const input = await open({}, { replacement: 'neutral' });
    await method.attribute(input);
    for (const prompt of allPrompts(input.model)) expect(prompt.split(' ')).toHaveLength(input.tokens.length);
  });

  test('tells its progress up to the end, and stops when it is cancelled', async () => {
    const told: [number, number][] = [];
    await method.attribute(await open({}), { onProgress: (done, total) => told.push([done, total]) });
    expect(told.every(([done, total], index) => done <= total && done >= (told[index - 1]?.[0] ?? 0))).toBe(true);
    expect(told.at(-1)?.[0]).toBe(told.at(-1)?.[1]);
    const stopped = method.attribute(await open({}), { signal: AbortSignal.abort() });
    await expect(stopped).rejects.toThrow(/E_CANCELLED/);
  });

  test('a number that is none is said', async () => {
    const model = createLinearModel({ poison: 100 });
    const input = await open({});
    await expect(
      method.attribute({ ...input, model, tokens: [{ ...input.tokens[0]!, id: 100 }, ...input.tokens.slice(1)] }),
    ).rejects.toThrow(/E_NUMERIC/);
  });

  test('bad parameters are refused', () => {
    for (const parameter of method.parameters) {
      const { id, minimum, maximum, choices } = parameter;
      const bad = [
        minimum === undefined ? [] : [minimum - 1],
        maximum === undefined ? [] : [maximum + 1, Number.NaN],
        choices ? ['no'] : [],
      ].flat();
      for (const value of bad) expect(() => resolveParameters(method, { [id]: value })).toThrow(/E_PARAMETER/);
    }
  });

  test('works on a model that is not linear', async () => {
    const { scores } = await method.attribute(await open({}, {}, createSmoothModel() as never));
    expect(scores.every(Number.isFinite)).toBe(true);
  });
});

test('a game counts what it asked, not what was kept from before', async () => {
  const kept = new Map();
  const input = { ...(await inputFor(createLinearModel(), { text, response, spec: { kind: 'response' } })), ablations: kept };
  const target = input.response!;
  const first = await CoalitionGame.open(input, { target });
  const values = await first.values([first.everybody()]);
  expect([first.evaluated, kept.size]).toEqual([1, 1]);
  const second = await CoalitionGame.open(input, { target });
  expect(await second.values([second.everybody()])).toEqual(values);
  expect([second.evaluated, second.forwardPasses]).toEqual([0, 0]);
  const other = await CoalitionGame.open(input);
  await other.values([other.everybody()]);
  expect([other.evaluated, kept.size]).toEqual([1, 1]);
});
