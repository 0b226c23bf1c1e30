import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HistoryEntry } from '../../src/extension/history/historyEntry.ts';
import { HistoryStore } from '../../src/extension/history/historyStore.ts';
import { entryTitle, verdictText } from '../../src/extension/history/historyText.ts';
import { inEnglish } from '../../src/extension/translate.ts';
import { sampleExplanation } from './sampleExplanation.ts';

const entry = (time: number, more: Partial<HistoryEntry> = {}): HistoryEntry => ({
  time,
  prompt: { text: 'one two', uri: 'file:///a.txt', format: 'text', mode: 'auto', selection: { start: 4, end: 7 } },
  target: { kind: 'contrast', a: ' x', b: ' y', at: 2 },
  explanation: sampleExplanation([{ text: 'two', score: 0.1 + 0.2 }]),
  ...more,
});

let folder: string;
let store: HistoryStore;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'loupe-history-'));
  store = new HistoryStore(path.join(folder, 'history'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const times = async (of = store) => (await of.list()).map((item) => item.entry?.time ?? null);

describe('the history', () => {
  test('is empty before anything was kept', async () => {
    expect(await store.list()).toEqual([]);
    await store.clear();
  });

  test('gives back exactly what it was given, newest first, and tells of changes', async () => {
    let told = 0;
    const stop = store.onChange(() => (told += 1));
    await store.add(entry(1_000));
    await store.add(entry(9_000));
    await store.add(entry(5_000));
    expect(await times()).toEqual([9_000, 5_000, 1_000]);
    expect((await new HistoryStore(path.join(folder, 'history')).list())[0]?.entry).toEqual(entry(9_000));
    stop();
    await store.add(entry(7_000));
    expect(told).toBe(3);
  });

  test('is bounded by files: the oldest go', async () => {
    const small = new HistoryStore(folder, { files: 2, bytes: 1e9 });
    for (const time of [3_000, 1_000, 2_000]) await small.add(entry(time));
    expect(await times(small)).toEqual([3_000, 2_000]);
  });

  test('is bounded by bytes', async () => {
    const size = JSON.stringify(entry(1_000)).length;
    const small = new HistoryStore(folder, { files: 200, bytes: 2.5 * size });
    for (const time of [1_000, 2_000, 3_000]) await small.add(entry(time));
    expect(await times(small)).toEqual([3_000, 2_000]);
  });

  test.each([
    ['no JSON', '{', /JSON/],
    ['something else', '{"time":1}', /./],
    ['another version', JSON.stringify({ ...entry(1), explanation: { ...entry(1).explanation, schema: 9 } }), /schema version 9/],
    ['a hostile uri', JSON.stringify({ ...entry(1), prompt: { ...entry(1).prompt, uri: 7 } }), /./],
  ])('shows a file that is %s as an error, beside the others', async (_what, text, reason) => {
    await store.add(entry(1_000));
    await writeFile(path.join(folder, 'history', 'broken.json'), text);
    const [broken, good] = await store.list();
    expect([broken?.entry, good?.entry?.time]).toEqual([null, 1_000]);
    expect(broken?.error).toMatch(reason);
    await store.remove('broken.json');
    expect(await times()).toEqual([1_000]);
  });

  test('removes its own files only', async () => {
    await store.add(entry(1_000));
    await writeFile(path.join(folder, 'outside.json'), '{}');
    await store.remove('../outside.json');
    await store.clear();
    expect(await readdir(folder)).toEqual(['history', 'outside.json']);
    expect(await readdir(path.join(folder, 'history'))).toEqual([]);
  });
});

describe('an entry', () => {
  test('is titled by its answer and the explained part of its prompt', () => expect(entryTitle(entry(1))).toBe('‘ Paris’ — two'));

  test('has a short title, whatever the prompt', () => {
    const text = `a\n\n${'long '.repeat(100)}`;
    const title = entryTitle(entry(1, { prompt: { text, format: 'text', mode: 'auto' } }));
    expect([title.length, title.includes('\n')]).toEqual(['‘ Paris’ — '.length + 60, false]);
  });

  test.each([
    ['trusted', 'trusted'],
    ['untrusted', 'do not trust'],
    [null, 'not measured'],
  ] as const)('with the verdict %s says: %s', (verdict, text) => expect(verdictText(verdict, inEnglish)).toBe(text));
});
