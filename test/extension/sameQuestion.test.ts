import { expect, test } from 'vitest';
import { sameQuestion } from '../../src/extension/explain/sameQuestion.ts';
import type { TargetSpec } from '../../src/shared/target.ts';
import { sampleExplanation } from './sampleExplanation.ts';

const base = sampleExplanation([]);
const tokens = [' Par', 'is', '.'].map((text, id) => ({ id, text, logprob: -1, alternatives: [] }));
const response = { ...base.response, text: ' Paris.', tokens };

test.each([
  [{ kind: 'next' }, { kind: 'text', text: ' Paris' }],
  [
    { kind: 'span', from: 0, to: 1 },
    { kind: 'text', text: ' Paris' },
  ],
  [
    { kind: 'span', from: 1, to: 1 },
    { kind: 'span', from: 1, to: 1 },
  ],
  [{ kind: 'response' }, { kind: 'response' }],
] satisfies [TargetSpec, TargetSpec][])('%j is asked of another model as %j', (asked, target) => {
  expect(sameQuestion({ target: base.target, response }, asked)).toEqual({ response: ' Paris.', target });
});

test('without a response the other model writes its own', () => {
  expect(sameQuestion({ target: base.target, response: base.response }, { kind: 'response' })).toEqual({
    target: { kind: 'response' },
  });
});
