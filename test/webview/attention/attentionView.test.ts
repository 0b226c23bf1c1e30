// @vitest-environment happy-dom
import { afterEach, expect, test } from 'vitest';
import type { AttentionViewIn, AttentionViewOut } from '../../../src/shared/protocol/panel.ts';
import { AttentionView } from '../../../webview/attention/attentionView.ts';
import type { HeadMatrix } from '../../../webview/attention/headMatrix.ts';
import { gridMessage, headMessage, weightedGridMessage, weightedHeadMessage } from '../harness/samples.ts';
import { all, find, settle } from '../harness/shadow.ts';

const words = ['The', ' capital', ' of', ' France'];
const grid = gridMessage(words, 3, 2);
const head = headMessage(4, 2, 0);

afterEach(() => document.body.replaceChildren());

async function mount(messages: readonly AttentionViewIn[], state: Record<string, unknown> = {}) {
  const posted: AttentionViewOut[] = [];
  const saved: unknown[] = [];
  const view = new AttentionView();
  view.host = { post: (message) => posted.push(message), readState: () => state, writeState: (next) => saved.push(next) };
  document.body.append(view);
  for (const message of messages) view.receive(message);
  await settle(view);
  const matrix = () => find(view, 'loupe-head-matrix') as HeadMatrix;
  return { view, posted, saved, matrix };
}

/** What was last mirrored in the editor: token and rounded weights. */
function mirrored(posted: readonly AttentionViewOut[]) {
  const last = posted.at(-1);
  if (last?.type !== 'selectToken') return last;
  return [last.token, last.weights === null ? null : [...last.weights].map((weight) => Number(weight.toFixed(3)))];
}

const row = (query: number) => [...head.values.slice(query * 4, query * 4 + 4)].map((weight) => Number(weight.toFixed(3)));
const column = (key: number) => [0, 1, 2, 3].map((query) => Number((head.values[query * 4 + key] ?? 0).toFixed(3)));

test('says that attention is not attribution, always', async () => {
  const { view } = await mount([]);
  expect(find(view, '.note')?.textContent).toContain('not attribution');
});

test('a grid: every head has its name, one is a tab stop, the last layer is asked for', async () => {
  const { view, posted } = await mount([grid]);
  const cells = all(view, '[role="gridcell"]');
  expect(cells.map((cell) => cell.getAttribute('aria-label'))).toEqual(
    [0, 1, 2].flatMap((layer) => [0, 1].map((each) => `layer ${layer}, head ${each}`)),
  );
  expect(cells.filter((cell) => cell.getAttribute('tabindex') === '0').length).toBe(1);
  expect(posted).toEqual([{ type: 'requestHead', layer: 2, head: 0 }]);
});

test('arrows move, Enter opens', async () => {
  const { view, posted } = await mount([grid, head]);
  const cell = find(view, '[data-layer="2"][data-head="0"]') as HTMLElement;
  cell.focus();
  cell.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowUp', bubbles: true, composed: true }));
  const above = find(view, '[data-layer="1"][data-head="0"]') as HTMLElement;
  above.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, composed: true }));
  expect(posted.at(-1)).toEqual({ type: 'requestHead', layer: 1, head: 0 });
});

test('a selected token goes to the editor as a row or a column, and follows the next head', async () => {
  const { view, posted, matrix } = await mount([grid, head]);
  matrix().onSelect(3, 'row');
  expect(mirrored(posted)).toEqual([3, row(3)]);
  matrix().onSelect(1, 'column');
  expect(mirrored(posted)).toEqual([1, column(1)]);
  await settle(view);
  expect(find(view, 'caption')?.textContent?.trim()).toBe('‘␣capital’ is looked at by');
  const other = { ...headMessage(4, 2, 0), values: Float32Array.from({ length: 16 }, () => 0.25) };
  view.receive(other);
  expect(mirrored(posted)).toEqual([1, [0.25, 0.25, 0.25, 0.25]]);
  matrix().onClear();
  expect(mirrored(posted)).toEqual([null, null]);
});

