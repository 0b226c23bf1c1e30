import { describe, expect, test } from 'vitest';
import { splitReasoning, type StepKind } from '../../../src/analysis/chainOfThought/splitReasoning.ts';

const sum = 'Tom has 3 apples. He buys 4 more, so 3 + 4 = 7. The answer is 7.';

test.each<[string, string, string, StepKind, string[], string, string]>([
  ['a marker', sum, 'answer is', 'sentence', ['Tom has 3 apples. ', 'He buys 4 more, so 3 + 4 = 7.'], ' The answer is', ' 7'],
  [
    'a marker in the middle of a step',
    'We add 3 and 4 and get 7 so the answer is 7',
    'answer is',
    'sentence',
    ['We add 3 and 4 and get 7 so the '],
    'answer is',
    ' 7',
  ],
  [
    'a decimal and what follows',
    'Half of 15.\nSo the answer is: 7.5. Done.',
    'answer is',
    'line',
    ['Half of 15.'],
    '\nSo the answer is:',
    ' 7.5',
  ],
  [
    'the last marker of two',
    'The answer is 5? No, 2 + 4 = 6. The answer is 6',
    'answer is',
    'sentence',
    ['The answer is 5? ', 'No, 2 + 4 = 6.'],
    ' The answer is',
    ' 6',
  ],
  [
    'no marker: the last line',
    'Think of it.\nStill thinking.\nParis',
    'answer is',
    'line',
    ['Think of it.\n', 'Still thinking.'],
    '\n',
    'Paris',
  ],
  [
    'one line: the last sentence',
    'It is a big city. It lies on the Seine. It is Paris.',
    '',
    'sentence',
    ['It is a big city. ', 'It lies on the Seine.'],
    '',
    ' It is Paris.',
  ],
  ['an empty line between steps', 'One.\n\nTwo.\n\nAnswer: 2', 'answer:', 'line', ['One.\n\n', 'Two.'], '\n\nAnswer:', ' 2'],
  ['another script', '三加四等于七。\n答案是 7。', '答案是', 'line', ['三加四等于七。'], '\n答案是', ' 7'],
])('%s', (_name, response, marker, kind, steps, cue, answer) => {
  const found = splitReasoning(response, marker, kind);
  expect(found?.steps).toEqual(steps);
  expect(found?.cue).toBe(cue);
  expect(found?.answer).toBe(answer);
});

describe('together the parts are the response, up to what follows the answer', () => {
  test.each([sum, 'Think of it.\nStill.\nParis', 'It is big. It is Paris.', 'One.\n\nTwo.\n\nAnswer: 2'])('%j', (response) => {
    const found = splitReasoning(response, 'answer is', 'sentence');
    expect(response.startsWith((found?.steps.join('') ?? '?') + (found?.cue ?? '') + (found?.answer ?? ''))).toBe(true);
  });
});

test.each(['', '  \n ', 'Paris', 'The answer is 7', 'Because of it. The answer is'])(
  '%j has no reasoning before an answer',
  (response) => {
    expect(splitReasoning(response, 'answer is', 'sentence')).toBeNull();
  },
);
