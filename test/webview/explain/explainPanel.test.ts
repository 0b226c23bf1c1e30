// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest';
import type { ExplainPanelIn, ExplainPanelOut } from '../../../src/shared/protocol/panel.ts';
import { ExplainPanel } from '../../../webview/explain/explainPanel.ts';
import {
  capitalExplanation,
  curves,
  explanationOf,
  hostileExplanation,
  hostileTexts,
  methods,
  withMatrix,
} from '../harness/samples.ts';
import { all, find, settle } from '../harness/shadow.ts';

const final = (explanation = capitalExplanation()) => ({ type: 'explanation', explanation, stage: 'final' }) as const;
const progress = { type: 'progress', phase: 'occlusion', done: 1, total: 2 } as const;

afterEach(() => document.body.replaceChildren());

/** A mounted panel after some messages, and what it posted. */
async function mount(messages: readonly ExplainPanelIn[], state: Record<string, unknown> = {}) {
  const posted: ExplainPanelOut[] = [];
  const saved: unknown[] = [];
  const panel = new ExplainPanel();
  panel.host = { post: (message) => posted.push(message), readState: () => state, writeState: (next) => saved.push(next) };
  document.body.append(panel);
  for (const message of messages) panel.receive(message);
  await settle(panel);
  return {
    panel,
    posted,
    saved,
    text: () =>
      all(panel, '*')
        .map((element) => ownText(element))
        .join(' '),
  };
}

const ownText = (element: Element) =>
  [...element.childNodes]
    .filter((node) => node.nodeType === 3)
    .map((node) => node.textContent)
    .join('')
    .replace(/\s+/g, ' ')
    .trim();

const buttons = (panel: Element) => all(panel, 'vscode-button').map((button) => button.textContent?.trim());

test('waiting: says how to begin', async () => {
  const { panel } = await mount([]);
  expect(find(panel, '.empty')?.textContent).toContain('Explain Prompt');
});

test('running: ring, stage, cancel; "run again" waits', async () => {
  const { panel, posted } = await mount([progress]);
  expect(find(panel, 'vscode-progress-ring')).not.toBeNull();
  expect(find(panel, '.stage [role="status"]')?.textContent).toBe('Occlusion');
  expect(buttons(panel)).toEqual(['Run again', 'Cancel']);
  all(panel, 'vscode-button').forEach((button) => (button as HTMLElement).click());
  expect(posted).toContainEqual({ type: 'cancel' });
});

test('failed: code, message once, and the old explanation stays', async () => {
  const { panel, posted } = await mount([final(), { type: 'failed', code: 'E_X', message: 'It broke. Do this. (E_X)' }]);
  expect(find(panel, '.error code')?.textContent).toBe('E_X');
  expect(find(panel, '.error .message')?.textContent).toBe('It broke. Do this.');
  expect(find(panel, 'loupe-prompt-view')).not.toBeNull();
  (all(panel, 'vscode-button')[0] as HTMLElement).click();
  expect(posted).toEqual([{ type: 'rerun' }]);
});

test('cancelled is no error', async () => {
  const { panel } = await mount([{ type: 'failed', code: 'E_CANCELLED', message: 'x' }]);
  expect([find(panel, '.error'), find(panel, '.box')?.textContent]).toEqual([null, 'Cancelled']);
});

test.each([
  ['logprob', 'nat', -0.26, 'next', 'log-probability −0.26 nats (probability 77 %)'],
  ['logit', 'logit', 17.5, 'next', 'logit 17.50 logits'],
  ['prob', 'probability', 0.77, 'next', 'probability 0.77'],
  ['logprob', 'nat', 1.5, 'contrast', 'log-probability 1.50 nats'],
  ['logprob', 'nat', 2.3, 'entropy', 'entropy 2.30 nats'],
  ['logprob', 'nat', 0.4, 'kl', 'KL divergence 0.40 nats'],
  ['logit', 'cosine', 0.93, 'similarity', 'cosine 0.93'],
] as const)('target: %s', async (score, unit, value, kind, expected) => {
  const base = capitalExplanation();
  const { panel } = await mount([final({ ...base, target: { ...base.target, score, unit, value, kind } })]);
  expect(find(panel, '.target')?.textContent?.replace(/\s+/g, ' ').trim()).toBe(`Explains ‘ Paris’ — ${expected}`);
});

