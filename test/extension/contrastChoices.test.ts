import { expect, test } from 'vitest';
import { explainedToken, otherTokens, tokenLabel } from '../../src/extension/explain/contrastChoices.ts';
import { sampleExplanation } from './sampleExplanation.ts';

const alternative = (id: number, text: string, logprob: number) => ({ id, text, logprob });
const token = {
  ...alternative(1, ' Paris', -0.2),
  alternatives: [alternative(2, ' Lyon', -4), alternative(1, ' Paris', -0.2), alternative(3, '', -1), alternative(4, ' the', -2)],
};

test.each([
  [[1, 2], 1],
  [[7, 9], 0],
  [undefined, 0],
] as const)('a target over the tokens %j stands at %d', (span, at) => {
  const sample = sampleExplanation([]);
  const target = { ...sample.target, ...(span === undefined ? {} : { span: [...span] as [number, number] }) };
  expect(explainedToken({ target, response: { ...sample.response, tokens: [token, token, token] } })).toBe(at);
});

test('the alternatives of a token: most likely first, not itself, none that has no text', () =>
  expect(otherTokens(token).map(({ text }) => text)).toEqual([' the', ' Lyon']));

test.each([
  [' Paris', '‘ Paris’'],
  ['\n\t', '‘↵⇥’'],
  ['$(bug)', '‘\\$(bug)’'],
])('%j is shown as %s', (text, label) => expect(tokenLabel(text)).toBe(label));
