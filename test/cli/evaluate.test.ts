import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { plausibilityOf } from '../../src/cli/evaluate/plausibility.ts';
import { parseMethods } from '../../src/cli/evaluate/methodList.ts';
import { agreementTable, summariseAgreement } from '../../src/cli/evaluate/agreementSummary.ts';
import { type Result, ResultFile } from '../../src/cli/evaluate/resultFile.ts';
import { summarise } from '../../src/cli/evaluate/summary.ts';
import { partsOf, sampleExplanation } from '../extension/sampleExplanation.ts';
import { runCli, startCli } from './cliProcess.ts';
import { createTheme } from '../../src/cli/terminal/theme.ts';
import { testModels } from '../setup/testModels.ts';
import { scratchFolder } from './scratchFolder.ts';

const { folder, file: written } = scratchFolder();
const cases = [
  { id: 'capital', prompt: 'The capital of France is', target: 'text: Paris', rationale: ['France'] },
  { id: 'count', prompt: 'one two three four', target: 'text: five' },
];
const colourless = createTheme(0);
const flags = ['--model', testModels.tinyQwen2, '--methods', 'saliency,random', '--measures', 'drop,comp', '--threads', '1'];

function casesFile(name: string, lines: readonly unknown[]): string {
  return written(name, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
}

describe('evaluate', () => {
  test('ended in the middle it goes on, computes only what is missing, and says the same', async () => {
    const file = casesFile('cases.jsonl', cases);
    const out = path.join(folder, 'ended.jsonl');
    const child = await startCli(['evaluate', file, ...flags, '--out', out]);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    await until(async () => (await linesOf(out)).length >= 2);
    child.kill('SIGKILL');
    await ended;
    const before = await linesOf(out);
    // A kill may cut the last line off; here it surely is.
    await writeFile(out, `${before.slice(0, 2).join('\n')}\n${(before[1] ?? '').slice(0, 30)}`);
    const resumed = await runCli(['evaluate', file, ...flags, '--out', out, '--json']);
    expect(resumed.code).toBe(0);
    const after = await linesOf(out);
    expect(after).toHaveLength(4);
    expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
    const whole = await runCli(['evaluate', file, ...flags, '--json']);
    expect(timeless(resumed.stdout)).toEqual(timeless(whole.stdout));
    const { agreement, cases: results } = JSON.parse(whole.stdout) as { agreement: unknown[]; cases: Result[] };
    expect(agreement).toEqual([expect.objectContaining({ methods: ['saliency', 'random'], cases: 2 })]);
    expect(results[0]?.scores?.signed).toBe(false);
    // The last word holds the place where the answer is read.
    expect(results[0]?.scores?.ranked.at(-1)).toBe(3);
    expect(results[0]?.scores?.values).toHaveLength(5);
    const again = await runCli(['evaluate', file, ...flags, '--out', out, '--json']);
    expect(again.stdout).toBe(resumed.stdout);
    expect(await linesOf(out)).toEqual(after);
  });

  test('interrupted, it ends as other verbs do, leaves whole lines and goes on', async () => {
    const many = Array.from({ length: 12 }, (_, index) => ({ id: index, prompt: `one two ${index} three four` }));
    const file = casesFile('interrupted.jsonl', many);
    const out = path.join(folder, 'interrupted-out.jsonl');
    const child = await startCli(['evaluate', file, ...flags, '--out', out]);
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    await until(async () => (await linesOf(out)).length >= 1);
    child.kill('SIGINT');
    const code = await ended;
    const before = await linesOf(out);
    // It may have been done before the signal came.
    expect(code).toBe(before.length === 24 ? 0 : 130);
    expect(before.map((line) => Object.keys(JSON.parse(line) as object))).toEqual(
      before.map(() => expect.arrayContaining(['key', 'measures', 'scores']) as unknown),
    );
    const resumed = await runCli(['evaluate', file, ...flags, '--out', out, '--json']);
    expect(resumed.code).toBe(0);
    const after = await linesOf(out);
    expect(after).toHaveLength(24);
    expect(after.slice(0, before.length)).toEqual(before);
  });

  test('a damaged line is named, and left alone', async () => {
    const file = casesFile('one.jsonl', cases.slice(0, 1));
    const out = path.join(folder, 'damaged.jsonl');
    await writeFile(out, '{"key":"a"}\n{"key":"b"}\n');
    const { code, stderr } = await runCli(['evaluate', file, ...flags, '--out', out]);
    expect(code).toBe(3);
    expect(stderr).toMatch(/E_RESULTS_CORRUPT.*line 1/);
    expect(await readFile(out, 'utf8')).toBe('{"key":"a"}\n{"key":"b"}\n');
  });

  test.each([
    ['no file', [], 2, /E_USAGE/],
    ['an unknown measure', ['x.txt', '--measures', 'beauty'], 3, /E_MEASURE_UNKNOWN/],
    ['an unknown method', ['x.txt', '--methods', 'magic'], 3, /E_METHOD_UNKNOWN/],
    ['a parameter that is none', ['x.txt', '--methods', 'lime:colour=red'], 3, /E_PARAMETER/],
    ['a method twice', ['x.txt', '--methods', 'lime,lime'], 2, /E_USAGE/],
    ['a file twice', ['x.txt', './x.txt'], 2, /named twice/],
    ['a file that is not there', ['nowhere.txt'], 3, /E_PROMPT_NOT_FOUND/],
  ])('%s', async (_name, given, code, message) => {
    const result = await runCli(['evaluate', ...given, ...(given.includes('--methods') ? [] : ['--methods', 'random'])]);
    expect(result.code).toBe(code);
    expect(result.stderr).toMatch(message);
  });

  test.each([
    ['{"id":1}', /prompt/],
    ['nonsense', /line 2/],
    ['{"prompt":""}', /empty/],
    ['{"prompt":"a","rationale":[[1]]}', /rationale/],
  ])('a case that is none: %s', async (line, message) => {
    const file = casesFile('bad.jsonl', [cases[0], line]);
    const { code, stderr } = await runCli(['evaluate', file, '--methods', 'random']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/E_CASES_INVALID/);
    expect(stderr).toMatch(message);
  });
});

test('methods with parameters of their own', () => {
  expect(parseMethods('lime, lime:samples=50;regressor=lasso')).toEqual([
    { name: 'lime', id: 'lime', parameters: {} },
    { name: 'lime:samples=50;regressor=lasso', id: 'lime', parameters: { samples: 50, regressor: 'lasso' } },
  ]);
});

test('without a file results live as long as the run', async () => {
  const results = await ResultFile.open(undefined, false);
  const result = { key: 'k', case: 'c', method: 'm', measures: [], verdict: 'weak', forwardPasses: 1, milliseconds: 2 };
  await results.add(result);
  expect(results.get('k')).toEqual(result);
  await results.close();
});

test('a file of results without scores is read, and counts for no agreement', async () => {
  const old = { key: 'k', case: 'c', method: 'm', measures: [], verdict: 'weak', forwardPasses: 1, milliseconds: 2 };
  const file = written('old.jsonl', `${JSON.stringify(old)}\n`);
  const results = await ResultFile.open(file, false);
  expect(results.get('k')).toEqual(old);
  await results.close();
  expect(summariseAgreement([old, { ...old, method: 'n' }], ['m', 'n'], 1)).toEqual([]);
  expect(agreementTable([], ['m', 'n'], colourless)).toEqual([]);
});

test('agreement of each pair, over the cases both were run on', () => {
  const ranked = [0, 1, 2, 3];
  const of = (id: string, method: string, values: number[]): Result => ({
    ...{ key: id + method, case: id, method, measures: [], verdict: 'weak', forwardPasses: 1, milliseconds: 2 },
    scores: { values, signed: true, ranked },
  });
  const results = [
    of('x', 'a', [4, 3, 2, 1]),
    of('x', 'b', [4, 3, 2, 1]),
    of('x', 'c', [1, 2, 3, 4]),
    of('y', 'a', [4, 3, 2, 1]),
    of('y', 'b', [1, 2, 3, 4]),
    of('z', 'a', [4, 3, 2, 1]),
    of('z', 'b', [4, 3, 2]),
  ];
  const pairs = summariseAgreement(results, ['a', 'b', 'c'], 1);
  // Top two of four: 1 by the same order, 0 by the opposite; by chance (4 · ⅓ + 1 · 1) / 6.
  expect(pairs).toMatchObject([
    { methods: ['a', 'b'], correlation: 0, overlap: 0.5, cases: 2, chanceOverlap: expect.closeTo(7 / 18, 12) as number },
    { methods: ['a', 'c'], correlation: -1, overlap: 0, cases: 1 },
    { methods: ['b', 'c'], correlation: -1, overlap: 0, cases: 1 },
  ]);
  expect(pairs[0]?.correlationInterval).toEqual([-1, 1]);
  expect(agreementTable(pairs, ['a', 'b', 'c'], colourless).slice(1, 5)).toEqual([
    `agreement${' '.repeat(23)}    (1)    (2)    (3)`,
    `(1) a${' '.repeat(27)}      –   0.00  −1.00`,
    `(2) b${' '.repeat(27)}   0.50      –  −1.00`,
    `(3) c${' '.repeat(27)}   0.00   0.00      –`,
  ]);
});

test('means, intervals and counts over cases', () => {
  const of = (gain: number) => ({
    key: String(gain),
    case: String(gain),
    method: 'm',
    measures: [{ id: 'drop', value: gain + 1, random: 1, gain }],
    verdict: gain > 1 ? 'trusted' : 'weak',
    forwardPasses: 2 * gain,
    milliseconds: 10,
  });
  const [summary] = summarise([1, 2, 3, -2].map(of), ['m'], 1);
  const [measure] = summary?.measures ?? [];
  expect(measure).toMatchObject({ id: 'drop', gain: 1, value: 2, random: 1, better: 3, cases: 4 });
  expect(measure?.interval?.[0]).toBeLessThan(1);
  expect(measure?.interval?.[1]).toBeGreaterThan(1);
  expect(summary).toMatchObject({ trusted: 2, cases: 4, forwardPasses: 2, milliseconds: 10 });
  expect(summarise([of(1)], ['m'], 1)[0]?.measures[0]?.interval).toBeNull();
});

test('plausibility is average precision', () => {
  const sample = sampleExplanation(partsOf('a b c d'));
  const explanation = {
    ...sample,
    prompt: { ...sample.prompt, text: 'a b c d' },
    units: ['a', 'b', 'c', 'd'].map((label, index) => ({
      label,
      kind: 'text' as const,
      start: 2 * index,
      end: 2 * index + 1,
      tokens: [index],
    })),
    scores: [4, 1, 3, 2],
  };
  // In the order a, c, d, b the meant ones are first and third: (1/1 + 2/3) / 2.
  expect(plausibilityOf(explanation, ['a', [6, 7]])).toMatchObject({ value: (1 + 2 / 3) / 2, random: 0.5 });
  expect(plausibilityOf(explanation, ['nothing'])).toBeNull();
});

async function linesOf(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.split('\n').slice(0, -1);
}

async function until(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Everything but the time. */
function timeless(json: string): unknown {
  return JSON.parse(json, (name, value: unknown) => (name === 'milliseconds' ? 0 : value));
}
