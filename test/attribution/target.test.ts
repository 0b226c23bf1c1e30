import { describe, expect, test } from 'vitest';
import { encodeContinuation } from '../../src/attribution/continuation.ts';
import { resolveTarget } from '../../src/attribution/target.ts';
import type { ScoreKind, TargetSpec } from '../../src/shared/target.ts';
import { inputFor } from './attributionInput.ts';
import { targetOnLogits } from './gradientTargetValue.ts';
import { createLinearModel, idOf, linearInfo, readLogits, weight } from './linearModel.ts';

const model = createLinearModel();
const response = [idOf(' Paris'), idOf('.'), idOf('\n')];
const context = { model, next: idOf(' cat'), response };
const length = 5;

describe('what a target reads', () => {
  const cases: [name: string, spec: TargetSpec, score: ScoreKind | undefined, expected: object][] = [
    [
      'next',
      { kind: 'next' },
      undefined,
      { score: 'logprob', unit: 'nat', ids: [idOf(' cat')], continuation: [], positions: [4] },
    ],
    ['id', { kind: 'id', id: 7 }, undefined, { score: 'logit', unit: 'logit', ids: [7], continuation: [], positions: [4] }],
    [
      'id as probability',
      { kind: 'id', id: 7 },
      'prob',
      { score: 'prob', unit: 'probability', ids: [7], continuation: [], positions: [4] },
    ],
    [
      'response: the last token is read, not evaluated',
      { kind: 'response' },
      undefined,
      { score: 'logprob', unit: 'nat', ids: response, continuation: response.slice(0, 2), positions: [4, 5, 6], span: [0, 2] },
    ],
    [
      'span',
      { kind: 'span', from: 1, to: 2 },
      undefined,
      {
        score: 'logprob',
        unit: 'nat',
        ids: response.slice(1),
        continuation: response.slice(0, 2),
        positions: [5, 6],
        span: [1, 2],
      },
    ],
    [
      'text',
      { kind: 'text', text: ' London is' },
      undefined,
      { score: 'logprob', unit: 'nat', ids: [idOf(' London'), idOf(' is')], continuation: [idOf(' London')], positions: [4, 5] },
    ],
    [
      'contrast: first token of each',
      { kind: 'contrast', a: ' Paris is', b: ' London' },
      undefined,
      { score: 'logit', unit: 'logit', ids: [idOf(' Paris'), idOf(' London')], continuation: [], positions: [4] },
    ],
    [
      'contrast inside the response',
      { kind: 'contrast', a: '.', b: ' of', at: 1 },
      'logprob',
      {
        score: 'logprob',
        unit: 'nat',
        ids: [idOf('.'), idOf(' of')],
        continuation: [idOf(' Paris')],
        positions: [5],
        span: [1, 1],
      },
    ],
  ];
  test.each(cases)('%s', async (_name, spec, score, expected) => {
    const target = await resolveTarget(spec, score, context);
    const { score: used, unit, ids, span } = target.description;
    expect(target.description.kind).toBe(spec.kind);
    expect({
      score: used,
      unit,
      ids,
      ...(span === undefined ? {} : { span }),
      continuation: [...target.continuation],
      positions: target.reads(length).map((read) => read.position),
    }).toEqual(expected);
  });
});

describe('its value', () => {
  const row = { position: 0, logSumExp: 2, logits: Float32Array.of(1.5, 0.5), ranks: Int32Array.of(1, 2), top: [] };
  const second = { ...row, logSumExp: 3, logits: Float32Array.of(0.25) };
  const cases: [spec: TargetSpec, score: ScoreKind, expected: number][] = [
    [{ kind: 'span', from: 0, to: 1 }, 'logit', 1.75],
    [{ kind: 'span', from: 0, to: 1 }, 'logprob', -0.5 - 2.75],
    [{ kind: 'span', from: 0, to: 1 }, 'prob', Math.exp(-3.25)],
    [{ kind: 'contrast', a: ' Paris', b: ' London' }, 'logit', 1],
    [{ kind: 'contrast', a: ' Paris', b: ' London' }, 'logprob', 1],
    [{ kind: 'contrast', a: ' Paris', b: ' London' }, 'prob', Math.exp(-0.5) - Math.exp(-1.5)],
  ];
  test.each(cases)('%j as %s', async (spec, score, expected) => {
    const target = await resolveTarget(spec, score, context);
    expect(target.value(target.description.ids.length > 1 && spec.kind === 'span' ? [row, second] : [row])).toBeCloseTo(
      expected,
      12,
    );
  });

  test('a contrast turned round has the opposite sign', async () => {
    const one = await inputFor(model, { text: 'The capital', spec: { kind: 'contrast', a: ' Paris', b: ' London' } });
    const other = await inputFor(model, { text: 'The capital', spec: { kind: 'contrast', a: ' London', b: ' Paris' } });
    expect(one.value).toBe(-other.value);
    expect(one.value).not.toBe(0);
  });
});

