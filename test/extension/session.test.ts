import { beforeEach, describe, expect, test } from 'vitest';
import { cancelled } from '../../src/shared/errorCatalog.ts';
import type { PromptSource } from '../../src/shared/protocol/engine.ts';
import { DocumentSession } from '../../src/extension/explain/session.ts';
import { SessionStore } from '../../src/extension/explain/sessionStore.ts';
import { partsOf, sampleExplanation } from './sampleExplanation.ts';

const text = 'one two six';
const explanation = sampleExplanation(partsOf(text));
const prompt = (): PromptSource => ({ text, format: 'text', mode: 'auto' });
const choices = () => ({
  method: 'occlusion',
  target: { kind: 'next' } as const,
  mode: 'auto' as const,
  granularity: 'word' as const,
  showHidden: false,
  selection: null,
  variables: {},
});

let session: DocumentSession;
let changes: number;

beforeEach(() => {
  changes = 0;
  session = new DocumentSession('file:///a.txt', choices(), () => {
    changes += 1;
  });
});

const staleOf = () => [...(session.alignment?.stale ?? [])];

test('remembers what the picture explains, whatever is chosen after', () => {
  session.choose({ target: { kind: 'response' } });
  const run = session.begin(prompt());
  session.choose({ target: { kind: 'next' } });
  session.accept(run, explanation, 'final');
  expect(session.target).toEqual({ kind: 'response' });
  session.clear();
  expect(session.target).toBeNull();
});

