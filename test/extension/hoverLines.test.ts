import { describe, expect, test } from 'vitest';
import type { Explanation } from '../../src/shared/explanation.ts';
import { comparisonLines } from '../../src/extension/overlay/comparisonLines.ts';
import { hoverLines, signed, standing } from '../../src/extension/overlay/hoverLines.ts';
import { inEnglish } from '../../src/extension/translate.ts';
import { sampleExplanation } from './sampleExplanation.ts';

const explanation = sampleExplanation([
  { text: 'capital', score: 3 },
  { text: ' of', score: -1 },
  { text: ' sink', score: 50, kind: 'sink' },
]);
const final = { stage: 'final', stale: false, showHidden: false, method: 'Occlusion' } as const;
const lines = (unit: number, context: Parameters<typeof hoverLines>[2] = final, of: Explanation = explanation) =>
  hoverLines(of, unit, context, inEnglish).map(({ kind, text }) => (kind === 'warning' ? `! ${text}` : text));

const faithfulness = (verdict: 'trusted' | 'weak' | 'untrusted') => ({
  comprehensiveness: 1,
  sufficiency: 1,
  random: { comprehensiveness: 0, sufficiency: 0 },
  gain: 1,
  interval: [0.5, 1.5] as [number, number],
  fractions: [0.5],
  verdict,
  reason: 'Because.',
});

describe('a hover', () => {
  test('tells score with unit, rank, share, target and method', () => {
    expect(lines(0)).toEqual([
      'capital',
      'Score +3 logits, rank 1 of 2, 75.0 % of the total',
      'It speaks for: Paris',
      'Method: Occlusion',
      'Faithfulness was not measured.',
    ]);
  });

  test('says when a word speaks against the answer', () => {
    expect(lines(1).slice(1, 3)).toEqual(['Score −1 logits, rank 2 of 2, 25.0 % of the total', 'It speaks against: Paris']);
  });

  test.each(['attention', 'sections', 'units'] as const)('at stage %s is labelled provisional', (stage) => {
    expect(lines(0, { ...final, stage }).some((line) => line.startsWith('! Provisional'))).toBe(true);
  });

  test('warns that attention is not attribution, also when it is the final method', () => {
    const attention = { ...explanation, method: { id: 'attention', parameters: {}, seed: 0 } };
    expect(lines(0, final, attention).some((line) => line.startsWith('! Attention is not attribution'))).toBe(true);
  });

  test.each([
    ['saliency', {}],
    ['attention-x-gradient', { aggregation: 'absolute' }],
  ])('of %s has no sign, and says so', (id, parameters) => {
    const of = { ...explanation, method: { id, parameters, seed: 0 } };
    expect(lines(0, final, of).slice(1, 3)).toEqual([
      'Score 3 logits, rank 1 of 2, 75.0 % of the total',
      'It matters to: Paris. The score is a size and has no sign: for or against is not told.',
    ]);
  });

  test('tells a unit that is not the target’s', () => {
    const method = { id: 'saliency', parameters: {}, seed: 0 };
    const of = { ...explanation, method, scoreUnit: 'logit per unit of embedding' };
    expect(lines(0, final, of)[1]).toBe('Score 3 logits per unit of embedding, rank 1 of 2, 75.0 % of the total');
  });

  test('names a dequantised run', () => {
    const model = { ...explanation.model, precision: 'dequantised' as const };
    const of = { ...explanation, model, method: { id: 'input-x-gradient', parameters: {}, seed: 0 } };
    expect(lines(0, { ...final, method: 'Input × gradient' }, of)[3]).toBe('Method: Input × gradient (dequantised)');
  });

  test('says when the word was edited', () => {
    expect(lines(0, { ...final, stale: true }).some((line) => line.startsWith('! Edited'))).toBe(true);
  });

  const verdicts: [verdict: 'trusted' | 'weak' | 'untrusted', expected: string][] = [
    ['trusted', 'Faithfulness: trusted. Because.'],
    ['weak', '! Faithfulness: weak. Because.'],
    ['untrusted', '! Do not trust this picture. Because.'],
  ];
  test.each(verdicts)('tells the verdict %s', (verdict, expected) => {
    expect(lines(0, final, { ...explanation, faithfulness: faithfulness(verdict) }).at(-1)).toBe(expected);
  });

  test('shows a score that is no number as none', () => {
    expect(lines(0, final, { ...explanation, scores: [Number.NaN, 1, 1] })[1]).toMatch(/^Score — logits/);
  });

  test('of a unit that does not exist is empty', () => expect(lines(9)).toEqual([]));
});

test('the standing counts hidden units only when they are shown', () => {
  expect(standing(explanation, 0, false)).toEqual({ share: 0.75, rank: 1, of: 2 });
  expect(standing(explanation, 0, true)).toEqual({ share: 3 / 54, rank: 2, of: 3 });
});

test.each([
  [1.23456, '+1.235'],
  [-0.00001234, '−0.00001234'],
  [0, '+0'],
  [Number.NaN, '—'],
])('%d is written %s', (value, text) => expect(signed(value)).toBe(text));

describe('a hover over a difference', () => {
  const comparison = { nameA: 'one', nameB: 'two', a: [0.25, 0.5], b: [-0.125, null], scores: [0.375, 0.5], onlyInB: [] };
  const told = (unit: number, signed: boolean) =>
    comparisonLines('word', unit, { ...comparison, signed }, inEnglish).map(({ text }) => text);

  test('tells both parts and the difference', () => {
    expect(told(0, true)).toEqual(['word', 'A, one: +25.0 %', 'B, two: −12.5 %', 'Difference A − B: +37.5 % of all weight']);
  });

  test('tells a word that B does not have, and sizes where they are', () => {
    expect(told(1, false).slice(1)).toEqual([
      'A, one: 50.0 %',
      'B, two: not there',
      'Difference A − B: +50.0 % of all weight',
      'Sizes are compared: one of the two has no sign.',
    ]);
  });
});