test.each([
  ['trusted', '✓ Trusted'],
  ['weak', '~ Weak'],
  ['untrusted', '✕ Do not trust'],
] as const)('faithfulness: %s', async (verdict, badge) => {
  const base = capitalExplanation();
  const { panel } = await mount([final({ ...base, faithfulness: { ...base.faithfulness!, verdict, reason: 'why' } })]);
  expect(find(panel, '.badge')?.textContent?.trim()).toBe(badge);
  expect(find(panel, '.faith')?.textContent).toContain('drop 2.31 (random 0.83), keep 0.42 (random 1.94)');
  // An untrusted picture loses its tints.
  expect(find(panel, '.prompt')?.classList.contains('untrusted')).toBe(verdict === 'untrusted');
});

test('a run that was stopped before its check promises none', async () => {
  const partial = { ...final({ ...capitalExplanation(), faithfulness: null }), stage: 'units' } as const;
  const note = (panel: Element) => find(panel, '.faith .muted')?.textContent;
  expect(note((await mount([partial])).panel)).toBe('Measured at the end of the run.');
  expect(note((await mount([partial, { type: 'failed', code: 'E_CANCELLED', message: '' }])).panel)).toMatch(/was not measured/);
});

test('asks for the full check, unless this is one, it could measure nothing, or a run is under way', async () => {
  const check = (panel: Element) =>
    all(panel, 'vscode-button').find((button) => button.textContent?.trim() === 'Check in full') as HTMLElement | undefined;
  const { panel, posted } = await mount([final()]);
  check(panel)?.click();
  expect(posted).toEqual([{ type: 'checkFully' }]);
  expect(check((await mount([final({ ...capitalExplanation(), faithfulness: null })])).panel)).toBeDefined();
  expect(check((await mount([final(), progress])).panel)?.hasAttribute('disabled')).toBe(true);
  const base = capitalExplanation();
  const full = { ...base, faithfulness: { ...base.faithfulness!, measures: [] } };
  expect(check((await mount([final(full)])).panel)).toBeUndefined();
  const warnings = [{ code: 'W_FAITHFULNESS_NOT_MEASURED', message: 'There are fewer than two parts.' }];
  expect(check((await mount([final({ ...base, faithfulness: null, warnings })])).panel)).toBeUndefined();
});

test.each([
  [
    { sum: 12.3, expected: 12.41, gap: 0.11, share: 0.0089, steps: 20 },
    '✓ Adds up',
    'sum to +12.30 nats of +12.41 nats; gap +0.11 nats (0.9 %) 20 steps',
  ],
  [{ sum: -0.4, expected: 0.02, gap: 0.42, share: 21, steps: 64 }, '✕ Does not add up', 'gap +0.42 nats (2100 %) 64 steps'],
  [{ sum: 0.5, expected: 0, gap: -0.5, share: null, steps: 1 }, '✕ Does not add up', 'of 0.00 nats; gap −0.50 nats 1 step'],
  [{ sum: 0, expected: 0, gap: 0, share: null, steps: 20 }, '✓ Adds up', 'gap 0.00 nats 20 steps'],
])('completeness: %j', async (completeness, badge, line) => {
  const { panel } = await mount([final(capitalExplanation({ completeness }))]);
  expect(find(panel, '.completeness .badge')?.textContent?.trim()).toBe(badge);
  expect(find(panel, '.completeness')?.textContent?.replace(/\s+/g, ' ')).toContain(line);
});

test('a method that does not integrate says nothing of completeness', async () => {
  const { panel } = await mount([final()]);
  expect(find(panel, '.completeness')).toBeNull();
});

test.each(['as-served', 'dequantised'] as const)('precision %s stands beside the method', async (precision) => {
  const base = capitalExplanation();
  const { panel } = await mount([final({ ...base, model: { ...base.model, precision } })]);
  expect(find(panel, '.settings .precision')?.textContent?.replace(/\s+/g, ' ').trim()).toBe(
    `Computed ${precision.replace('-', ' ')}`,
  );
});

test('scores without a sign have half a scale and no plus', async () => {
  const base = explanationOf([
    ['The ', 'text', 0.5],
    ['capital', 'text', 0.02],
  ]);
  const { panel } = await mount([
    final({ ...base, method: { id: 'saliency', parameters: {}, seed: 0 }, scoreUnit: 'nat per unit of embedding' }),
  ]);
  expect(find(panel, '.legend')?.getAttribute('aria-label')).toBe(
    'Colour scale: 0, 0.50 nats per unit of embedding; size only, no sign',
  );
  expect(all(panel, '.swatch').length).toBe(6);
  expect(all(panel, '.table tbody .number').map((cell) => cell.textContent)).toEqual(
    expect.arrayContaining(['0.50', '0.020']) as unknown,
  );
  expect(find(panel, '[data-unit="0"]')?.getAttribute('aria-label')).toContain('0.50 nats per unit of embedding');
});