describe('a session', () => {
  test('a newer run cancels the older one, whose results are dropped', () => {
    const first = session.begin(prompt());
    const second = session.begin(prompt());
    expect([first.controller.signal.aborted, second.controller.signal.aborted]).toEqual([true, false]);
    expect(session.accept(first, explanation, 'final')).toBe(false);
    expect(session.explanation).toBeNull();
    expect(session.accept(second, explanation, 'final')).toBe(true);
    expect(session.run).toBeNull();
  });

  test('partials are shown while the run goes on', () => {
    const run = session.begin(prompt());
    session.accept(run, explanation, 'attention');
    expect([session.stage, session.run === run, session.view]).toEqual(['attention', true, explanation]);
    session.accept(run, explanation, 'final');
    expect([session.stage, session.run]).toEqual(['final', null]);
  });

  test('an explanation that arrives after an edit is moved by it', () => {
    const run = session.begin(prompt());
    session.edit([{ offset: 0, deleted: 0, inserted: 'a ' }], () => `a ${text}`);
    session.edit([{ offset: 8, deleted: 0, inserted: 'x' }], () => 'a one twxo six');
    session.accept(run, explanation, 'final');
    expect(staleOf()).toEqual([0, 1, 0]);
    expect([...(session.alignment?.start ?? [])]).toEqual([2, 5, 10]);
  });

  test('edits between two partials are not lost', () => {
    const run = session.begin(prompt());
    session.accept(run, explanation, 'attention');
    session.edit([{ offset: 1, deleted: 0, inserted: 'x' }], () => 'oxne two six');
    session.accept(run, explanation, 'sections');
    session.accept(run, explanation, 'final');
    expect(staleOf()).toEqual([1, 0, 0]);
  });

  test('undo back to the explained text takes the stale marks away', () => {
    session.accept(session.begin(prompt()), explanation, 'final');
    session.edit([{ offset: 1, deleted: 1, inserted: '' }], () => 'oe two six');
    expect(staleOf()).toEqual([1, 0, 0]);
    session.edit([{ offset: 1, deleted: 0, inserted: 'n' }], () => text);
    expect(staleOf()).toEqual([0, 0, 0]);
  });

  test('a failure keeps what was drawn', () => {
    session.accept(session.begin(prompt()), explanation, 'final');
    const run = session.begin(prompt());
    expect(session.fail(run, cancelled())).toBe(true);
    expect([session.explanation, session.run, session.failure?.code]).toEqual([explanation, null, 'E_CANCELLED']);
  });

  test('a closed document takes nothing in', () => {
    const run = session.begin(prompt());
    session.close();
    expect(run.controller.signal.aborted).toBe(true);
    expect([session.accept(run, explanation, 'final'), session.fail(run, cancelled())]).toEqual([false, false]);
    expect(session.explanation).toBeNull();
  });

  test('another granularity re-aggregates the scores and keeps the explanation', () => {
    session.accept(session.begin(prompt()), explanation, 'final');
    session.setGranularity('line');
    expect(session.view?.units.map(({ label }) => label)).toEqual([text]);
    expect(session.view?.scores).toEqual([6]);
    session.setGranularity('word');
    expect(session.view).toBe(explanation);
  });

  test('is compared with another one at any granularity, until a new one arrives', () => {
    session.accept(session.begin(prompt()), explanation, 'final');
    const other = sampleExplanation(partsOf(text).map((part) => ({ ...part, score: 1 })));
    expect(session.compareWith(other, explanation, 'a', 'b')).toBe(false);
    expect(session.compareWith(explanation, other, 'one', 'two')).toBe(true);
    expect(session.comparison).toMatchObject({ nameA: 'one', nameB: 'two', a: [1 / 6, 2 / 6, 3 / 6] });
    expect(session.comparison?.scores[1]).toBeCloseTo(0);
    session.setGranularity('line');
    expect(session.comparison?.scores).toEqual([0]);
    session.endComparison();
    expect(session.comparison).toBeNull();
    session.compareWith(explanation, other, 'one', 'two');
    session.accept(session.begin(prompt()), other, 'attention');
    expect([session.comparison, session.previous]).toEqual([null, null]);
    session.accept(session.begin(prompt()), other, 'final');
    expect(session.previous).toBe(explanation);
  });

  test('a full check asks what is shown again, and leaves comparison and earlier picture', () => {
    const other = sampleExplanation(partsOf(text).map((part) => ({ ...part, score: 1 })));
    expect(session.beginCheck()).toBeNull();
    session.accept(session.begin(prompt()), other, 'final');
    const shown = prompt();
    session.accept(session.begin(shown), explanation, 'final');
    session.compareWith(explanation, other, 'one', 'two');
    session.choose({ method: 'lime', target: { kind: 'response' } });
    session.setGranularity('line');
    session.edit([{ offset: 0, deleted: 0, inserted: 'so ' }], () => `so ${text}`);
    const run = session.beginCheck();
    expect(run?.question).toEqual({ prompt: shown, method: 'occlusion', target: { kind: 'next' }, granularity: 'word' });
    expect(session.beginCheck()).toBeNull();
    const before = session.alignment;
    session.accept(run!, { ...explanation, cost: { ...explanation.cost, forwardPasses: 99 } }, 'final');
    expect(session.alignment).toBe(before);
    expect(session.previous).toBe(other);
    expect(session.comparison).toMatchObject({ nameA: 'one', nameB: 'two', scores: [0] });
    expect(session.run).toBeNull();
  });

  test('a check cancelled in the middle leaves the picture; one that draws another picture is as good as a run', () => {
    session.accept(session.begin(prompt()), explanation, 'final');
    session.fail(session.beginCheck()!, cancelled());
    expect([session.explanation, session.stage, session.run]).toEqual([explanation, 'final', null]);
    session.edit([{ offset: 0, deleted: 0, inserted: 'so ' }], () => `so ${text}`);
    const other = sampleExplanation(partsOf(`${text} `).map((part) => ({ ...part, score: 1 })));
    session.accept(session.beginCheck()!, other, 'final');
    expect(session.previous).toBe(explanation);
    expect(session.alignment?.start[0]).toBe(3);
    session.edit([{ offset: 0, deleted: 3, inserted: '' }], () => text);
    session.accept(session.beginCheck()!, explanation, 'final');
    expect(session.alignment?.start[0]).toBe(0);
  });

  test('the selection that was explained follows edits', () => {
    session.choices.selection = { start: 4, end: 7 };
    session.edit([{ offset: 0, deleted: 4, inserted: '' }], () => 'two six');
    expect(session.choices.selection).toEqual({ start: 0, end: 3 });
    session.edit([{ offset: 0, deleted: 3, inserted: '' }], () => ' six');
    expect(session.choices.selection).toBeNull();
  });

  test('every change is told', () => {
    const run = session.begin(prompt());
    session.report(run, 'occlusion', 1, 3);
    session.accept(run, explanation, 'final');
    session.setMirror(null);
    expect(changes).toBe(3);
  });
});

test('a closed document is forgotten by the store', () => {
  const store = new SessionStore();
  const told: string[] = [];
  const stop = store.onChange(({ uri }) => told.push(uri));
  const opened = store.open('file:///a.txt', choices);
  expect(store.open('file:///a.txt', choices)).toBe(opened);
  store.close('file:///a.txt');
  stop();
  expect([store.get('file:///a.txt'), store.all()]).toEqual([undefined, []]);
  expect(told).toEqual(['file:///a.txt']);
});
