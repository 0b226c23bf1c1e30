import { expect, test } from 'vitest';
import { attentionWeighting } from '../../src/extension/panels/attentionWeighting.ts';
import type { Explanation } from '../../src/shared/explanation.ts';
import { partsOf, sampleExplanation } from './sampleExplanation.ts';

const token = { id: 1, text: ' Paris', logprob: -0.1, alternatives: [] };
const response = (source: 'generated' | 'given', count: number): Explanation['response'] => ({
  text: ' Paris'.repeat(count),
  source,
  tokens: Array.from({ length: count }, () => token),
});
const method = { id: 'input-x-gradient', parameters: {}, seed: 7 };
const explained = (more: Partial<Explanation>) => sampleExplanation(partsOf('one two'), { method, ...more });

test.each([
  ['no response', response('generated', 0), { maxTokens: 1 }],
  ['a generated response as long as it was', response('generated', 3), { maxTokens: 3 }],
  ['a given response as it was given', response('given', 2), { maxTokens: 2, response: ' Paris Paris' }],
])('the explained target on %s', (_name, given, expected) => {
  const target = { kind: 'contrast', a: ' Paris', b: ' Lyon', at: 1 } as const;
  expect(attentionWeighting(explained({ response: given }), target)).toEqual({ target, score: 'logit', seed: 7, ...expected });
});

test('without an explanation there is nothing to weight by', () => {
  expect(attentionWeighting(null, { kind: 'next' })).toBeNull();
  expect(attentionWeighting(explained({}), null)).toBeNull();
});