test('without the sink: labelled, scaled again, mirrored again', async () => {
  const { view, posted, matrix } = await mount([grid, head]);
  matrix().onSelect(3, 'row');
  const box = find(view, 'vscode-checkbox') as HTMLInputElement;
  expect(box.textContent).toBe('Hide sink ‘The’');
  box.checked = true;
  box.dispatchEvent(new Event('change'));
  await settle(view);
  const [, weights] = mirrored(posted) as [number, number[]];
  expect(weights[0]).toBe(0);
  expect(weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 2);
  expect(all(view, 'p').map((line) => line.textContent)).toContain('Without ‘The’; each row is scaled to sum to 1.');
});

test('the table lists the largest weights, and the token under the editor’s cursor needs no click', async () => {
  const { view, posted } = await mount([grid, head, { type: 'highlight', token: 3 }]);
  const cells = all(view, 'tbody tr').map((line) => line.textContent?.replace(/\s+/g, ' ').trim());
  expect(cells[0]).toMatch(/^0 ‘The’ 0\.\d{3}$/);
  expect(cells.length).toBe(4);
  expect(posted.some((message) => message.type === 'selectToken')).toBe(false);
});

const weightedGrid = weightedGridMessage(words, 3, 2);
const weightedHead = weightedHeadMessage(4, 2, 0);
const texts = (view: AttentionView, selector: string) =>
  all(view, selector).map((element) => element.textContent?.replace(/\s+/g, ' ').trim());

function choose(view: AttentionView, value: string) {
  const picker = find(view, 'vscode-dropdown[aria-label="Show"]') as HTMLSelectElement;
  picker.value = value;
  picker.dispatchEvent(new Event('change'));
}

test('weighting by the gradient is asked of the host, named after the answer, and remembered', async () => {
  const { view, posted, saved } = await mount([{ type: 'loading', target: ' Paris' }, grid]);
  expect(texts(view, 'vscode-dropdown[aria-label="Show"] vscode-option')).toEqual([
    'plain attention',
    'attention × gradient of ‘␣Paris’',
  ]);
  choose(view, 'gradient');
  expect(posted.at(-1)).toEqual({ type: 'setWeighting', weighting: 'gradient' });
  expect(saved).toEqual([{ hideSink: false, weighting: 'gradient' }]);
});

test('what was remembered is what the view starts with', async () => {
  const { view } = await mount([], { weighting: 'gradient' });
  expect(view.weighting).toBe('gradient');
  expect((await mount([], { weighting: '<b>' })).view.weighting).toBe('plain');
});

test('weighted: legends, head names, table and read-out tell sign and unit', async () => {
  const { view, matrix } = await mount([weightedGrid, weightedHead]);
  const legends = all(view, '.legend').map((legend) => legend.getAttribute('aria-label'));
  expect(legends.length).toBe(2);
  for (const legend of legends) {
    expect(legend).toMatch(/^Colour scale: from −0\.\d+ nats, against ‘␣Paris’, to \+0\.\d+ nats, for it$/);
  }
  for (const cell of all(view, '[role="gridcell"]')) {
    expect(cell.getAttribute('aria-label')).toMatch(/^layer \d, head \d: strongest [+−]0\.\d+ nats$/);
  }
  expect(find(view, '.note')?.textContent).toContain('+ speaks for it, − against it');
  expect(find(view, '[role="application"]')?.getAttribute('aria-label')).toContain('gradient');
  matrix().onSelect(3, 'row');
  await settle(view);
  expect(texts(view, 'caption')).toEqual(['‘␣France’ looks at (+ for the answer, − against it)']);
  expect(texts(view, 'th.number')).toContain('Effect (nats)');
  const shown = texts(view, 'tbody td.number:not(.muted)');
  expect(shown.some((value) => value?.startsWith('−'))).toBe(true);
  expect(shown.every((value) => /^[+−]0\.\d+$/.test(value ?? ''))).toBe(true);
  const area = find(view, '[role="application"]') as HTMLElement;
  area.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, composed: true }));
  await settle(matrix());
  expect(find(view, '.readout')?.textContent?.trim()).toMatch(/^‘␣capital’ looks at ‘The’: [+−]0\.\d+ nats$/);
});