describe('what is differentiated is what is explained', () => {
  const specs: TargetSpec[] = [
    { kind: 'next' },
    { kind: 'id', id: 40 },
    { kind: 'response' },
    { kind: 'span', from: 1, to: 2 },
    { kind: 'span', from: 2, to: 2 },
    { kind: 'text', text: ' London is' },
    { kind: 'contrast', a: ' Paris is', b: ' London' },
    { kind: 'contrast', a: '.', b: ' of', at: 2 },
  ];
  const logitsAt = (position: number): Float64Array =>
    Float64Array.from({ length: linearInfo.vocabulary }, (_, of) => Math.fround(2 * weight(position + 3, of)));

  test.each(specs.flatMap((spec) => (['logit', 'logprob', 'prob'] as const).map((score) => [spec, score] as const)))(
    '%j as %s',
    async (spec, score) => {
      const target = await resolveTarget(spec, score, context);
      const rows = target.reads(length).map((read) => readLogits(Float32Array.from(logitsAt(read.position)), read));
      const meant = targetOnLogits(target.gradient(length), logitsAt);
      expect(meant.value).toBeCloseTo(target.value(rows), 10);
      expect([...meant.rows.keys()]).toEqual([...new Set(rows.map((row) => row.position))]);
      // The derivative by finite differences, in a direction that moves every logit of every row.
      const step = 1e-5;
      const moved = (by: number) =>
        targetOnLogits(target.gradient(length), (position) =>
          logitsAt(position).map((logit, of) => logit + by * weight(of, position)),
        );
      const slope = (moved(step).value - moved(-step).value) / (2 * step);
      let expected = 0;
      for (const [position, row] of meant.rows) row.forEach((part, of) => (expected += part * weight(of, position)));
      expect(slope).toBeCloseTo(expected, 7);
    },
  );
});

describe('what cannot be explained', () => {
  const cases: [name: string, spec: TargetSpec, response: number[], code: string][] = [
    ['a text without a token', { kind: 'text', text: '☃' }, response, 'E_TARGET_EMPTY'],
    ['an empty text', { kind: 'text', text: '' }, response, 'E_TARGET_EMPTY'],
    ['an empty side', { kind: 'contrast', a: ' Paris', b: '' }, response, 'E_TARGET_EMPTY'],
    ['a response that is empty', { kind: 'response' }, [], 'E_TARGET_EMPTY'],
    ['a span of an empty response', { kind: 'span', from: 0, to: 0 }, [], 'E_TARGET_EMPTY'],
    ['an id past the vocabulary', { kind: 'id', id: 100_000 }, response, 'E_TARGET_RANGE'],
    ['a negative id', { kind: 'id', id: -1 }, response, 'E_TARGET_RANGE'],
    ['half an id', { kind: 'id', id: 1.5 }, response, 'E_TARGET_RANGE'],
    ['a span past the end', { kind: 'span', from: 0, to: 3 }, response, 'E_TARGET_RANGE'],
    ['a span backwards', { kind: 'span', from: 2, to: 1 }, response, 'E_TARGET_RANGE'],
    ['a contrast past the response', { kind: 'contrast', a: ' Paris', b: ' London', at: 4 }, response, 'E_TARGET_RANGE'],
    ['a contrast of equal beginnings', { kind: 'contrast', a: ' Paris is', b: ' Paris' }, response, 'E_TARGET_CONTRAST'],
  ];
  test.each(cases)('%s', async (_name, spec, given, code) => {
    await expect(resolveTarget(spec, undefined, { ...context, response: given })).rejects.toMatchObject({ code });
  });
});

describe('leading spaces of a continuation', () => {
  const cases: [text: string, dummyPrefix: boolean, expected: string][] = [
    [' Paris', false, ' Paris'],
    ['Paris', false, 'Paris'],
    [' Paris', true, ' Paris'],
    ['Paris', true, 'Paris'],
    ['  Paris', true, '  Paris'],
    ['\nParis', false, '\nParis'],
    ['<|im_end|>', false, '<|im_end|>'],
  ];
  test.each(cases)('%j (a vocabulary that adds a space: %s)', async (text, dummyPrefix, expected) => {
    const { tokenizer } = createLinearModel({ dummyPrefix });
    const ids = await encodeContinuation(tokenizer, text);
    expect(await tokenizer.decode(ids)).toBe(expected);
    // A control token that the user types is text.
    expect(ids.every((id) => id > 2)).toBe(true);
  });
});
