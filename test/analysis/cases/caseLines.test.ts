import * as v from 'valibot';
import { expect, test } from 'vitest';
import { readCaseLines } from '../../../src/analysis/cases/caseLines.ts';

const file = { tool: 'x', parameter: 'cases', schema: v.object({ text: v.string() }), shape: '{ "text" }' };

test('one object a line, blank lines between, each with its number', () => {
  expect(readCaseLines(file, '{"text":"a"}\n\n  \r\n{"text":"b","more":1}\r\n')).toEqual([
    { line: 1, value: { text: 'a' } },
    { line: 4, value: { text: 'b' } },
  ]);
});

test.each([
  ['', 'E_TOOL_PARAMETER', 'holds no case'],
  ['\n \n', 'E_TOOL_PARAMETER', 'holds no case'],
  ['{"text":"a"}\n{"text":', 'E_CASES_INVALID', 'line 2'],
  ['{"text":"a"}\n\n{"text":7}', 'E_CASES_INVALID', 'line 3'],
  ['["text"]', 'E_CASES_INVALID', 'line 1'],
  ['{"label":"a"}', 'E_CASES_INVALID', 'text'],
])('%j', (text, code, said) => {
  expect(() => readCaseLines(file, text)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(said) as string }) as Error,
  );
});