test('weighted: the sink is taken out and nothing is scaled', async () => {
  const { view, posted, matrix } = await mount([weightedGrid, weightedHead]);
  matrix().onSelect(3, 'row');
  const box = find(view, 'vscode-checkbox') as HTMLInputElement;
  box.checked = true;
  box.dispatchEvent(new Event('change'));
  await settle(view);
  const kept = [...weightedHead.values.slice(13, 16)].map((value) => Number(value.toFixed(3)));
  expect(mirrored(posted)).toEqual([3, [0, ...kept]]);
  expect(texts(view, 'p')).toContain('Without ‘The’; the rest is as it was.');
});

test.each(['E_GRADIENT_UNSUPPORTED', 'E_GRADIENT_MEMORY'])(
  '%s: plain attention with the reason, and the view works on',
  async (code) => {
    const notice = { code, message: `It cannot be done (${code})` };
    const { view, saved } = await mount([{ type: 'loading', target: ' Paris' }, { ...grid, notice }, head], {
      weighting: 'gradient',
    });
    expect(texts(view, '.box.warning')[0]).toBe(
      `Attention could not be weighted by the gradient; this is plain attention. It cannot be done (${code})`,
    );
    expect(view.weighting).toBe('plain');
    expect(saved).toEqual([{ hideSink: false, weighting: 'plain' }]);
    expect(find(view, 'loupe-head-matrix')).not.toBeNull();
    expect(find(view, '.legend')).toBeNull();
  },
);

test('while it loads the phase is shown and the choice can be changed', async () => {
  const progress = { type: 'progress', phase: 'taking the gradient, 0.6 GB of memory', done: 1, total: 3 } as const;
  const { view, posted } = await mount([{ type: 'loading', target: ' Paris' }, progress], { weighting: 'gradient' });
  expect(texts(view, '.muted')).toContain('taking the gradient, 0.6 GB of memory 1/3');
  choose(view, 'plain');
  expect(posted).toEqual([{ type: 'setWeighting', weighting: 'plain' }]);
});

test('keys in the matrix: move, read out, select', async () => {
  const { view, posted, matrix } = await mount([grid, head]);
  const area = find(view, '[role="application"]') as HTMLElement;
  const press = (key: string) => area.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, composed: true }));
  for (const key of ['ArrowDown', 'ArrowDown', 'ArrowRight']) press(key);
  await settle(matrix());
  expect(find(view, '.readout')?.textContent?.trim()).toBe(`‘␣of’ looks at ‘␣capital’: ${head.values[9]?.toFixed(3)}`);
  press('Enter');
  expect(mirrored(posted)).toEqual([2, row(2)]);
  press('Escape');
  expect(mirrored(posted)).toEqual([null, null]);
});

test.each([
  ['loading', [{ type: 'loading' }], 'Reading attention'],
  ['failed', [{ type: 'failed', code: 'E_X', message: 'it broke' }], 'it broke'],
  ['nothing', [{ type: 'idle' }], 'Explain a prompt'],
  ['the prompt went away', [grid, head, { type: 'idle' }], 'Explain a prompt'],
] as const)('%s', async (_, messages, expected) => {
  const { view } = await mount(messages);
  expect(
    all(view, 'p, [role="status"]')
      .map((line) => line.textContent)
      .join(' '),
  ).toContain(expected);
});

test.each([
  ['a highlight past the end', [grid, head, { type: 'highlight', token: 99 }]],
  ['a model without heads', [gridMessage(words, 0, 0)]],
  ['a prompt without tokens', [gridMessage([], 2, 2), headMessage(0, 1, 0)]],
  ['an unknown message', [grid, { type: 'unheard of' } as unknown as AttentionViewIn]],
] as const)('harmless: %s', async (_, messages) => {
  const { view } = await mount(messages);
  expect(find(view, 'main')).not.toBeNull();
});
