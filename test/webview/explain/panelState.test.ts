import { expect, test } from 'vitest';
import type { ExplainPanelIn } from '../../../src/shared/protocol/panel.ts';
import { initialState, nextState, type PanelState } from '../../../webview/explain/panelState.ts';
import { stageText } from '../../../webview/explain/runStage.ts';
import { strings } from '../../../webview/ui/strings.ts';
import { capitalExplanation, methods } from '../harness/samples.ts';

const explanation = capitalExplanation();
const after = (...messages: ExplainPanelIn[]): PanelState => messages.reduce(nextState, initialState);
const progress = { type: 'progress', phase: 'occlusion', done: 12, total: 40 } as const;
const part = (stage: 'attention' | 'sections' | 'units' | 'final') => ({ type: 'explanation', explanation, stage }) as const;

test.each([
  ['nothing yet', [], '', '', false],
  ['a first run', [progress], 'Occlusion', '12/40', false],
  ['attention', [progress, part('attention')], 'Provisional: attention', '12/40', true],
  ['sections', [progress, part('sections')], 'Exact: sections', '12/40', true],
  ['words', [part('units'), progress], 'Exact: words', '12/40', true],
  ['final', [progress, part('final')], 'Final', '3.2 s · 41 forward passes', false],
  ['a second run', [part('final'), { ...progress, total: 0 }], 'Occlusion', '', false],
  ['cancelled half-way', [part('units'), { type: 'idle' }], 'Stopped before the end: scores are provisional', '', true],
] as const)('stage: %s', (_, messages, name, detail, provisional) => {
  expect(stageText(after(...messages), strings('en'))).toEqual({ name, detail, provisional });
});

test('a failure ends the run and keeps the explanation', () => {
  const state = after(part('final'), progress, { type: 'failed', code: 'E_X', message: 'm' });
  expect([state.running, state.progress, state.failure?.code, state.explanation]).toEqual([false, null, 'E_X', explanation]);
});

test.each([[progress], [part('final')], [{ type: 'idle' }]] as const)('%j clears a failure', (message) => {
  expect(after({ type: 'failed', code: 'E_X', message: 'm' }, message).failure).toBeNull();
});

test('the asked method stays when a later message does not name it', () => {
  const message = { type: 'methods', methods, mode: 'chat' } as const;
  const state = after({ ...message, method: 'occlusion' }, message);
  expect([state.method, state.mode]).toEqual(['occlusion', 'chat']);
});

test('a highlight outlives new scores of the same words, not other words', () => {
  const highlighted = [part('units'), { type: 'highlight', unit: 2 }] as const;
  expect(after(...highlighted, part('final')).highlighted).toBe(2);
  const bySentence = { ...part('final'), explanation: { ...explanation, granularity: 'sentence' } } as const;
  expect(after(...highlighted, bySentence).highlighted).toBeNull();
});