test('the faithfulness curve: a picture with words beside the badge, and as a figure with its table', async () => {
  const base = capitalExplanation();
  const measures = [{ id: 'mean deletion', value: 5.2, random: 3.1, gain: 2.1, interval: [1.5, 2.6] as [number, number] }];
  const { reason } = base.faithfulness!;
  const reasons = [reason, 'Most of the score lies on a sink.'];
  const faithfulness = { ...base.faithfulness!, curves, measures, reasons };
  const { panel } = await mount([final({ ...base, faithfulness })], { tab: 'faithfulness' });
  const spoken =
    'Top units taken out: −0.26, halfway −7.40, at the end −9.10. Random units taken out: −0.26, halfway −5.60, at the end −9.10.';
  expect(all(panel, 'svg.curve[role="img"]').map((picture) => picture.getAttribute('aria-label')?.endsWith(spoken))).toEqual([
    true,
    true,
  ]);
  expect(all(panel, 'svg.large polyline').map((line) => line.getAttribute('class'))).toEqual(['deletion', 'randomDeletion']);
  expect(all(all(panel, 'figure tbody tr')[1]!, 'th, td').map((cell) => cell.textContent)).toEqual(['10 %', '−3.90', '−0.90']);
  expect(all(panel, '.table tbody th').map((cell) => cell.textContent)).toContain('mean deletion');
  expect(all(panel, '.table ul:not(.curve-legend) li').map((line) => line.textContent)).toEqual([reasons[1]]);
});

test('faithfulness not measured is said', async () => {
  const { panel } = await mount([final(capitalExplanation({ faithfulness: null }))]);
  expect(find(panel, '.badge')?.textContent?.trim()).toBe('? Not measured');
});

test('the method picker shows what was asked, not what a provisional tint came from', async () => {
  const explanation = { ...capitalExplanation(), method: { id: 'attention', parameters: {}, seed: 0 } };
  const { text } = await mount([
    { type: 'methods', methods, mode: 'auto', method: 'occlusion' },
    { type: 'explanation', explanation, stage: 'attention' },
  ]);
  expect(text()).toContain('Leaves out one unit at a time');
});

test('the method picker groups by family, tells costs, and bars what cannot run', async () => {
  const { panel, posted } = await mount([{ type: 'methods', methods, mode: 'auto', method: 'occlusion' }, final()]);
  const select = find(panel, 'select[aria-label="Method"]') as HTMLSelectElement;
  expect(all(select, 'optgroup').map((group) => group.getAttribute('label'))).toEqual([
    'Perturbation',
    'Gradient',
    'Flow',
    'Control',
  ]);
  expect(all(select, 'option').map((option) => option.textContent)).toEqual([
    'Occlusion — about 40 forward passes',
    'Saliency — m gives no gradients',
    'Attention — about 1 forward pass',
    'Random (control) — no forward pass',
  ]);
  expect(all(select, 'option[disabled]').map((option) => option.getAttribute('value'))).toEqual(['saliency']);
  select.value = 'attention';
  select.dispatchEvent(new Event('change'));
  expect(posted).toEqual([{ type: 'setMethod', method: 'attention' }]);
  // Until the host says so, the method is what it was.
  expect(select.value).toBe('occlusion');
});

test('a word: chosen, shown, revealed; a highlight of the editor is shown and not sent back', async () => {
  const { panel, posted } = await mount([final()]);
  const word = find(panel, '[data-unit="30"]') as HTMLElement;
  word.click();
  await settle(panel);
  expect(find(panel, '[data-unit="30"]')?.getAttribute('aria-selected')).toBe('true');
  expect(find(panel, '.details')?.textContent?.replace(/\s+/g, ' ')).toContain(
    '‘France’ +1.90 nats · 8.9 % of all effect · rank 4 of 26',
  );
  panel.receive({ type: 'highlight', unit: 29 });
  await settle(panel);
  expect(all(panel, '[data-unit][aria-selected="true"]').map((option) => option.getAttribute('data-unit'))).toEqual(['29']);
  expect(posted).toEqual([{ type: 'revealUnit', unit: 30 }]);
});

test('exactly one word is a tab stop', async () => {
  const { panel } = await mount([final()]);
  expect(all(panel, '[data-unit][tabindex="0"]').length).toBe(1);
  panel.receive({ type: 'highlight', unit: 25 });
  await settle(panel);
  expect(all(panel, '[data-unit][tabindex="0"]').map((option) => option.getAttribute('data-unit'))).toEqual(['25']);
});

