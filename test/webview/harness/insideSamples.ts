/** Messages of the Inside panel's host with every kind of block; some token texts are hostile. */
import type { Block } from '../../../src/shared/inspection/blocks.ts';
import type { InsidePanelIn, ShownResult, ToolChoice } from '../../../src/shared/protocol/insidePanel.ts';

const hostileText = ' <img src=x onerror="window.hacked=1">';
const texts = ['The', ' capital', ' of', ' France', hostileText, ' is'];

const promptText = texts.join('');

const tokens: ShownResult['tokens'] = texts.map((text, index) => {
  const start = texts.slice(0, index).join('').length;
  return { id: index, text, start, end: start + text.length, special: false };
});

export const lensTool: ToolChoice = {
  id: 'lens',
  family: 'Layers',
  label: 'Logit lens',
  question: 'What would each layer answer, if it were the last one?',
  usesTarget: true,
  unavailable: null,
  parameters: [
    {
      id: 'site',
      kind: 'choice',
      label: 'Site',
      help: 'what is read',
      choices: ['resid_post', 'mlp_out'],
      default: 'resid_post',
    },
    {
      id: 'layer',
      kind: 'number',
      label: 'Layer',
      help: 'one layer only; -1: all',
      default: -1,
      minimum: -1,
      maximum: 29,
      whole: true,
    },
    { id: 'exact', kind: 'boolean', label: 'Exact', help: 'every number by itself', default: false },
    { id: 'span', kind: 'text', label: 'Span', help: 'words of the prompt', default: '', pattern: 'the Eiffel Tower' },
    { id: 'template', kind: 'text', label: 'Template', help: 'what is asked', default: 'Text: {prompt}\nWhy?', lines: true },
    { id: 'train', kind: 'file', label: 'Train on', help: 'a text' },
  ],
};

export const patchTool: ToolChoice = {
  id: 'patch',
  family: 'Cause and effect',
  label: 'Activation patching',
  question: 'Which layer carries the difference?',
  usesTarget: false,
  unavailable: null,
  parameters: [{ id: 'corrupt', kind: 'prompt', label: 'Corrupted prompt', help: 'as long as the first', required: true }],
};

const barred: ToolChoice = { ...patchTool, id: 'neurons', label: 'Neurons', unavailable: 'x.onnx gives no gradients' };

export const toolsMessage: InsidePanelIn = { type: 'tools', tools: [lensTool, patchTool, barred], selected: 'lens' };

export const subjectMessage: InsidePanelIn = {
  type: 'subject',
  subject: { document: 'capital.md', selection: false, explained: null },
};

const layers = Array.from({ length: 8 }, (_, layer) => ({ label: `L${layer}` }));
const positions = texts.map((label, index) => ({ label, tokens: [index] }));

export const heat: Extract<Block, { kind: 'heat' }> = {
  kind: 'heat',
  title: 'Most likely next token',
  caption: 'Read from resid_post.',
  rows: { title: 'layer', entries: layers },
  columns: { title: 'token', entries: positions },
  values: Float32Array.from({ length: 48 }, (_, at) => (at === 5 ? Number.NaN : (at * 7) % 48) / 48),
  unit: 'probability',
  scale: 'magnitude',
  range: [0, 1],
  texts: Array.from({ length: 48 }, (_, at) => texts[at % 6] ?? ''),
  details: Array.from({ length: 48 }, (_, at) => `rank ${at}`),
};

export const signedHeat: Extract<Block, { kind: 'heat' }> = {
  kind: 'heat',
  title: 'Effect of each head',
  rows: { title: 'layer', entries: layers },
  columns: { title: 'head', entries: Array.from({ length: 9 }, (_, head) => ({ label: `H${head}` })) },
  values: Float32Array.from({ length: 72 }, (_, at) => Math.sin(at)),
  unit: 'logit',
  scale: 'signed',
};

export const table: Extract<Block, { kind: 'table' }> = {
  kind: 'table',
  title: 'Heads',
  columns: [{ label: 'Head' }, { label: 'Entropy', numeric: true, unit: 'nat' }, { label: 'Reads' }],
  rows: [
    { cells: ['L0.H1', 0.5, hostileText], tokens: [4] },
    { cells: ['L1.H0', -2, 'of'], tokens: [2, 3] },
    { cells: ['L2.H0', Number.NaN, 'The'] },
    { cells: ['L3.H4', 10, ' is'], tokens: [5] },
  ],
};

const waterfall: Extract<Block, { kind: 'bars' }> = {
  kind: 'bars',
  title: 'What the logit is made of',
  unit: 'logit',
  waterfall: true,
  bars: [
    { label: 'embedding', value: 1 },
    { label: 'L0 MLP', value: 3, detail: '" France"', tokens: [3] },
    { label: 'L1.H3', value: -2, detail: hostileText, tokens: [4] },
  ],
  total: { label: 'target', value: 2 },
};

const graph: Extract<Block, { kind: 'graph' }> = {
  kind: 'graph',
  title: 'Circuit',
  unit: 'logit',
  nodes: [
    { id: 'a', label: hostileText, column: 0, row: 0, tokens: [4] },
    { id: 'b', label: 'L0.H1', column: 1, row: 0 },
    { id: 'c', label: 'L1 MLP', column: 2, row: 1 },
    { id: 'd', label: 'logit', column: 3, row: 0 },
  ],
  edges: [
    { from: 'a', to: 'b', weight: 1.5 },
    { from: 'b', to: 'c', weight: -0.5 },
    { from: 'c', to: 'd', weight: 3 },
    { from: 'b', to: 'd', weight: 0.25 },
  ],
};

const curve: Extract<Block, { kind: 'curve' }> = {
  kind: 'curve',
  title: 'Calibration',
  x: 'stated confidence',
  y: 'share right',
  diagonal: true,
  series: [
    {
      label: 'model',
      points: [
        [0.1, 0.2],
        [0.5, 0.4],
        [0.9, 0.6],
      ],
    },
    {
      label: hostileText,
      points: [
        [0.1, 0.1],
        [0.9, 0.9],
      ],
    },
  ],
};

const prompt: Extract<Block, { kind: 'prompt' }> = {
  kind: 'prompt',
  title: 'What the head looks at',
  unit: 'probability',
  signed: true,
  scores: Float32Array.of(0.1, -0.4, 0, 1, 0.2, -1),
};

const edit: Extract<Block, { kind: 'edit' }> = {
  kind: 'edit',
  title: 'Smallest change',
  edits: [{ start: promptText.indexOf('France'), end: promptText.indexOf('France') + 6, text: '<b>Italy</b>' }],
  before: ' Paris',
  after: ' <i>Rome</i>',
};

const words: Block[] = [
  { kind: 'text', tone: 'finding', lines: [`The answer reads${hostileText}.`] },
  {
    kind: 'text',
    title: 'How far to trust this',
    tone: 'warning',
    lines: ['Early layers were never trained for that.', 'Second line.'],
  },
];

export function resultMessage(blocks: readonly Block[]): InsidePanelIn {
  return {
    type: 'result',
    document: 'capital.md',
    result: {
      tool: 'lens',
      label: 'Logit lens',
      parameters: {},
      blocks,
      tokens,
      promptText,
      cost: { milliseconds: 640, forwardPasses: 1 },
      warnings: [{ code: 'W_TRUST', message: 'Read with care.' }],
    },
  };
}

export const everyBlock: InsidePanelIn = resultMessage([
  ...words,
  heat,
  signedHeat,
  table,
  waterfall,
  graph,
  curve,
  prompt,
  edit,
]);