test('template, special and sink units count only when shown, and the host is told', async () => {
  const { panel, posted, saved } = await mount([final()]);
  const count = () => all(panel, '[data-unit]').length;
  const before = count();
  const box = find(panel, 'vscode-checkbox') as HTMLInputElement;
  box.checked = true;
  box.dispatchEvent(new Event('change'));
  await settle(panel);
  expect(count() - before).toBe(7);
  expect(posted).toEqual([{ type: 'setShowHidden', show: true }]);
  expect(saved).toEqual([{ tab: 'ranking', showHidden: true }]);
});

test('the strength of the tints: drawn at once, told to the editor, kept when let go', async () => {
  const { panel, posted } = await mount([final(), { type: 'intensity', intensity: 1 }]);
  const strength = find(panel, 'input[type="range"]') as HTMLInputElement;
  const strongest = () => all(panel, '[data-unit].step5').length;
  const before = strongest();
  strength.value = '1';
  strength.dispatchEvent(new Event('input'));
  await settle(panel);
  expect(strongest()).toBeGreaterThan(before);
  expect(find(panel, '.legend')?.getAttribute('aria-label')).toContain('+1.60 nats');
  strength.dispatchEvent(new Event('change'));
  expect(posted).toEqual([
    { type: 'setIntensity', intensity: 2, kept: false },
    { type: 'setIntensity', intensity: 2, kept: true },
  ]);
  panel.receive({ type: 'intensity', intensity: 0.25 });
  await settle(panel);
  expect([strength.value, strongest()]).toEqual(['-2', 0]);
});

test('a comparison: names, meaning, what only B has, and both parts of a word', async () => {
  const explanation = explanationOf([
    ['The ', 'text', 1],
    ['cat', 'text', 1],
  ]);
  const comparison = {
    nameA: 'Saliency',
    nameB: 'Occlusion',
    a: [0.5, 0.5],
    b: [0.9, null],
    scores: [-0.4, 0.5],
    onlyInB: [{ label: 'dog', part: -0.1 }],
    signed: true,
  };
  const { panel, posted } = await mount([final(explanation), { type: 'comparison', comparison }]);
  const box = find(panel, '.comparison');
  expect(box?.textContent?.replace(/\s+/g, ' ')).toContain('A: Saliency. B: Occlusion.');
  expect(box?.textContent).toContain('‘dog’ −10.0 %');
  expect(find(panel, '.legend')?.getAttribute('aria-label')).toBe('Colour scale: more in B −50.0 %, more in A +50.0 %');
  expect(all(panel, '[data-unit]').map((unit) => unit.getAttribute('aria-label'))).toEqual([
    'The, A: +50.0 %, B: +90.0 %, difference −40.0 %',
    'cat, A: +50.0 %, not in B, difference +50.0 %',
  ]);
  expect(find(panel, '[data-unit="0"]')?.className).toContain('negative step4');
  (all(panel, '.comparison vscode-button')[0] as HTMLElement).click();
  expect(posted).toEqual([{ type: 'endComparison' }]);
  panel.receive({ type: 'comparison', comparison: null });
  await settle(panel);
  expect(find(panel, '.comparison')).toBeNull();
});

test('a click on a response token explains it; on the explained one it only opens the alternatives', async () => {
  const { panel, posted } = await mount([final()]);
  (find(panel, '[data-token="0"]') as HTMLElement).click();
  await settle(panel);
  expect(posted).toEqual([]);
  expect(all(panel, 'loupe-response-view tbody tr, .pane tbody tr').length).toBe(4);
  (find(panel, '[data-token="1"]') as HTMLElement).click();
  expect(posted).toEqual([{ type: 'explainTarget', target: { kind: 'span', from: 1, to: 1 } }]);
});

test('a range of the response, chosen with Shift', async () => {
  const { panel, posted } = await mount([final()]);
  (find(panel, '[data-token="0"]') as HTMLElement).click();
  find(panel, '[data-token="1"]')?.dispatchEvent(new MouseEvent('click', { bubbles: true, composed: true, shiftKey: true }));
  await settle(panel);
  const explain = all(panel, '.pane vscode-button').find((button) => button.textContent?.includes('these 2'));
  (explain as HTMLElement).click();
  expect(posted).toEqual([{ type: 'explainTarget', target: { kind: 'span', from: 0, to: 1 } }]);
});

test('a part of a pass is told with one decimal', async () => {
  const { panel } = await mount([final(capitalExplanation({ cost: { milliseconds: 650, forwardPasses: 14.033333333333335 } }))]);
  expect(find(panel, '.stage .muted')?.textContent).toBe('650 ms · 14 forward passes');
});

test('whole response, and why this rather than another', async () => {
  const { panel, posted } = await mount([final()]);
  const press = (label: string) =>
    (all(panel, 'vscode-button').find((button) => button.textContent?.includes(label)) as HTMLElement).click();
  press('Explain whole response');
  (find(panel, '[data-token="0"]') as HTMLElement).click();
  await settle(panel);
  press('Why this rather than');
  press('Rather than another text');
  expect(posted).toEqual([
    { type: 'explainTarget', target: { kind: 'response' } },
    { type: 'explainTarget', target: { kind: 'contrast', a: ' Paris', b: ' a', at: 0 } },
    { type: 'askContrast', at: 0 },
  ]);
});

test('no response, no warnings, no units: still a panel', async () => {
  const empty = explanationOf([], { response: { text: '', source: 'generated', tokens: [] }, faithfulness: null });
  const { panel, text } = await mount([final(empty)]);
  expect(text()).toContain('The model wrote no response.');
  expect(find(panel, '.warnings')).toBeNull();
});

test('a long prompt draws its first rows and asks before the rest', async () => {
  const long = explanationOf(Array.from({ length: 450 }, (_, index) => [`w${index} `, 'text', index] as const));
  const { panel } = await mount([final(long)]);
  const rows = () => all(panel, '.table tbody tr').length;
  expect(rows()).toBe(200);
  (all(panel, '.table vscode-button')[0] as HTMLElement).click();
  await settle(panel);
  expect(rows()).toBe(400);
});

test('the tab that was open before is open again; a saved tab that is none falls back', async () => {
  const tokens = await mount([final()], { tab: 'tokens' });
  expect(tokens.text()).toContain('Surprise (nats)');
  const unknown = await mount([final()], { tab: '<b>', showHidden: 'yes' });
  expect(unknown.text()).toContain('Units by the size of their score');
});

test('the matrix: a tab where there is one; a cell tells, is reached by keys, and reveals its unit', async () => {
  const without = await mount([final()], { tab: 'matrix' });
  expect(find(without.panel, 'loupe-matrix-view')).toBeNull();
  const { panel, posted } = await mount([final(withMatrix(capitalExplanation()))], { tab: 'matrix' });
  const cells = all(panel, '[role="gridcell"]');
  expect(cells.length).toBe(2 * 26);
  expect(cells.filter((cell) => cell.getAttribute('tabindex') === '0').length).toBe(1);
  const key = (name: string, init = {}) =>
    find(panel, '[role="gridcell"][tabindex="0"]')?.dispatchEvent(
      new KeyboardEvent('keydown', { key: name, bubbles: true, composed: true, ...init }),
    );
  key('End', { ctrlKey: true });
  await settle(panel);
  const last = find(panel, '[role="gridcell"][tabindex="0"]');
  expect([last?.getAttribute('data-row'), last?.getAttribute('data-column')]).toEqual(['1', '25']);
  expect(find(panel, 'loupe-matrix-view')?.shadowRoot?.querySelector('.readout')?.textContent).toMatch(/^‘is’ → ‘\.’: [+−]\d/);
  key('Enter');
  expect(posted).toEqual([{ type: 'revealUnit', unit: capitalExplanation().units.findLastIndex(({ kind }) => kind === 'text') }]);
});

test('token text is text: no element is made from it', async () => {
  const { panel } = await mount([final(hostileExplanation())]);
  (find(panel, '[data-token="0"]') as HTMLElement).click();
  await settle(panel);
  expect(all(panel, 'img, script, b').length).toBe(0);
  expect(find(panel, '[data-unit="0"]')?.textContent?.trim()).toBe(hostileTexts[0]);
  expect(find(panel, '[data-unit="1"]')?.textContent?.trim()).toBe('⟨202E⟩evil⟨202C⟩');
  expect(find(panel, '[data-unit="2"]')?.textContent?.trim()).toBe('␇␀␛[31m');
});

test.each([{ type: 'unheard of' }, { type: 'highlight', unit: 10_000 }])(
  'a message that fits nothing does no harm: %j',
  async (message) => {
    const { panel } = await mount([final(), message as ExplainPanelIn]);
    expect(find(panel, 'loupe-prompt-view')).not.toBeNull();
  },
);
